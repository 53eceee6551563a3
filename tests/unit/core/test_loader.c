/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_loader: which files are taken for plugins, and that nothing of the
 * others ever runs.  The plugins are real, made by the C compiler.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>

#include "../../support/plugins.h"

#include "plugin/elf_note.h"
#include "plugin/loader.h"
#include "plugin/trust.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char dir[64];
static struct loader *loader;
static struct weir_error error;

static void setup(void)
{
	umask(022);
	plugins_dir(dir, sizeof(dir));
	loader = loader_new(dir);
}

static void teardown(void)
{
	loader_free(&loader);
	plugins_remove(dir);
}

static const char *in_dir(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static const struct weir_plugin *find(enum weir_kind kind, const char *type)
{
	return loader_find(loader, kind, weir_str_of(type), &error);
}

static void refused(const struct weir_plugin *plugin, const char *why)
{
	ck_assert_msg(!plugin, "taken, expected: %s", why);
	ck_assert_msg(strstr(error.text, why) != NULL, "said \"%s\", wanted %s",
		      error.text, why);
}

static void write_file(const char *path, const void *bytes, size_t len)
{
	FILE *file = fopen(path, "wb");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

/* --- what is taken ------------------------------------------------------------ */

START_TEST(a_plugin_is_found_by_type_and_by_alias)
{
	const struct weir_plugin *plugin;
	const struct plugin_file *list;
	size_t n;

	plugins_build(dir, "processors/probe.so", "-DALIASES='\"old older\"'");
	plugin = find(WEIR_PROCESSOR, "probe");
	ck_assert_msg(plugin != NULL, "%s", error.text);
	ck_assert_str_eq(plugin->type, "probe");
	ck_assert_ptr_eq(find(WEIR_PROCESSOR, "old"), plugin);
	ck_assert_ptr_eq(find(WEIR_PROCESSOR, "older"), plugin);
	list = loader_list(loader, &n);
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(list[0].type, "probe");
	ck_assert_ptr_eq(list[0].plugin, plugin);
}
END_TEST

START_TEST(what_is_not_there_is_said_with_the_nearest_type)
{
	plugins_build(dir, "processors/probe.so", "");
	refused(find(WEIR_PROCESSOR, "prob"),
		"unknown type: \"prob\"; did you mean \"probe\"? "
		"(valid values: [probe])");
	refused(find(WEIR_EXPORTER, "probe"), "unknown type: \"probe\"");
	refused(find(WEIR_PROCESSOR, "../processors/probe"), "unknown type");
	refused(find(WEIR_PROCESSOR, ""), "unknown type");
}
END_TEST

START_TEST(the_first_directory_wins)
{
	char second[64], both[160];
	const struct weir_plugin *plugin;

	plugins_dir(second, sizeof(second));
	plugins_build(second, "processors/probe.so", "");
	plugins_build(dir, "processors/probe.so", "-DSIGNALS=WEIR_LOGS");
	snprintf(both, sizeof(both), "/nonexistent::%s:%s", dir, second);
	loader_free(&loader);
	loader = loader_new(both);
	plugin = find(WEIR_PROCESSOR, "probe");
	plugins_remove(second);
	ck_assert_ptr_nonnull(plugin);
	ck_assert_uint_eq(plugin->signals, WEIR_LOGS);
}
END_TEST

/* --- what is refused (attacks.md 99) -------------------------------------------- */

static const struct {
	const char *flags, *why;
} lies[] = {
	{ "-DNO_NOTE", "probe.so: no weir plugin: it has no ELF note" },
	{ "-DNOTE_MAGIC=0x12345678",
	  "wrong magic 0x12345678, wanted 0x52494557" },
	{ "-DNOTE_MAJOR=2", "built for plugin ABI 2.0, this weir speaks 1.0; "
	  "rebuild it" },
	{ "-DNOTE_MINOR=9", "built for plugin ABI 1.9, this weir speaks 1.0" },
	{ "-DNOTE_SIZE=16", "its descriptor has 16 bytes, wanted " },
	{ "-DNOTE_SIZE=4096", "its descriptor has 4096 bytes, wanted " },
	{ "-DNOTE_VIEWS=7", "built for views of generation 7, this weir has 1" },
	{ "-DKIND=WEIR_EXPORTER", "it is exporter \"probe\" by its note, but "
	  "by its folder and name processor \"probe\"" },
	{ "-DTYPE='\"other\"'", "it is processor \"other\" by its note" },
	{ "-DKIND=99", "its note names no kind or type" },
	{ "-DCALLS=weir_no_such_call", "undefined symbol weir_no_such_call" },
	{ "-DCALLS=nobody_has_this", "undefined symbol nobody_has_this" },
};

START_TEST(a_wrong_plugin_is_refused_before_any_code_of_it_runs)
{
	char flags[512], ran[128];

	snprintf(ran, sizeof(ran), "%s/ran", dir);
	snprintf(flags, sizeof(flags), "%s -DCONSTRUCTOR='\"%s\"' "
#ifdef __x86_64__
		 "-DIFUNC='\"%s\"'", lies[_i].flags, ran, ran);
#else
		 , lies[_i].flags, ran);
#endif
	plugins_build(dir, "processors/probe.so", flags);
	refused(find(WEIR_PROCESSOR, "probe"), lies[_i].why);
	ck_assert_msg(access(ran, F_OK) != 0, "%s: its code ran",
		      lies[_i].flags);
}
END_TEST

/* The probes above would tell if they ran: here they are right, and do. */
START_TEST(a_right_plugin_does_run)
{
	char flags[512];

	snprintf(flags, sizeof(flags), "-DCONSTRUCTOR='\"%s/ran\"'", dir);
	plugins_build(dir, "processors/probe.so", flags);
	ck_assert_ptr_nonnull(find(WEIR_PROCESSOR, "probe"));
	ck_assert_int_eq(access(in_dir("ran"), F_OK), 0);
#ifdef __x86_64__
	snprintf(flags, sizeof(flags), "-DIFUNC='\"%s/resolved\"'", dir);
	plugins_build(dir, "two.so", flags);
	ck_assert_ptr_nonnull(loader_open(loader, in_dir("two.so"), &error));
	ck_assert_int_eq(access(in_dir("resolved"), F_OK), 0);
#endif
}
END_TEST

static const struct {
	const char *flags, *why;
} late[] = {
	{ "-DNO_ENTRY", "it exports no symbol weir_plugin" },
	{ "-DPLUGIN_MAJOR=3", "built for plugin ABI 3.0" },
	{ "-DNOTE_TYPE='\"else\"'", "its descriptor and its ELF note disagree" },
	{ "-DPLACEMENT=WEIR_BY_TRACE",
	  "only a processor of traces can be placed by trace" },
	{ "-DPLACEMENT=WEIR_BY_TRACE -DADMITS",
	  "it cannot be placed otherwise" },
	{ "-DPLACEMENT=WEIR_ONE -DADMITS", "it cannot be placed otherwise" },
};

START_TEST(a_descriptor_that_is_not_what_its_note_says_is_refused)
{
	plugins_build(dir, "probe.so", late[_i].flags);
	refused(loader_open(loader, in_dir("probe.so"), &error), late[_i].why);
}
END_TEST

START_TEST(files_that_are_no_elf_are_refused)
{
	static const uint8_t other[64] = { 0x7f, 'E', 'L', 'F', 1, 1, 1 };

	write_file(in_dir("processors/text.so"), "hello", 5);
	write_file(in_dir("processors/wide.so"), other, sizeof(other));
	write_file(in_dir("processors/empty.so"), "", 0);
	ck_assert_int_eq(mkdir(in_dir("processors/folder.so"), 0755), 0);
	ck_assert_int_eq(mkfifo(in_dir("processors/pipe.so"), 0644), 0);
	refused(find(WEIR_PROCESSOR, "text"), "text.so: not an ELF file");
	refused(find(WEIR_PROCESSOR, "wide"),
		"wide.so: built for another architecture");
	refused(find(WEIR_PROCESSOR, "empty"), "not an ELF file");
	refused(find(WEIR_PROCESSOR, "folder"), "not an ELF file");
	refused(find(WEIR_PROCESSOR, "pipe"), "not an ELF file");
	refused(loader_open(loader, in_dir("processors/pipe.so"), &error),
		"not a regular file");
	refused(loader_open(loader, in_dir("missing.so"), &error),
		"No such file");
}
END_TEST

/* Any damage gives a sentence or a plugin, never a crash: every byte of the
 * first headers in turn, then every length of the file. */
START_TEST(a_damaged_elf_file_is_read_with_care)
{
	static uint8_t bytes[1 << 17];
	struct weir_note note;
	size_t len;
	FILE *file;

	plugins_build(dir, "probe.so", "-s");
	file = fopen(in_dir("probe.so"), "rb");
	len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	ck_assert_uint_gt(len, 4096);
	for (size_t i = 0; i < 1200; i++) {
		size_t at = i < 600 ? i : len - 1200 + i;
		uint8_t old = bytes[at];
		struct elf elf;
		const char *why;
		size_t n = 0;
		int fd;

		bytes[at] = (uint8_t)(i % 2 ? 0xff : old ^ 0x80);
		write_file(in_dir("bad.so"), bytes, i % 3 ? len : at);
		bytes[at] = old;
		fd = open(in_dir("bad.so"), O_RDONLY);
		if (elf_open(&elf, fd, &why)) {
			elf_weir_note(&elf, &note);
			while (elf_undefined(&elf, &n))
				;
			for (n = 0; elf_needed(&elf, &n); )
				;
			elf_close(&elf);
		} else {
			ck_assert_ptr_nonnull(why);
		}
		close(fd);
	}
}
END_TEST

/* --- who may have written it (attacks.md 101) ------------------------------------- */

START_TEST(a_file_that_others_can_write_is_refused)
{
	plugins_build(dir, "processors/probe.so", "");
	ck_assert_int_eq(chmod(in_dir("processors/probe.so"), 0666), 0);
	refused(find(WEIR_PROCESSOR, "probe"), "is writable for everybody");
	ck_assert_int_eq(chmod(in_dir("processors/probe.so"), 0644), 0);
	ck_assert_int_eq(chmod(in_dir("processors"), 0777), 0);
	refused(find(WEIR_PROCESSOR, "probe"), "is writable for everybody");
	ck_assert_int_eq(chmod(in_dir("processors"), 01777), 0);
	ck_assert_ptr_nonnull(find(WEIR_PROCESSOR, "probe"));
}
END_TEST

START_TEST(the_owners_private_group_may_write)
{
	struct group *group = getgrgid(getegid());
	struct passwd *user = getpwuid(geteuid());

	if (!group || !user || strcmp(group->gr_name, user->pw_name))
		return;		/* no private groups on this system */
	plugins_build(dir, "processors/probe.so", "");
	ck_assert_int_eq(chown(in_dir("processors/probe.so"), (uid_t)-1,
			       getegid()), 0);
	ck_assert_int_eq(chmod(in_dir("processors/probe.so"), 0664), 0);
	ck_assert_msg(find(WEIR_PROCESSOR, "probe") != NULL, "%s", error.text);
}
END_TEST

START_TEST(a_foreign_owner_and_a_shared_group_are_refused)
{
	plugins_build(dir, "processors/probe.so", "");
	if (geteuid() != 0)
		return;		/* only root can give files away */
	ck_assert_int_eq(chown(in_dir("processors/probe.so"), 12345,
			       (gid_t)-1), 0);
	refused(find(WEIR_PROCESSOR, "probe"), "belongs to user 12345");
	ck_assert_int_eq(chown(in_dir("processors/probe.so"), 0, 12345), 0);
	ck_assert_int_eq(chmod(in_dir("processors/probe.so"), 0664), 0);
	refused(find(WEIR_PROCESSOR, "probe"), "is writable for group 12345");
}
END_TEST

START_TEST(a_symlink_is_judged_by_where_it_leads)
{
	char safe[64], there[80];

	plugins_dir(safe, sizeof(safe));
	plugins_build(safe, "probe.so", "");
	snprintf(there, sizeof(there), "%s/probe.so", safe);
	ck_assert_int_eq(symlink(there, in_dir("processors/probe.so")), 0);
	ck_assert_int_eq(chmod(safe, 0777), 0);
	refused(find(WEIR_PROCESSOR, "probe"), "is writable for everybody");
	ck_assert_int_eq(chmod(safe, 0755), 0);
	ck_assert_msg(find(WEIR_PROCESSOR, "probe") != NULL, "%s", error.text);
	plugins_remove(safe);
}
END_TEST

START_TEST(directories_come_from_the_flag_then_the_environment)
{
	char *dirs = loader_default_dirs("/a:/b");

	ck_assert_str_eq(dirs, "/a:/b");
	free(dirs);
	setenv("WEIR_PLUGIN_PATH", "/c", 1);
	dirs = loader_default_dirs(NULL);
	ck_assert_str_eq(dirs, "/c");
	free(dirs);
	unsetenv("WEIR_PLUGIN_PATH");
	dirs = loader_default_dirs(NULL);
	ck_assert_ptr_nonnull(strstr(dirs, "/plugins:"));
	ck_assert_ptr_nonnull(strstr(dirs, "/lib/weir/plugins"));
	free(dirs);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loader");
	TCase *tests = tcase_create("all");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tests);
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_plugin_is_found_by_type_and_by_alias);
	tcase_add_test(tests, what_is_not_there_is_said_with_the_nearest_type);
	tcase_add_test(tests, the_first_directory_wins);
	tcase_add_loop_test(tests,
		a_wrong_plugin_is_refused_before_any_code_of_it_runs, 0,
		COUNT(lies));
	tcase_add_test(tests, a_right_plugin_does_run);
	tcase_add_loop_test(tests,
		a_descriptor_that_is_not_what_its_note_says_is_refused, 0,
		COUNT(late));
	tcase_add_test(tests, files_that_are_no_elf_are_refused);
	tcase_add_test(tests, a_damaged_elf_file_is_read_with_care);
	tcase_add_test(tests, a_file_that_others_can_write_is_refused);
	tcase_add_test(tests, the_owners_private_group_may_write);
	tcase_add_test(tests, a_foreign_owner_and_a_shared_group_are_refused);
	tcase_add_test(tests, a_symlink_is_judged_by_where_it_leads);
	tcase_add_test(tests,
		directories_come_from_the_flag_then_the_environment);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
