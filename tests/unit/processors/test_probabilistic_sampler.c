/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The probabilistic sampler: one item a row, its configuration, its counters,
 * and what the Collector made of the same items.
 */
#include <jansson.h>

#include "sampler_box.h"

#define ID "0af7651916cd43dd8448eb211c80319c"	/* R 48eb211c80319c */
#define FF "ffffffffffffffffffffffffffffffff"
#define NO_ID ""
#define ZERO "00000000000000000000000000000000"
#define OPEN "fail_closed: false\n"
#define PCT(p) "sampling_percentage: " p "\n"
#define EQUAL "mode: equalizing\n"
#define SHARE "mode: proportional\n"

struct row {
	const char *why, *yaml, *id, *carries, *want;	/* want NULL: dropped */
};

/* --- Spans -------------------------------------------------------------------- */

/* carries: the trace state, then behind a bar attributes. */
static const struct row spans[] = {
	{ "the hash, as a randomness", PCT("100"), ID, "",
	  "ot=rv:886c204b10dde4;th:0" },
	{ "of another id", PCT("100"), FF, "", "ot=rv:aae80a44919545;th:0" },
	{ "with a seed", PCT("100") "hash_seed: 22", ID, "",
	  "ot=rv:f984040d03019e;th:0" },
	{ "of another id with a seed", PCT("100") "hash_seed: 22", FF, "",
	  "ot=rv:693000ed3b65b3;th:0" },
	{ "a seed leaves the mode", PCT("100") EQUAL "hash_seed: 22", ID, "",
	  "ot=th:0" },
	/* 7652 of 16384 is 46.704 %: s = 7652 drops, 7653 keeps. */
	{ "just dropped", PCT("46.704"), ID, "", NULL },
	{ "just kept", PCT("46.711"), ID, "",
	  "ot=rv:886c204b10dde4;th:886c" },
	{ "5445 of 16384", PCT("33.234"), FF, "", NULL },
	{ "5446 of 16384", PCT("33.24"), FF, "",
	  "ot=rv:aae80a44919545;th:aae8" },
	{ "a quarter", PCT("50"), ID, "", "ot=rv:886c204b10dde4;th:8" },
	{ "less than one of 16384 is none", PCT("0.0061"), ID, "", NULL },
	{ "more than all is all", PCT("150"), ID, "",
	  "ot=rv:886c204b10dde4;th:0" },
	{ "nothing is kept of nothing", "", ID, "", NULL },
	{ "hash_seed by name", PCT("50") "mode: hash_seed", ID, "a=1",
	  "ot=rv:886c204b10dde4;th:8,a=1" },
	{ "hash: rv is in use", PCT("100"), ID, "ot=rv:0123456789abcd", NULL },
	{ "hash: rv is in use, kept as it is", PCT("100") OPEN, ID,
	  "a=1,ot=rv:0123456789abcd", "a=1,ot=rv:0123456789abcd" },
	{ "hash: th is in use", PCT("100"), ID, "ot=th:0", NULL },
	{ "hash: th is in use, kept as it is", PCT("100") OPEN, ID,
	  " ot=th:00", " ot=th:00" },
	{ "hash: no id", PCT("100"), NO_ID, "", NULL },
	{ "hash: no id, kept", PCT("0.1") OPEN, ZERO, "",
	  "ot=rv:ffffffffffffff;th:0" },
	{ "hash: unreadable, kept as it is", PCT("1") OPEN, ID, "A=1", "A=1" },

	{ "equalizing a quarter", EQUAL PCT("25"), FF, "", "ot=th:c" },
	{ "below it", EQUAL PCT("25"), ID, "", NULL },
	/* 0x48eb... of 0x100...: kept from 71.52 % on. */
	{ "its own randomness", EQUAL PCT("72"), ID, "", "ot=th:47ae" },
	{ "just too little", EQUAL PCT("71.5"), ID, "", NULL },
	{ "the rv it carries", EQUAL PCT("25"), ID, "ot=rv:c0000000000000",
	  "ot=rv:c0000000000000;th:c" },
	{ "rv below the threshold", EQUAL PCT("25"), FF,
	  "ot=rv:bfffffffffffff", NULL },
	{ "a rv in capitals stays so", EQUAL PCT("25"), ID,
	  "ot=rv:FFFFFFFFFFFFFF", "ot=rv:FFFFFFFFFFFFFF;th:c" },
	{ "a greater threshold stays", EQUAL PCT("50"), FF, "ot=th:c",
	  "ot=th:c" },
	{ "a lesser one is raised", EQUAL PCT("25"), FF, "ot=th:8", "ot=th:c" },
	{ "above its randomness", EQUAL PCT("100"), ID, "ot=th:8", NULL },
	{ "as great as its randomness", EQUAL PCT("100"), ID,
	  "ot=rv:80000000000000;th:8", "ot=rv:80000000000000;th:8" },
	{ "above its randomness, kept", EQUAL PCT("1") OPEN, ID,
	  "ot=th:8;x:1,a=1", "ot=th:0;x:1,a=1" },
	{ "no id, but rv", EQUAL PCT("50"), NO_ID, "ot=rv:80000000000000",
	  "ot=rv:80000000000000;th:8" },
	{ "no id", EQUAL PCT("50"), NO_ID, "", NULL },
	{ "no id, kept", EQUAL PCT("1") OPEN, NO_ID, "a=1", "ot=th:0,a=1" },
	{ "from_attribute is not used", EQUAL PCT("50") "from_attribute: u",
	  NO_ID, "|u=s:abc", NULL },
	{ "unreadable", EQUAL PCT("100"), FF, "ot=th:x", NULL },
	{ "unreadable, kept", EQUAL PCT("1") OPEN, FF, " ot=th:x", " ot=th:x" },
	{ "blanks go", EQUAL PCT("100"), FF, " b=2 , a=1", "ot=th:0,b=2,a=1" },

	{ "a third", EQUAL PCT("33.333"), FF, "", "ot=th:aaab" },
	{ "one in a thousand", EQUAL PCT("0.1"), FF, "", "ot=th:ffbe77" },
	{ "all but one in a thousand", EQUAL PCT("99.9"), FF, "",
	  "ot=th:004189" },
	{ "a third in one digit", EQUAL PCT("33.333") "sampling_precision: 1",
	  FF, "", "ot=th:b" },
	{ "32 bits of a third, in 14 digits",
	  EQUAL PCT("33.333") "sampling_precision: 14", FF, "",
	  "ot=th:aaaae28f5c28f4" },
	{ "the least share", EQUAL PCT("1.388e-15"), FF, "",
	  "ot=th:ffffffffffffff" },

	{ "half of all", SHARE PCT("50"), FF, "", "ot=th:8" },
	{ "half of a half", SHARE PCT("50"), FF, "ot=th:8", "ot=th:c" },
	{ "half of a quarter", SHARE PCT("50"), FF, "ot=th:c", "ot=th:e" },
	{ "all of a quarter", SHARE PCT("100"), FF, "ot=th:c", "ot=th:c" },
	{ "half a digit is rounded up", SHARE PCT("100"), FF, "ot=th:80008",
	  "ot=th:8001" },
	{ "less is rounded down: as it was", SHARE PCT("100"), FF,
	  "ot=th:80007", "ot=th:80007" },
	{ "half of a half, dropped", SHARE PCT("50"), FF,
	  "ot=rv:bfffffffffffff;th:8", NULL },
	{ "half of next to nothing is nothing", SHARE PCT("50"), FF,
	  "ot=th:ffffffffffffff", NULL },

	{ "priority 0 drops", PCT("100"), ID, "|sampling.priority=i:0", NULL },
	{ "priority 1 keeps", PCT("0"), ID, "|sampling.priority=i:1",
	  "ot=th:0" },
	{ "priority keeps what the hash drops", PCT("1"), ID,
	  "|sampling.priority=i:2", "ot=rv:886c204b10dde4;th:0" },
	{ "priority keeps a greater threshold", EQUAL PCT("1"), FF,
	  "ot=th:c|sampling.priority=d:0.5", "ot=th:c" },
	{ "a negative one has no effect", PCT("0"), ID,
	  "|sampling.priority=i:-1", NULL },
	{ "and does not drop", PCT("100"), ID, "|sampling.priority=d:-0.5",
	  "ot=rv:886c204b10dde4;th:0" },
	{ "a double of 0 drops", PCT("100"), ID, "|sampling.priority=d:-0.0",
	  NULL },
	{ "text of a number keeps", PCT("0"), ID, "|sampling.priority=s:1.5",
	  "ot=th:0" },
	{ "text of 0 drops", PCT("100"), ID, "|sampling.priority=s:0e9",
	  NULL },
	{ "text of none has no effect", PCT("0"), ID,
	  "|sampling.priority=s:yes", NULL },
	{ "a bool has no effect", PCT("0"), ID, "|sampling.priority=b:1",
	  NULL },
	{ "over fail_closed", EQUAL PCT("1"), NO_ID,
	  "|sampling.priority=i:1", "ot=th:0" },
	{ "over fail_closed, unreadable", EQUAL PCT("1"), ID,
	  "A=1|sampling.priority=i:1", "A=1" },
	{ "over fail open", EQUAL PCT("1") OPEN, NO_ID,
	  "|sampling.priority=i:0", NULL },
	{ "the first of two counts", PCT("0"), ID,
	  "|sampling.priority=i:-1 sampling.priority=i:1", NULL },

	{ "0 %, unreadable, kept", PCT("0") OPEN, ID, "A=1", "ot=th:0" },
	{ "0 %, half readable, kept", PCT("0") OPEN, ID, "a=1,ot=rv:x;y:1",
	  "ot=th:0;y:1,a=1" },
	{ "0 %, readable", PCT("0") OPEN, ID, "a=1", NULL },
	{ "0 %, no id", PCT("0") OPEN, NO_ID, "", NULL },
};

/* --- Log records -------------------------------------------------------------- */

#define RV "sampling.randomness=s:"
#define TH "sampling.threshold=s:"

static const struct row logs[] = {
	{ "the hash of the trace id", PCT("50"), ID, "a=i:1",
	  "{a=i:1 " RV "886c204b10dde4 " TH "8}" },
	{ "the text of an attribute",
	  PCT("100") "from_attribute: u\nattribute_source: record", ID,
	  "u=s:abc", "{u=s:abc " RV "4b10026e9bad3b " TH "0}" },
	{ "a number as text",
	  PCT("100") "from_attribute: u\nattribute_source: record", ID,
	  "u=i:7", "{u=i:7 " RV "6de407c5f12486 " TH "0}" },
	{ "a text of the same", PCT("100") "from_attribute: u", NO_ID,
	  "u=s:7", "{u=s:7 " RV "6de407c5f12486 " TH "0}" },
	{ "bytes as they are", PCT("100") "from_attribute: u", NO_ID,
	  "u=y:abc", "{u=y:abc " RV "4b10026e9bad3b " TH "0}" },
	{ "the trace id comes first", PCT("100") "from_attribute: u", ID,
	  "u=s:abc", "{u=s:abc " RV "886c204b10dde4 " TH "0}" },
	{ "an empty attribute is none", PCT("100") "from_attribute: u", NO_ID,
	  "u=s:", NULL },
	{ "neither", PCT("100") "from_attribute: u", NO_ID, "", NULL },
	{ "neither, kept", PCT("100") OPEN, NO_ID, "a=i:1",
	  "{a=i:1 " TH "0}" },
	{ "record without attribute", PCT("100") "attribute_source: record",
	  ID, "", NULL },
	{ "an empty source is record", PCT("100") "attribute_source: ''", ID,
	  "", NULL },
	{ "hash: a threshold is in use", PCT("100"), ID, TH "0", NULL },
	{ "hash: kept as it is", PCT("1") OPEN, ID, RV "0123456789abcd",
	  "{" RV "0123456789abcd}" },
	{ "a randomness that is no text is none", PCT("100"), ID,
	  "sampling.randomness=i:5", "{" RV "886c204b10dde4 " TH "0}" },
	{ "unreadable, kept as it is", PCT("1") OPEN, ID, TH "x",
	  "{" TH "x}" },
	{ "unreadable", PCT("100"), ID, RV "123", NULL },

	{ "equalizing", EQUAL PCT("25"), FF, "a=i:1", "{a=i:1 " TH "c}" },
	{ "in its place", EQUAL PCT("25"), FF, TH "8 a=i:1",
	  "{" TH "c a=i:1}" },
	{ "a greater one stays", EQUAL PCT("25"), FF, TH "e0", "{" TH "e}" },
	{ "as it was, where sampling would lower it",
	  PCT("0") "sampling_priority: p", FF, TH "e0 p=i:25",
	  "{" TH "e0 p=i:25}" },
	{ "by its randomness", EQUAL PCT("50"), ID, RV "80000000000000",
	  "{" RV "80000000000000 " TH "8}" },
	{ "inconsistent", EQUAL PCT("50"), ID, TH "8", NULL },
	{ "inconsistent, kept", EQUAL PCT("50") OPEN, ID, TH "8 a=i:1",
	  "{a=i:1 " TH "0}" },
	{ "half of a half", SHARE PCT("50"), FF, TH "8", "{" TH "c}" },

	{ "a priority instead", PCT("0") "sampling_priority: p", NO_ID,
	  "p=i:25", "{p=i:25 " TH "c}" },
	{ "a double", PCT("0") "sampling_priority: p", NO_ID, "p=d:99.9",
	  "{p=d:99.900000000000006 " TH "004189}" },
	{ "0 does not drop", PCT("100") EQUAL "sampling_priority: p", FF,
	  "p=i:0", "{p=i:0 " TH "0}" },
	{ "0 does not keep", PCT("0") "sampling_priority: p", FF, "p=i:0",
	  NULL },
	{ "too much is ignored", PCT("0") "sampling_priority: p", FF,
	  "p=d:100.5", NULL },
	{ "a negative one is ignored", PCT("0") "sampling_priority: p", FF,
	  "p=i:-1", NULL },
	{ "text is ignored", PCT("0") "sampling_priority: p", FF, "p=s:50",
	  NULL },
	{ "without randomness any keeps", EQUAL PCT("1")
	  "sampling_priority: p", NO_ID, "p=i:1", "{p=i:1 " TH "fd70a}" },
	{ "it may drop as well", PCT("100") "sampling_priority: p", ID,
	  "p=i:1", NULL },
	{ "of spans is not of logs", PCT("0"), FF, "sampling.priority=i:1",
	  NULL },
	{ "0 %, unreadable, kept", PCT("0") OPEN, FF, TH "x", "{" TH "0}" },
	{ "0 %, half readable, kept", PCT("0") OPEN, FF, TH "8 " RV "x",
	  "{" TH "8 " RV "x}" },
};

static void check_row(enum weir_signal signal, const struct row *row,
		      const char *state, const char *attributes)
{
	struct box box = box_open(signal, row->yaml);
	struct box_item item = { .state = state };
	struct bytes fields = { .len = 0 };

	box_id(&item, row->id);
	put_attributes(&fields, signal == WEIR_SIGNAL_TRACES ? 9 : 6,
		       attributes);
	weir_text_add(&item.attributes,
		      (weir_str){ (char *)fields.v, fields.len });
	box_send(&box, &item, 1);
	if (row->want)
		ck_assert_msg(box.kept[0] && !strcmp(box.kept[0], row->want),
			      "%s: %s, not %s", row->why,
			      box.kept[0] ? box.kept[0] : "dropped", row->want);
	else
		ck_assert_msg(!box.kept[0], "%s: %s", row->why, box.kept[0]);
	weir_text_release(&item.attributes);
	box_close(&box);
}

START_TEST(decides_about_a_span)
{
	const char *carries = spans[_i].carries, *bar = strchr(carries, '|');
	char state[256] = "";

	memcpy(state, carries, bar ? (size_t)(bar - carries) : strlen(carries));
	check_row(WEIR_SIGNAL_TRACES, &spans[_i], state, bar ? bar + 1 : "");
}
END_TEST

START_TEST(decides_about_a_log_record)
{
	check_row(WEIR_SIGNAL_LOGS, &logs[_i], NULL, logs[_i].carries);
}
END_TEST

/* --- Configuration ------------------------------------------------------------ */

static const struct {
	const char *yaml, *path, *sentence;
} mistakes[] = {
	{ "sampling_percentage: -1.5", "sampling_percentage",
	  "sampling rate is negative: -1.500000%" },
	{ "sampling_percentage: .nan", "sampling_percentage",
	  "sampling rate is invalid: NaN%" },
	{ "sampling_percentage: .inf", "sampling_percentage",
	  "sampling rate is invalid: +Inf%" },
	{ "sampling_percentage: -.inf", "sampling_percentage",
	  "sampling rate is invalid: -Inf%" },
	{ "sampling_percentage: 1e39", "sampling_percentage",
	  "sampling rate is invalid: +Inf%" },
	{ "sampling_percentage: 1e-16", "sampling_percentage",
	  "sampling rate is too small: 1e-16%" },
	{ "sampling_percentage: 1.2345678e-20", "sampling_percentage",
	  "sampling rate is too small: 1.2345678e-20%" },
	{ "mode: x", "mode", "unsupported sampler mode \"x\"" },
	{ "attribute_source: x", "attribute_source",
	  "invalid attribute source: x. Expected: traceID or record" },
	{ "sampling_precision: 0", "sampling_precision",
	  "invalid sampling precision: 0" },
	{ "sampling_precision: -1", "sampling_precision",
	  "invalid sampling precision: -1" },
	{ "sampling_precision: 15", "sampling_precision",
	  "sampling precision is too great, should be <= 14: 15" },
};

START_TEST(refuses_as_the_collector_does)
{
	expect_refused("probabilistic_sampler", mistakes[_i].yaml, WEIR_TRACES,
		       mistakes[_i].path, mistakes[_i].sentence);
}
END_TEST

/* --- Counters ----------------------------------------------------------------- */

struct counted {
	char text[1024];
};

static void show_counters(struct weir_component *c, void *arg,
			  const struct weir_family *families, size_t n)
{
	static const char prefix[] = "otelcol_processor_probabilistic_sampler_";
	struct counted *counted = arg;
	size_t len = 0;

	(void)c;
	for (size_t i = 0; i < n; i++) {
		weir_str name = families[i].name;

		if (name.len < sizeof(prefix) - 1 ||
		    memcmp(name.ptr, prefix, sizeof(prefix) - 1))
			continue;
		for (size_t j = 0; j < families[i].n_samples; j++) {
			const struct weir_sample *s = &families[i].samples[j];

			len += (size_t)snprintf(
				counted->text + len,
				sizeof(counted->text) - len, "%.*s",
				(int)(name.len - sizeof(prefix) + 1),
				name.ptr + sizeof(prefix) - 1);
			for (size_t k = 0; k < s->n_labels; k++)
				len += (size_t)snprintf(
					counted->text + len,
					sizeof(counted->text) - len,
					" %.*s=%.*s",
					WEIR_STR_FMT(s->labels[k].name),
					WEIR_STR_FMT(s->labels[k].value));
			len += (size_t)snprintf(
				counted->text + len,
				sizeof(counted->text) - len, " %llu\n",
				(unsigned long long)s->counter);
		}
	}
}

#define TRACES(policy, sampled, n) "count_traces_sampled policy=" policy \
	" sampled=" sampled " " n "\n"
#define LOGS(policy, sampled, n) "count_logs_sampled policy=" policy \
	" sampled=" sampled " " n "\n"

/* Three items: ID, FF, and one without an id, which has `attributes`. */
static const struct {
	const char *why, *yaml, *attributes, *want;
	enum weir_signal signal;
} counters[] = {
	{ "hashes", PCT("40"), "",
	  TRACES("trace_id_hash", "false", "1")
	  TRACES("trace_id_hash", "true", "1")
	  TRACES("missing_randomness", "false", "1"), WEIR_SIGNAL_TRACES },
	{ "trace ids", EQUAL PCT("40"), "",
	  TRACES("trace_id_w3c", "false", "1")
	  TRACES("trace_id_w3c", "true", "1")
	  TRACES("missing_randomness", "false", "1"), WEIR_SIGNAL_TRACES },
	{ "priorities", EQUAL PCT("40"), "sampling.priority=i:1",
	  TRACES("trace_id_w3c", "false", "1")
	  TRACES("trace_id_w3c", "true", "1")
	  TRACES("sampling_priority", "true", "1"), WEIR_SIGNAL_TRACES },
	{ "nothing of nothing", PCT("0"), "",
	  TRACES("sampling_priority", "false", "3"), WEIR_SIGNAL_TRACES },
	{ "an attribute", PCT("100") "from_attribute: u", "u=s:abc",
	  LOGS("trace_id_hash", "true", "2") LOGS("u", "true", "1"),
	  WEIR_SIGNAL_LOGS },
	{ "an attribute called like a label",
	  PCT("100") "from_attribute: trace_id_hash", "trace_id_hash=s:abc",
	  LOGS("trace_id_hash", "true", "3"), WEIR_SIGNAL_LOGS },
	{ "its own randomness", EQUAL PCT("100"), RV "ffffffffffffff",
	  LOGS("trace_id_w3c", "true", "2")
	  LOGS("sampling_randomness", "true", "1"), WEIR_SIGNAL_LOGS },
};

START_TEST(counts_by_policy_and_outcome)
{
	enum weir_signal signal = counters[_i].signal;
	struct box box = box_open(signal, counters[_i].yaml);
	struct box_item items[3] = { { .has_id = false } };
	struct bytes fields = { .len = 0 };
	struct counted counted = { "" };

	box_id(&items[0], ID);
	box_id(&items[1], FF);
	put_attributes(&fields, signal == WEIR_SIGNAL_TRACES ? 9 : 6,
		       counters[_i].attributes);
	weir_text_add(&items[2].attributes,
		      (weir_str){ (char *)fields.v, fields.len });
	box_send(&box, items, 3);
	weir_metrics_snapshot(weir_test_component(box.test), show_counters,
			      &counted);
	weir_test_run(box.test);
	for (const char *p = counters[_i].want; *p; p = strchr(p, '\n') + 1) {
		char line[128] = "";

		memcpy(line, p, (size_t)(strchr(p, '\n') - p) + 1);
		ck_assert_msg(strstr(counted.text, line) != NULL, "%s: %s",
			      counters[_i].why, counted.text);
	}
	ck_assert_uint_eq(strlen(counted.text), strlen(counters[_i].want));
	weir_text_release(&items[2].attributes);
	box_close(&box);
}
END_TEST

/* --- What the Collector made of them ------------------------------------------ */

static json_t *corpus(void)
{
	json_error_t error;
	json_t *all = json_load_file("tests/data/probabilistic_sampler.json",
				     0, &error);

	ck_assert_msg(all != NULL, "%d: %s", error.line, error.text);
	return all;
}

static const char *member(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void add_recorded(enum weir_signal signal, struct box_item *item,
			 const json_t *triple)
{
	const char *kind = json_string_value(json_array_get(triple, 1));
	const char *text = json_string_value(json_array_get(triple, 2));
	struct weir_value value = { .type = WEIR_VALUE_STRING,
				    .str = weir_str_of(text) };
	char raw[64];

	if (*kind == 'i') {
		value.type = WEIR_VALUE_INT;
		value.integer = strtoll(text, NULL, 10);
	} else if (*kind == 'd') {
		value.type = WEIR_VALUE_DOUBLE;
		value.real = strtod(text, NULL);
	} else if (*kind == 'b') {
		value.type = WEIR_VALUE_BOOL;
		value.boolean = *text == '1';
	} else if (*kind == 'y') {
		value.type = WEIR_VALUE_BYTES;
		value.str = (weir_str){ raw, strlen(text) / 2 };
		ck_assert_uint_le(value.str.len, sizeof(raw));
		for (size_t i = 0; i < value.str.len; i++) {
			unsigned byte;

			sscanf(text + 2 * i, "%2x", &byte);
			raw[i] = (char)byte;
		}
	}
	text = json_string_value(json_array_get(triple, 0));
	box_attribute(signal, item, text, &value);
}

static size_t read_recorded(enum weir_signal signal, const json_t *list,
			    struct box_item *items)
{
	size_t i, j;
	json_t *each, *triple;

	json_array_foreach(list, i, each) {
		items[i] = (struct box_item){ .state = member(each, "state") };
		box_id(&items[i], member(each, "id"));
		json_array_foreach(json_object_get(each, "attributes"), j,
				   triple)
			add_recorded(signal, &items[i], triple);
	}
	return json_array_size(list);
}

/* "key=s:text" of a recorded attribute of what was kept. */
static void show_recorded(const json_t *triple, struct weir_text *out)
{
	const char *kind = json_string_value(json_array_get(triple, 1));
	const char *text = json_string_value(json_array_get(triple, 2));
	double real;
	uint64_t bits;

	weir_text_addf(out, "%s=%s:",
		       json_string_value(json_array_get(triple, 0)), kind);
	if (*kind == 'd') {
		bits = strtoull(text, NULL, 16);
		memcpy(&real, &bits, sizeof(real));
		weir_text_addf(out, "%.17g", real);
	} else if (*kind == 'y') {
		for (; *text; text += 2) {
			char byte;

			byte = (char)strtoul((char[]){ text[0], text[1], 0 },
					     NULL, 16);
			weir_text_add(out, (weir_str){ &byte, 1 });
		}
	} else {
		weir_text_addf(out, "%s", text);
	}
}

/* Each of the attributes occurs, and nothing else does. */
static void check_attributes(const char *got, const json_t *want)
{
	size_t i, len = 2;	/* the braces; then a blank after each */
	json_t *triple;

	json_array_foreach(want, i, triple) {
		struct weir_text text = { 0 };

		show_recorded(triple, &text);
		len += text.len + (i != 0);
		/* What was bytes may hold a NUL. */
		weir_text_add(&text, (weir_str){ "", 1 });
		ck_assert_msg(strstr(got, text.ptr) != NULL, "%s: no %s", got,
			      text.ptr);
		if (strlen(text.ptr) + 1 < text.len)
			len = SIZE_MAX / 2;
		weir_text_release(&text);
	}
	if (len < SIZE_MAX / 2)
		ck_assert_msg(strlen(got) == len, "%s", got);
}

static void check_kept(const struct box *box, const json_t *want, size_t n)
{
	size_t i;
	json_t *pair;

	for (i = 0; i < n; i++) {
		const json_t *result = NULL;
		size_t j;

		json_array_foreach(want, j, pair)
			if (json_integer_value(json_array_get(pair, 0)) ==
			    (json_int_t)i)
				result = json_array_get(pair, 1);
		ck_assert_msg(!result == !box->kept[i], "item %zu: %s", i,
			      box->kept[i] ? box->kept[i] : "dropped");
		if (result && json_is_string(result))
			ck_assert_str_eq(box->kept[i],
					 json_string_value(result));
		else if (result)
			check_attributes(box->kept[i], result);
	}
}

static void replay(enum weir_signal signal, const char *name)
{
	static struct box_item items[BOX_ITEMS];
	json_t *all = corpus(), *run;
	size_t n = read_recorded(signal, json_object_get(all, name), items), i;

	json_array_foreach(json_object_get(all, "runs"), i, run) {
		struct box box = box_open(signal, member(run, "yaml"));

		box_send(&box, items, n);
		check_kept(&box, json_object_get(run, name), n);
		box_close(&box);
	}
	ck_assert_uint_ge(i, 10);
	for (i = 0; i < n; i++)
		weir_text_release(&items[i].attributes);
	json_decref(all);
}

START_TEST(does_to_spans_what_the_collector_did)
{
	replay(WEIR_SIGNAL_TRACES, "spans");
}
END_TEST

START_TEST(does_to_log_records_what_the_collector_did)
{
	replay(WEIR_SIGNAL_LOGS, "logs");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("processors/probabilistic_sampler");
	TCase *c = tcase_create("probabilistic_sampler");
	SRunner *r = srunner_create(s);
	int failed;

	tcase_set_timeout(c, 120);
	EACH(decides_about_a_span, spans);
	EACH(decides_about_a_log_record, logs);
	EACH(refuses_as_the_collector_does, mistakes);
	EACH(counts_by_policy_and_outcome, counters);
	tcase_add_test(c, does_to_spans_what_the_collector_did);
	tcase_add_test(c, does_to_log_records_what_the_collector_did);
	suite_add_tcase(s, c);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed != 0;
}
