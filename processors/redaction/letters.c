/* SPDX-License-Identifier: Apache-2.0 */
/*
 * letters.c: does a word of letters look like chance?
 *
 * Holds a table: how rare one letter is behind another, counted in English
 * prose and in names that programs use.  A word whose pairs are rare on the
 * average is no word.  Digits, dashes and dots do not count.
 */
#include "sanitize.h"

#define LETTERS 27	/* a to z, blank */
#define RARE 11		/* on the average, from here on: 5.5 bits a pair */

/* [first][second]: 'a' + twice the bits that the second letter tells behind
 * the first; 'z' is as rare as it gets. */
static const char pairs[LETTERS][LETTERS + 1] = {
	"wjhjtpkwjungjhzjwgiflnpqmsk",
	"gqlngspvhlwfpqhnzjjoguxzkwh",
	"humrgswhkzijpsequkngksuzozi",
	"jprlerrtgstmsqjrvmkpktytozd",
	"kqihmmntpwsjkhrloggjrmpkqwf",
	"hwrphiqvezujoogqxjmlizwxlzh",
	"ktpsfuljizzlmjkrzikokruztqd",
	"fuwrezywgztmnpgqykojlyzznyf",
	"klikjljztzrijehltkihukznzmm",
	"gzpmeozzkrruvzflzvizgplzozg",
	"ktwmeslzhsukvlootnhokukztzd",
	"hpqkfprufxthsqhnzrkklptzjyg",
	"fkroewtzhzrmkqigztkokvzzrzh",
	"itihhlgrjvnoqmjqvthfmmwyqyf",
	"mljjrnmwmsmjiekjufjjilkqutj",
	"guoogrrmjzphqshjyflilztylzh",
	"lzzrzzzzzzzlrnzrumjvbszzzzg",
	"hqmlepmshznnkmhozlijmorzlzf",
	"lwlrgqskizpnqqkkssigjspwnzd",
	"hsmofpwifztmptjpzhjkluqtkuf",
	"kjjmjmlzjzzhignizghguyzrzvn",
	"fwnzcupzgzzxqsjpzxqvtvzzvzh",
	"frulhsxhgzrmvihvzhjsxxpzzzf",
	"joiogozqhzzpmupextnfrxzoosf",
	"nqoslsnzkwzlkklhvojjzqnyusb",
	"gzzvcozzgzzmlqktznkptzzzooh",
	"ijhiijlljqojjlkhqihjlmkqqqz",
};

/* -1: does not count. */
static int letter(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	return c == ' ' ? LETTERS - 1 : -1;
}

bool letters_by_chance(weir_str word)
{
	size_t n = 0, sum = 0;
	int before = -1;

	for (size_t i = 0; i < word.len; i++) {
		int here = letter(word.ptr[i]);

		if (here < 0)
			continue;
		if (before >= 0) {
			sum += (size_t)(pairs[before][here] - 'a');
			n++;
		}
		before = here;
	}
	return n && sum >= RARE * n;
}
