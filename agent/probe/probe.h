/*
 * probe.h: sending packets to find out whether they get through. All sockets are opened in their
 * namespaces first; then the sandbox closes; then one loop connects, sends and listens.
 *
 *	struct nd_probes probes;
 *	nd_probes_open(&probes, request.probes, request.nprobes, &arena, err);
 *	...enter the sandbox (ND_PROFILE_probe)...
 *	nd_probes_run(&probes, timeout_ms, rate, deadline_us, err);
 *	nd_probes_write(&probes, &out);
 *	nd_probes_close(&probes);
 *
 * A kind is one file agent/probe/<id>.c that ends with its descriptor, nd_probe_ops_<id>.
 */
#ifndef ND_AGENT_PROBE_PROBE_H
#define ND_AGENT_PROBE_PROBE_H

#include "common/base.h"

#include "agent/request.h"
#include "common/buf.h"

#include <sys/socket.h>

#define ND_PROBE_SCRATCH 65536 /* bytes: the largest IP packet, and a good read of a stream */

enum nd_probe_state { ND_PROBE_WAITING, ND_PROBE_RUNNING, ND_PROBE_DONE };

/* The search of a path MTU: sizes of IP packets, bytes. */
struct nd_pmtu_search {
	uint32_t top;	 /* MTU of the interface; 0: not known yet */
	uint32_t passed; /* the largest that came back; 0: none yet */
	uint32_t failed; /* the smallest that did not */
	uint32_t size;	 /* sent now */
	uint16_t seq;
	uint8_t tries;	  /* of this size */
	bool is_min_sent; /* the smallest size was tried */
	bool is_confirmed; /* a black hole: the full size was sent once more, with patience */
	int64_t end_us;
};

struct nd_probe {
	const struct nd_probe_ask *ask;
	enum nd_probe_state state;
	int fd;		   /* -1: never opened, or closed again */
	uint32_t target;   /* number of the address among those of the request */
	uint32_t next;	   /* waiting list */
	uint16_t cookie;   /* random: DNS id, echo id */
	bool is_connected; /* streams: data may flow */
	int64_t started_us, deadline_us;
	struct nd_buf in; /* what came of a stream, as far as it is kept */

	/* The result; docs/wire.md. */
	enum nd_probe_outcome outcome;
	int sys_errno;
	int64_t us;
	bool has_rcode, is_truncated;
	uint16_t status, rcode, answers;
	int64_t bytes;	  /* -1: not a body */
	int64_t length;	  /* bulk: Content-Length, -1: not said */
	struct nd_ip hop; /* who sent an ICMP error; family 0: none came */
	struct nd_pmtu_search pmtu;
};

/* Starts to one address in a window of time, see run.c. */
struct nd_probe_target {
	int64_t window_us;
	int nstarts;
	bool is_open; /* the last probe to it was ok: nothing needs to be spaced */
};

/* Other work in the loop of the probes, a bounded piece at a time. */
struct nd_probe_also {
	void (*turn)(struct nd_probe_also *also, int64_t now_us); /* sets next_us */
	void *ctx;
	int64_t next_us;  /* when it wants its next turn; the probes come first */
	int64_t until_us; /* the run does not end before, also without probes */
};

struct nd_probes {
	struct nd_probe *items; /* items[nitems], as asked */
	size_t nitems;
	struct nd_probe_target *targets;
	size_t ntargets;
	int epoll_fd;
	int timeout_ms;
	int64_t now_us;	  /* when the events at hand were had */
	uint32_t waiting; /* first of the waiting list; nitems: none */
	struct nd_probe *flight[ND_PROBE_MAX_FLIGHT];
	size_t nflight;
	int64_t tokens; /* starts that may be made now, in millionths */
	int rate;	/* starts a second */
	int64_t refilled_us;
	int64_t delay_us;	    /* before the first start; set by the caller, or 0 */
	int64_t start_us;	    /* no start before */
	struct nd_probe_also *also; /* set by the caller, or NULL */
	uint8_t scratch[ND_PROBE_SCRATCH];
};

struct nd_probe_ops {
	/* In its namespace: p->fd; -1 with errno. */
	int (*open)(struct nd_probe *p);
	/* Each may end the probe with nd_probe_end or nd_probe_fail. */
	void (*start)(struct nd_probes *all, struct nd_probe *p);
	void (*ready)(struct nd_probes *all, struct nd_probe *p, uint32_t events);
	/* NULL: TIMEOUT, or STALL once connected. */
	void (*expire)(struct nd_probes *all, struct nd_probe *p);
	/* All errors of its socket are its own; a raw one hears those of others too. */
	bool has_own_peer;
};

#define ND_PROBE_KIND(id, name, what) extern const struct nd_probe_ops nd_probe_ops_##id;
#include "common/probe_kinds.def"
#undef ND_PROBE_KIND
const struct nd_probe_ops *nd_probe_ops(enum nd_probe_kind kind);

/*
 * Before the sandbox. Comes back in the namespace it was called in, or ends the process. What
 * cannot be opened is a result of that probe. ND_E_LIMIT: more sockets than this node allows.
 */
int nd_probes_open(struct nd_probes *all, const struct nd_probe_ask *asks, size_t n,
		   struct nd_arena *arena, struct nd_err *err) ND_MUST_USE;
/* Until all have ended or deadline_us has passed; what had no result then is ECANCELED. */
int nd_probes_run(struct nd_probes *all, int timeout_ms, int rate, int64_t deadline_us,
		  struct nd_err *err) ND_MUST_USE;
void nd_probes_write(const struct nd_probes *all, struct nd_buf *out);
void nd_probes_close(struct nd_probes *all);

/* For the kinds: sock.c */

/* A non-blocking socket of the family of the target; -1 with errno. */
int nd_probe_socket(const struct nd_probe *p, int type, int proto4, int proto6);
/* ICMP errors of all sorts are to be told (IP_RECVERR). -1 with errno. */
int nd_probe_want_errors(const struct nd_probe *p);
/* connect(2) and watch for these events (EPOLLOUT: a stream); false: it has ended. */
bool nd_probe_connect(struct nd_probes *all, struct nd_probe *p, uint32_t events);
/* After an event on a stream: is it connected now? False: not yet, or it has ended. */
bool nd_probe_connected(struct nd_probes *all, struct nd_probe *p, uint32_t events);
/*
 * An event on a stream that asks first: ask is called once, when it is connected. True: an answer
 * may be there to be read.
 */
bool nd_probe_asked(struct nd_probes *all, struct nd_probe *p, uint32_t events,
		    void (*ask)(struct nd_probes *all, struct nd_probe *p));
/* A connected stream waits for data from now on; false: it has ended. */
bool nd_probe_listen(struct nd_probes *all, struct nd_probe *p);
/* One message; false: it has ended. */
bool nd_probe_send(struct nd_probes *all, struct nd_probe *p, const void *msg, size_t n);
/* A datagram or a piece of a stream into all->scratch; -1: nothing now, or it has ended. */
ssize_t nd_probe_recv(struct nd_probes *all, struct nd_probe *p);

/* One entry of a socket's error queue. */
struct nd_probe_sockerr {
	int sys_errno;
	bool is_local;	   /* made by this node, not by an ICMP message */
	uint32_t info;	   /* with EMSGSIZE: the MTU */
	struct nd_ip from; /* who sent the ICMP message; family 0: not known */
	uint8_t head[8];   /* first bytes behind the IP header of what was sent, nhead of them */
	size_t nhead;
};
bool nd_probe_errqueue(const struct nd_probe *p, struct nd_probe_sockerr *out);
/* Who sent the ICMP error of a socket that has only one peer and one packet: p->hop. */
void nd_probe_find_hop(struct nd_probe *p);

/* For the kinds: run.c */
void nd_probe_end(struct nd_probes *all, struct nd_probe *p, enum nd_probe_outcome outcome);
/* The outcome that an errno stands for. */
void nd_probe_fail(struct nd_probes *all, struct nd_probe *p, int sys_errno);
void nd_probe_expired(struct nd_probes *all, struct nd_probe *p);

#endif
