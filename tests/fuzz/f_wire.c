/* f_wire.c: a hostile node replies. Frames must lie inside the reply, errors must say where. */
#include "common/base.h"

#include "common/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct reply {
	const char *p;
	size_t len;
	size_t at; /* no frame may start before the end of the last one */
	unsigned sum;
};

static int check_frame(void *ctx, const struct nd_wire_frame *frame, struct nd_err *err)
{
	struct reply *reply = ctx;
	size_t n = strlen(frame->name), start = (size_t)(frame->bytes - reply->p);

	(void)err;
	if (n == 0 || n > ND_WIRE_MAX_NAME)
		abort();
	if (start <= reply->at || start > reply->len || frame->len >= reply->len - start)
		abort();
	if (frame->bytes[frame->len] != '\n')
		abort();
	for (size_t i = 0; i < frame->len; i++)
		reply->sum += (unsigned char)frame->bytes[i];
	reply->at = start + frame->len;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reply reply = {.p = (const char *)data, .len = size};
	struct nd_err err = {0};

	if (nd_wire_parse(reply.p, size, check_frame, &reply, &err) == 0) {
		if (err.code != ND_E_NONE)
			abort();
		return 0;
	}
	if (err.code != ND_E_INPUT || !strstr(err.text, "byte "))
		abort();
	for (const char *p = err.text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			abort();
	return 0;
}
