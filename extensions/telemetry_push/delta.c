/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delta.c: snapshots as differences to what was sent last.
 *
 * Holds the values that arrived, one per series, and those under way.  A series
 * is known by a hash of its family and labels.  It must never lose a count:
 * what did not arrive is in the next difference.
 */
#include "delta.h"

#include <stdlib.h>

struct delta_value {
	uint64_t series;
	union {
		uint64_t counter;
		double real;
	};
	weir_histogram histogram;
};

/* --- Series ------------------------------------------------------------- */

/* FNV-1a, and the length, so that neighbours do not run together. */
static uint64_t hash(uint64_t h, weir_str text)
{
	for (size_t i = 0; i < text.len; i++)
		h = (h ^ (uint8_t)text.ptr[i]) * UINT64_C(0x100000001b3);
	return (h ^ text.len) * UINT64_C(0x100000001b3);
}

static uint64_t series_of(const struct weir_family *family,
			  const struct weir_sample *sample)
{
	uint64_t h = hash(UINT64_C(0xcbf29ce484222325), family->name);

	for (size_t i = 0; i < sample->n_labels; i++) {
		h = hash(h, sample->labels[i].name);
		h = hash(h, sample->labels[i].value);
	}
	return h;
}

/* What arrived of a series; NULL: nothing yet.  Series come in much the same
 * order each time: *from is where the last one was. */
static const struct delta_value *find(const struct delta *delta,
				      uint64_t series, size_t *from)
{
	for (size_t i = 0; i < delta->n_sent; i++) {
		size_t at = (*from + i) % delta->n_sent;

		if (delta->sent[at].series != series)
			continue;
		*from = at + 1;
		return &delta->sent[at];
	}
	return NULL;
}

/* --- Differences -------------------------------------------------------- */

/* A series whose component was made anew began again at zero. */
static uint64_t since(uint64_t now, uint64_t then)
{
	return now < then ? now : now - then;
}

static void reduce_histogram(weir_histogram *h, const weir_histogram *then)
{
	if (h->count < then->count)
		return;
	for (size_t i = 0; i <= WEIR_HISTOGRAM_MAX; i++)
		h->buckets[i] -= then->buckets[i];
	h->count -= then->count;
	h->sum -= then->sum;
}

static void reduce(const struct weir_family *family, struct weir_sample *sample,
		   weir_histogram *histogram, const struct delta_value *then)
{
	if (family->type == WEIR_METRIC_HISTOGRAM)
		reduce_histogram(histogram, &then->histogram);
	else if (!family->is_real)
		sample->counter = since(sample->counter, then->counter);
	else if (sample->real >= then->real)
		sample->real -= then->real;
}

static void remember(struct delta *delta, uint64_t series,
		     const struct weir_family *family,
		     const struct weir_sample *sample)
{
	struct delta_value *value = &delta->next[delta->n_next++];

	*value = (struct delta_value){ .series = series };
	if (family->type == WEIR_METRIC_HISTOGRAM)
		value->histogram = *sample->histogram;
	else if (family->is_real)
		value->real = sample->real;
	else
		value->counter = sample->counter;
}

/* --- Whole snapshots ---------------------------------------------------- */

/* Families, then samples, then histograms, in one piece. */
struct copy {
	struct weir_family *families;
	struct weir_sample *samples;
	weir_histogram *histograms;
};

static bool make_copy(struct copy *copy, size_t n, size_t n_samples)
{
	size_t families = n * sizeof(*copy->families);
	size_t samples = n_samples * sizeof(*copy->samples);
	char *room = malloc(families + samples +
			    n_samples * sizeof(*copy->histograms) + 1);

	if (!room)
		return false;
	copy->families = (void *)room;
	copy->samples = (void *)(room + families);
	copy->histograms = (void *)(room + families + samples);
	return true;
}

static void take_family(struct delta *delta, struct weir_family *family,
			struct copy *copy, size_t *from)
{
	const struct weir_sample *old = family->samples;

	family->samples = copy->samples;
	for (size_t i = 0; i < family->n_samples; i++, old++) {
		struct weir_sample *sample = copy->samples++;
		weir_histogram *histogram = copy->histograms++;
		uint64_t series = series_of(family, old);
		const struct delta_value *then = find(delta, series, from);

		*sample = *old;
		if (family->type == WEIR_METRIC_HISTOGRAM) {
			*histogram = *old->histogram;
			sample->histogram = histogram;
		}
		remember(delta, series, family, old);
		if (then)
			reduce(family, sample, histogram, then);
	}
}

struct weir_family *delta_take(struct delta *delta, enum preference preference,
			       const struct weir_family *families, size_t n)
{
	size_t n_samples = 0, from = 0;
	struct copy copy;

	for (size_t i = 0; i < n; i++)
		n_samples += families[i].n_samples;
	free(delta->next);
	delta->n_next = 0;
	delta->next = malloc((n_samples + 1) * sizeof(*delta->next));
	if (!delta->next || !make_copy(&copy, n, n_samples))
		return NULL;
	memcpy(copy.families, families, n * sizeof(*families));
	for (size_t i = 0; i < n; i++)
		if (encode_is_delta(&families[i], preference))
			take_family(delta, &copy.families[i], &copy, &from);
	return copy.families;
}

void delta_free(struct weir_family **families)
{
	free(*families);
	*families = NULL;
}

void delta_arrived(struct delta *delta)
{
	free(delta->sent);
	delta->sent = delta->next;
	delta->n_sent = delta->n_next;
	delta->next = NULL;
	delta->n_next = 0;
}

void delta_release(struct delta *delta)
{
	free(delta->sent);
	free(delta->next);
	*delta = (struct delta){ 0 };
}
