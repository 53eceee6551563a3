/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_decompress: any bytes as a message of any encoding.
 *
 * What is inflated fits the cap, comes back after deflating, and nothing stays
 * charged.  The first byte chooses the encoding, the second the cap.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/kit/compress.h>
#include <weir/plugin.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* The codecs' library lies one folder above the target; once open, it is found
 * by its name. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *self = (*argv)[0], *slash = strrchr(self, '/');
	char path[4096];

	(void)argc;
	snprintf(path, sizeof(path), "%.*s../libweircodecs.so",
		 slash ? (int)(slash + 1 - self) : 0, self);
	if (!dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	return 0;
}

static void check_round(enum weir_encoding encoding, const uint8_t *bytes,
			size_t len)
{
	struct weir_compressor *z = weir_compressor_new(encoding, 0);
	const struct weir_iovec in = { bytes, len };
	struct weir_outcome why;
	struct weir_payload *p;
	size_t n, got;
	uint8_t *packed = weir_compress(z, &in, 1, 0, &n);

	p = weir_decompress(NULL, encoding, packed, n, len, &got, &why);
	if (!p || got != len || memcmp(weir_payload_bytes(p), bytes, len))
		abort();
	weir_payload_free(&p);
	free(packed);
	weir_compressor_free(&z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct weir_outcome refused = { 0 };
	enum weir_encoding encoding;
	struct weir_payload *p;
	size_t got, max;

	if (size < 2)
		return 0;
	encoding = (enum weir_encoding)
		(1 + data[0] % (WEIR_ENCODING_UNKNOWN - 1));
	max = (size_t)1 << (data[1] % 22);
	p = weir_decompress(NULL, encoding, data + 2, size - 2, max, &got,
			    &refused);
	if (!p && refused.status == WEIR_OK)
		abort();
	if (p && got > max)
		abort();
	if (p)
		check_round(encoding, weir_payload_bytes(p), got);
	weir_payload_free(&p);
	if (weir_budget_used())
		abort();
	return 0;
}
