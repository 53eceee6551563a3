// SPDX-License-Identifier: Apache-2.0
/*
 * shim.cc: RE2 behind a table of C functions (shim.h).
 *
 * Holds nothing: a compiled pattern belongs to the caller.  No exception ever
 * leaves it.  Errors are worded as Go's regexp package words them, because
 * that is what users of the Collector know.
 */
#include "shim.h"

#include <re2/re2.h>

#include <time.h>

#include <cstdio>
#include <memory>
#include <new>
#include <vector>

namespace {

using re2::StringPiece;

const char *go_text(RE2::ErrorCode code)
{
	switch (code) {
	case RE2::ErrorBadEscape: return "invalid escape sequence";
	case RE2::ErrorBadCharClass: return "invalid character class";
	case RE2::ErrorBadCharRange: return "invalid character class range";
	case RE2::ErrorMissingBracket: return "missing closing ]";
	case RE2::ErrorMissingParen: return "missing closing )";
	case RE2::ErrorUnexpectedParen: return "unexpected )";
	case RE2::ErrorTrailingBackslash:
		return "trailing backslash at end of expression";
	case RE2::ErrorRepeatArgument:
		return "missing argument to repetition operator";
	case RE2::ErrorRepeatSize: return "invalid repeat count";
	case RE2::ErrorRepeatOp: return "invalid nested repetition operator";
	case RE2::ErrorBadPerlOp: return "invalid or unsupported Perl syntax";
	case RE2::ErrorBadUTF8: return "invalid UTF-8";
	case RE2::ErrorBadNamedCapture: return "invalid named capture";
	case RE2::ErrorPatternTooLarge: return "expression too large";
	default: return "regexp/syntax: internal error";
	}
}

/* RE2's budget for one pattern: its program, and the states it remembers while
 * it matches.  The large one only for what does not fit the usual one, which
 * Go would take. */
const int64_t budgets[] = { 8 << 20, 256 << 20 };

RE2 *build(const StringPiece &pattern)
{
	std::unique_ptr<RE2> re;

	for (int64_t budget : budgets) {
		RE2::Options options;

		options.set_log_errors(false);
		options.set_max_mem(budget);
		re.reset(new RE2(pattern, options));
		if (re->error_code() != RE2::ErrorPatternTooLarge)
			break;
	}
	return re.release();
}

/* Go says what is wrong with which piece; of a parenthesis the piece is the
 * whole pattern, which the caller knows better (it took the names out). */
void explain(const RE2 &re, char *error, size_t room)
{
	const char *what = go_text(re.error_code());

	if (re.error_code() == RE2::ErrorMissingParen ||
	    re.error_code() == RE2::ErrorUnexpectedParen)
		snprintf(error, room, "%s", what);
	else
		snprintf(error, room, "%s: `%s`", what,
			 re.error_arg().c_str());
}

void *compile(const char *pattern, size_t len, char *error, size_t room)
try {
	std::unique_ptr<RE2> re(build(StringPiece(pattern, len)));

	if (re->ok())
		return re.release();
	explain(*re, error, room);
	return nullptr;
} catch (const std::bad_alloc &) {
	snprintf(error, room, "expression too large");
	return nullptr;
}

void release(void *re)
{
	delete static_cast<RE2 *>(re);
}

int groups(const void *re)
{
	return static_cast<const RE2 *>(re)->NumberOfCapturingGroups();
}

/* Go's empty match has a place; RE2 gives a group that took no part a null
 * pointer, an empty one a place. */
void put(const char *text, const StringPiece &from, struct weirre2_group *to)
{
	if (!from.data()) {
		to->start = to->end = WEIRRE2_NONE;
		return;
	}
	to->start = static_cast<size_t>(from.data() - text);
	to->end = to->start + from.size();
}

uint64_t cpu_ns()
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return static_cast<uint64_t>(t.tv_sec) * 1000000000u +
		static_cast<uint64_t>(t.tv_nsec);
}

/* RE2 reads a byte in 2 ns, as long as the states of its automaton fit its
 * memory.  Where a text makes ever new ones ([ab]*a[ab]{20}), it makes one a
 * byte, or goes through the program itself: 0.3 to 6 us a byte.  Nothing that
 * it offers tells, so a long text is read in pieces first, which also makes
 * the states, and what takes ten times too long is not read on. */
const size_t long_text = 16 << 10, piece = 2 << 10;
const uint64_t ns_ahead = 20 * 1000000, ns_byte = 20;

bool is_too_slow(const RE2 &re, const char *text, size_t len)
{
	uint64_t begun = cpu_ns();

	for (size_t at = 0; at < len; at += piece) {
		size_t end = len - at > piece ? at + piece : len;

		re.Match(StringPiece(text, len), at, end, RE2::UNANCHORED,
			 nullptr, 0);
		if (cpu_ns() - begun > ns_ahead + end * ns_byte)
			return true;
	}
	return false;
}

int search(const void *re, const char *text, size_t len, size_t from,
	   struct weirre2_group *out, size_t n)
try {
	StringPiece few[8];
	std::vector<StringPiece> many;
	StringPiece *got = few;

	/* of all that is found in a text the first search is the one */
	if (!from && len >= long_text &&
	    is_too_slow(*static_cast<const RE2 *>(re), text, len))
		return -1;
	if (n > sizeof(few) / sizeof(few[0])) {
		many.resize(n);
		got = many.data();
	}
	if (!static_cast<const RE2 *>(re)->Match(StringPiece(text, len), from,
			len, RE2::UNANCHORED, got, static_cast<int>(n)))
		return 0;
	for (size_t i = 0; i < n; i++)
		put(text, got[i], &out[i]);
	return 1;
} catch (const std::bad_alloc &) {
	return -1;
}

} // namespace

extern "C" __attribute__((visibility("default"))) const struct weirre2 weirre2 = {
	WEIRRE2_VERSION, compile, release, groups, search,
};
