/*
 * enter.h: give up everything that is not needed. Three steps, none can be taken back:
 *
 *	nd_sandbox_begin(&opts, err)		rlimits, bounding set, no_new_privs, Landlock
 *	(children are started; each enters ND_PROFILE_tools before its execve)
 *	nd_sandbox_enter(ND_PROFILE_collect)	capabilities, seccomp; or ND_PROFILE_probe
 *
 * Whatever the agent needs open (namespaces, netlink sockets) is opened before the first step.
 */
#ifndef ND_AGENT_SANDBOX_ENTER_H
#define ND_AGENT_SANDBOX_ENTER_H

#include "common/base.h"

#include "common/err.h"

enum nd_profile {
#define ND_PROFILE(id, what) ND_PROFILE_##id,
#include "agent/sandbox/profiles.def"
#undef ND_PROFILE
	ND_NPROFILES
};

struct nd_sandbox_opts {
	bool needs_raw;	 /* legacy tables are there: their reader needs CAP_NET_RAW */
	bool is_probing; /* no file will be read, TCP connects, no capability is needed */
	const char *const *programs; /* names of what may be executed; NULL-ended */
	char gap[256]; /* out: "" or why a part of the sandbox is missing (no Landlock) */
};

/* ND_E_IO when a step that every kernel has fails. A kernel without Landlock is opts->gap. */
int nd_sandbox_begin(struct nd_sandbox_opts *opts, struct nd_err *err) ND_MUST_USE;
/* ND_E_IO: the filter is not in force, and the caller must not go on. */
int nd_sandbox_enter(enum nd_profile profile, struct nd_err *err) ND_MUST_USE;

#endif
