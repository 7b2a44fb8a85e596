/*
 * request.h: what the plugin asks for (common/wire.h, docs/wire.md). Knows nothing of how it is
 * had.
 */
#ifndef ND_AGENT_REQUEST_H
#define ND_AGENT_REQUEST_H

#include "common/base.h"

#include "common/addr.h"
#include "common/arena.h"
#include "common/err.h"
#include "common/probe.h"

#define ND_REQUEST_MAX_BYTES (8u << 20)
#define ND_REQUEST_MAX_LINES 256     /* without those of probes: ND_PROBE_MAX of them */
#define ND_REQUEST_DEADLINE_MS 20000 /* when it says nothing */
#define ND_REQUEST_MAX_DEADLINE_MS 600000
#define ND_REQUEST_MAX_PATH 1024 /* bytes of the path of an http or bulk probe */

/* Sections are numbered as in common/sections.def. */
enum nd_section {
#define ND_SECTION(id, name, what) ND_SECTION_##id,
#include "common/sections.def"
#undef ND_SECTION
	ND_NSECTIONS
};

/* One probe line. */
struct nd_probe_ask {
	uint16_t id;   /* 1..65535, unique */
	uint16_t port; /* 0: the kind has none */
	enum nd_probe_kind kind;
	bool is_aaaa;	      /* the DNS question is AAAA, not A */
	uint64_t netns_inode; /* source; 0: the agent's own namespace ("node") */
	struct nd_ip ip;      /* target; family 4 or 6, no multicast */
	const char *name;     /* DNS name or path (arena), NULL: the kind has none */
};

struct nd_request {
	bool is_wanted[ND_NSECTIONS];
	size_t max_bytes[ND_NSECTIONS]; /* 1..ND_WIRE_MAX_SECTION */
	int deadline_ms;
	struct nd_probe_ask *probes; /* probes[nprobes], as asked; none when sections are wanted */
	size_t nprobes;
	int probe_timeout_ms; /* of each */
	int probe_rate;	      /* starts a second */
	int probe_delay_ms;   /* before the first */
	uint64_t watches[ND_WATCH_MAX]; /* watches[nwatches]: namespaces, each once; 0: "node" */
	size_t nwatches;		/* none when sections are wanted */
	int watch_ms;
};

/*
 * Lines "netdoctor 1", "collect NAME|all", "max-bytes NAME N", "deadline-ms N",
 * "probe ID KIND SOURCE ADDR PORT [NAME [TYPE]]", "probe-timeout-ms N", "probe-rate N",
 * "watch SOURCE", "watch-ms N", "probe-delay-ms N", "go".
 * ND_E_INPUT names the line. What comes behind "go" is not looked at. Probes live in arena.
 */
int nd_request_parse(const char *p, size_t n, struct nd_arena *arena, struct nd_request *request,
		     struct nd_err *err) ND_MUST_USE;
/* From a descriptor, until its line "go" or its end. ND_E_IO, ND_E_LIMIT, ND_E_INPUT. */
int nd_request_read(int fd, struct nd_arena *arena, struct nd_request *request,
		    struct nd_err *err) ND_MUST_USE;

const char *nd_section_name(enum nd_section section);

#endif
