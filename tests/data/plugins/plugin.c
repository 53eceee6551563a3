/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plugin whose facts and vices are chosen by -D: what the loader and the
 * plan are tested with.  It calls nothing of weir, so that it loads anywhere.
 *
 *	KIND TYPE ALIASES SIGNALS	what it is
 *	NOTE_MAGIC, NOTE_MAJOR ...	lies of its note
 *	PLUGIN_MAJOR			a lie of its descriptor
 *	CONSTRUCTOR=path, IFUNC=path	code that would run, and tell by a file
 *	CALLS=name			a function that it needs
 *	PLACEMENT, ADMITS		where it lives; an admission
 *	NO_NOTE, NO_ENTRY		what it leaves out
 */
#include <weir/plugin.h>

#include <stdio.h>
#include <stdlib.h>

#ifndef KIND
#define KIND WEIR_PROCESSOR
#endif
#ifndef TYPE
#define TYPE "probe"
#endif
#ifndef ALIASES
#define ALIASES ""
#endif
#ifndef SIGNALS
#define SIGNALS WEIR_ALL_SIGNALS
#endif
#ifndef NOTE_MAGIC
#define NOTE_MAGIC WEIR_MAGIC
#endif
#ifndef NOTE_MAJOR
#define NOTE_MAJOR WEIR_ABI_MAJOR
#endif
#ifndef NOTE_MINOR
#define NOTE_MINOR WEIR_ABI_MINOR
#endif
#ifndef NOTE_SIZE
#define NOTE_SIZE sizeof(struct weir_plugin)
#endif
#ifndef NOTE_VIEWS
#define NOTE_VIEWS WEIR_VIEWS
#endif
#ifndef NOTE_TYPE
#define NOTE_TYPE TYPE
#endif
#ifndef PLUGIN_MAJOR
#define PLUGIN_MAJOR WEIR_ABI_MAJOR
#endif

#if defined(CONSTRUCTOR) || defined(IFUNC)
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#ifdef CONSTRUCTOR
__attribute__((constructor)) static void tell(void)
{
	close(open(CONSTRUCTOR, O_CREAT | O_WRONLY, 0600));
}
#endif

#ifdef IFUNC
/* Runs while the dynamic linker relocates: no libc yet, a bare system call. */
static int nothing(void)
{
	return 0;
}

static long make_file(const char *path)
{
	long result = SYS_open;
	register long flags __asm__("rsi") = O_CREAT | O_WRONLY;
	register long mode __asm__("rdx") = 0600;

	__asm__ volatile("syscall" : "+a"(result)
			 : "D"(path), "r"(flags), "r"(mode)
			 : "rcx", "r11", "memory");
	return result;
}

static int (*resolve(void))(void)
{
	make_file(IFUNC);
	return nothing;
}

int chosen(void) __attribute__((ifunc("resolve")));
int (*volatile chosen_by)(void) = chosen;
#endif

#ifdef CALLS
extern int CALLS(void);
int calls(void);
int calls(void)
{
	return CALLS();
}
#endif

struct probe {
	struct weir_component base;
	weir_str endpoint;
	weir_duration timeout;
	bool fail;
	weir_str host;
	uint32_t port;
	bool without_units, without_type_suffix, without_scope_info;
	void *kept;
};

static const struct weir_field fields[] = {
	WEIR_FIELD(struct probe, endpoint, "localhost:1", "Address."),
	WEIR_FIELD(struct probe, timeout, "5s", "Time."),
	WEIR_FIELD(struct probe, fail, "false", "Refuse to be validated."),
	WEIR_FIELD(struct probe, host, "", "Of the scrape page."),
	WEIR_FIELD(struct probe, port, "0", "Of the scrape page."),
	WEIR_FIELD(struct probe, without_units, "false", "Flag."),
	WEIR_FIELD(struct probe, without_type_suffix, "false", "Flag."),
	WEIR_FIELD(struct probe, without_scope_info, "false", "Flag."),
	WEIR_END
};

/* Keeps memory from here on; the leak checker sees whether destroy ran. */
static int validate(struct weir_component *c, struct weir_error *error)
{
	struct probe *self = WEIR_SELF(c, struct probe);

	self->kept = malloc(16);
	if (!self->fail)
		return 0;
	*error = (struct weir_error){ .path = "fail" };
	snprintf(error->text, sizeof(error->text), "refused by %s", c->id);
	return -1;
}

static void destroy(struct weir_component *c)
{
	free(WEIR_SELF(c, struct probe)->kept);
}

#ifdef ADMITS
static bool admit(struct weir_component *c, const struct weir_batch *batch,
		  struct weir_outcome *refused)
{
	(void)c, (void)batch, (void)refused;
	return true;
}
#endif

#ifndef NO_NOTE
static const struct weir_note weir_note WEIR_NOTE_ATTR = {
	.namesz = 5, .descsz = WEIR_NOTE_DESCSZ, .type = 1, .name = "Weir",
	.magic = NOTE_MAGIC, .major = NOTE_MAJOR, .minor = NOTE_MINOR,
	.size = NOTE_SIZE, .views = NOTE_VIEWS, .kind = KIND,
	.plugin_type = NOTE_TYPE, .aliases = ALIASES,
};
#endif

#ifdef NO_ENTRY
#define ENTRY another_name
#else
#define ENTRY weir_plugin
#endif
extern WEIR_API const struct weir_plugin ENTRY;
const struct weir_plugin ENTRY = {
	.abi = { WEIR_MAGIC, PLUGIN_MAJOR, WEIR_ABI_MINOR,
		 sizeof(struct weir_plugin), WEIR_VIEWS },
	.kind = KIND, .type = TYPE, .aliases = ALIASES,
	.about = "A probe.", .signals = SIGNALS,
	.stability = WEIR_STABILITY_BETA, .size = sizeof(struct probe),
	.fields = fields, .validate = validate, .destroy = destroy,
#ifdef PLACEMENT
	.placement = PLACEMENT,
#endif
#ifdef ADMITS
	.admit = admit,
#endif
};
