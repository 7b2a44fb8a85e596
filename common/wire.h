/*
 * wire.h: what the plugin and the agent say to each other (docs/wire.md).
 *
 * Requests, plugin to agent, short lines, ended by "go":
 *	netdoctor 1
 *	collect links
 *	max-bytes iptables 33554432
 *	go
 * Replies, agent to plugin: frames, then one trailer.
 *	netdoctor-agent 1\n
 *	section NAME LENGTH\n<LENGTH bytes>\n
 *	gap NAME LENGTH\n<LENGTH bytes of reason>\n
 *	end COUNT SHA256\n		COUNT frames; digest over all bytes from the first frame to
 *before "end"
 *
 * NAME: 1..64 bytes of [a-z0-9_.-]. LENGTH: decimal, at most ND_WIRE_MAX_SECTION.
 */
#ifndef ND_COMMON_WIRE_H
#define ND_COMMON_WIRE_H

#include "common/buf.h"
#include "common/err.h"
#include "common/sha256.h"

#define ND_WIRE_HELLO "netdoctor-agent 1\n"
#define ND_WIRE_MAX_SECTION (64u << 20)
#define ND_WIRE_MAX_NAME 64

/* Writing: append a frame to out and to the running digest. */
struct nd_wire_out {
	int fd;
	struct nd_sha256 hash;
	uint32_t nframes;
};
int nd_wire_out_start(struct nd_wire_out *out, int fd, struct nd_err *err) ND_MUST_USE;
int nd_wire_out_frame(struct nd_wire_out *out, bool is_gap, const char *name, const void *p,
		      size_t n, struct nd_err *err) ND_MUST_USE;
int nd_wire_out_end(struct nd_wire_out *out, struct nd_err *err) ND_MUST_USE;

/* Reading a whole reply: calls frame for each; bytes live in the reply. */
struct nd_wire_frame {
	bool is_gap;
	char name[ND_WIRE_MAX_NAME + 1];
	const char *bytes; /* len bytes */
	size_t len;
};
/*
 * Walk a reply of len bytes. Frames before a cut are still handed over, then -1 with
 * ND_E_INPUT that says where it was cut. frame may return -1 to stop.
 */
int nd_wire_parse(const char *p, size_t len,
		  int (*frame)(void *ctx, const struct nd_wire_frame *frame, struct nd_err *err),
		  void *ctx, struct nd_err *err) ND_MUST_USE;

#endif
