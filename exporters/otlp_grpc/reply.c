/* SPDX-License-Identifier: Apache-2.0 */
/* reply.c: who the backend is.  Pure; holds nothing. */
#include "otlp_grpc.h"

static bool strip(weir_str *text, weir_str prefix)
{
	if (text->len < prefix.len ||
	    memcmp(text->ptr, prefix.ptr, prefix.len))
		return false;
	text->ptr += prefix.len;
	text->len -= prefix.len;
	return true;
}

weir_str otlp_authority(weir_str endpoint)
{
	static const weir_str schemes[] = {
		{ "http://", 7 }, { "https://", 8 }, { "dns:///", 7 },
		{ "dns://", 6 }
	};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++)
		if (strip(&endpoint, schemes[i]))
			break;
	return endpoint;
}

void otlp_host_port(weir_str endpoint, weir_str *host, weir_str *port)
{
	weir_str all = otlp_authority(endpoint);
	size_t colon = all.len;

	*host = all;
	*port = WEIR_STR("");
	while (colon && all.ptr[colon - 1] >= '0' && all.ptr[colon - 1] <= '9')
		colon--;
	if (!colon || colon == all.len || all.ptr[colon - 1] != ':')
		return;
	*port = (weir_str){ all.ptr + colon, all.len - colon };
	host->len = colon - 1;
	if (host->len > 1 && host->ptr[0] == '[' &&
	    host->ptr[host->len - 1] == ']') {
		host->ptr++;
		host->len -= 2;
	}
}
