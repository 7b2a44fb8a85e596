/*
 * request.h: what the plugin asks for (common/wire.h, docs/wire.md). Knows nothing of how it is
 * had.
 */
#ifndef ND_AGENT_REQUEST_H
#define ND_AGENT_REQUEST_H

#include "common/base.h"

#include "common/err.h"

#define ND_REQUEST_MAX_BYTES (64u << 10)
#define ND_REQUEST_MAX_LINES 256
#define ND_REQUEST_DEADLINE_MS 20000 /* when it says nothing */
#define ND_REQUEST_MAX_DEADLINE_MS 600000

/* Sections are numbered as in common/sections.def. */
enum nd_section {
#define ND_SECTION(id, name, what) ND_SECTION_##id,
#include "common/sections.def"
#undef ND_SECTION
	ND_NSECTIONS
};

struct nd_request {
	bool is_wanted[ND_NSECTIONS];
	size_t max_bytes[ND_NSECTIONS]; /* 1..ND_WIRE_MAX_SECTION */
	int deadline_ms;
};

/*
 * Lines "netdoctor 1", "collect NAME|all", "max-bytes NAME N", "deadline-ms N", "go".
 * ND_E_INPUT names the line. What comes behind "go" is not looked at.
 */
int nd_request_parse(const char *p, size_t n, struct nd_request *request,
		     struct nd_err *err) ND_MUST_USE;
/* From a descriptor, until its line "go" or its end. ND_E_IO, ND_E_LIMIT, ND_E_INPUT. */
int nd_request_read(int fd, struct nd_request *request, struct nd_err *err) ND_MUST_USE;

const char *nd_section_name(enum nd_section section);

#endif
