/* SPDX-License-Identifier: Apache-2.0 */
/* otlp_same.c: see otlp_same.h.  Goes over a protobuf-c tree by descriptor. */
#include "otlp_same.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void simplify(ProtobufCMessage *message);

static bool in_oneof(const ProtobufCFieldDescriptor *field)
{
	return field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF;
}

static void simplify_message(const ProtobufCFieldDescriptor *field, char *at,
			     const uint32_t *which)
{
	ProtobufCMessage **sub = (ProtobufCMessage **)(void *)at;

	if ((in_oneof(field) && *which != field->id) || !*sub)
		return;
	simplify(*sub);
	if (in_oneof(field) || protobuf_c_message_get_packed_size(*sub))
		return;
	protobuf_c_message_free_unpacked(*sub, NULL);
	*sub = NULL;
}

static void simplify_id(char *at)
{
	ProtobufCBinaryData *bytes = (ProtobufCBinaryData *)(void *)at;

	for (size_t i = 0; i < bytes->len; i++)
		if (bytes->data[i])
			return;
	free(bytes->data);
	bytes->data = NULL;
	bytes->len = 0;
}

/* sum, min and max of histograms may be 0 and there. */
static bool may_be_zero(const ProtobufCMessage *message, const char *name)
{
	return strstr(message->descriptor->name, "HistogramDataPoint") &&
	       (!strcmp(name, "sum") || !strcmp(name, "min") ||
		!strcmp(name, "max"));
}

/* proto2's scalars remember that a default was given. */
static void simplify_scalar(ProtobufCMessage *message,
			    const ProtobufCFieldDescriptor *field)
{
	char *at = (char *)message + field->offset;
	protobuf_c_boolean *has = (protobuf_c_boolean *)(void *)
		((char *)message + field->quantifier_offset);
	uint64_t value = 0;

	if (field->label != PROTOBUF_C_LABEL_OPTIONAL || in_oneof(field) ||
	    may_be_zero(message, field->name))
		return;
	switch (field->type) {
	case PROTOBUF_C_TYPE_BYTES:
		value = ((ProtobufCBinaryData *)(void *)at)->len;
		break;
	case PROTOBUF_C_TYPE_DOUBLE:
		memcpy(&value, at, 8);
		value <<= 1;	/* -0 */
		break;
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_UINT64:
		memcpy(&value, at, 8);
		break;
	default:
		memcpy(&value, at, 4);
		break;
	}
	if (!value)
		*has = 0;
}

static void simplify_doubles(double *value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (isnan(value[i]))
			value[i] = NAN;
}

static void simplify_field(ProtobufCMessage *message,
			   const ProtobufCFieldDescriptor *field)
{
	char *at = (char *)message + field->offset;
	const uint32_t *quantifier = (const uint32_t *)(const void *)
		((char *)message + field->quantifier_offset);
	size_t n, len = strlen(field->name);

	if (field->label == PROTOBUF_C_LABEL_REPEATED) {
		n = *(const size_t *)(const void *)quantifier;
		if (field->type == PROTOBUF_C_TYPE_DOUBLE)
			simplify_doubles(*(double **)(void *)at, n);
		if (field->type != PROTOBUF_C_TYPE_MESSAGE)
			return;
		for (size_t i = 0; i < n; i++)
			simplify((*(ProtobufCMessage ***)(void *)at)[i]);
	} else if (field->type == PROTOBUF_C_TYPE_MESSAGE) {
		simplify_message(field, at, quantifier);
	} else {
		if (field->type == PROTOBUF_C_TYPE_DOUBLE &&
		    (!in_oneof(field) || *quantifier == field->id))
			simplify_doubles((double *)(void *)at, 1);
		if (field->type == PROTOBUF_C_TYPE_BYTES && len > 3 &&
		    !strcmp(field->name + len - 3, "_id"))
			simplify_id(at);
		simplify_scalar(message, field);
	}
}

static void simplify(ProtobufCMessage *message)
{
	for (unsigned i = 0; i < message->descriptor->n_fields; i++)
		simplify_field(message, &message->descriptor->fields[i]);
}

struct otlp_bytes otlp_json_form(enum weir_signal signal, const uint8_t *ptr,
				 size_t len)
{
	ProtobufCMessage *tree = protobuf_c_message_unpack(
		otlp_descriptor(signal), NULL, len, ptr);
	struct otlp_bytes form = { 0 };
	uint8_t *packed;
	size_t n;

	if (!tree)
		return form;
	simplify(tree);
	n = protobuf_c_message_get_packed_size(tree);
	packed = malloc(n + 1);
	form = otlp_bytes_copy(packed, protobuf_c_message_pack(tree, packed), 0);
	free(packed);
	protobuf_c_message_free_unpacked(tree, NULL);
	return form;
}
