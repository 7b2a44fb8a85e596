/*
 * options.h: the flags. One table; parsing, help and completion walk it.
 *
 *	struct nd_args args = {0};
 *	if (nd_args_parse(&arena, argc, argv, &args, err) < 0) ...	ND_E_USAGE
 */
#ifndef ND_PLUGIN_CLI_OPTIONS_H
#define ND_PLUGIN_CLI_OPTIONS_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/err.h"
#include "plugin/kube/kubeconfig.h"

struct nd_args {
	struct nd_kube_flags kube;
	const char *from, *save;    /* bundles */
	const char *output;	    /* NULL: text */
	const char *node;	    /* narrow to this node */
	const char *transport;	    /* NULL: found */
	const char *fail_on;	    /* "error" (NULL), "warning" */
	const char *node_timeout;   /* seconds, or a duration: "20s" */
	const char *probe, *pairs;  /* how much is probed; NULL: default */
	const char *probe_timeout, *probe_rate;
	const char *wait, *max_time; /* verify */
	const char *save_baseline, *baseline;
	const char **http;	    /* nhttp; targets as given */
	size_t nhttp;
	bool tcp, udp, icmp, live;  /* trace */
	bool external;		    /* addresses and names outside the cluster may be asked */
	bool no_agent, no_probe, quiet, help;
	const char *command;	    /* first word, or NULL */
	const char **words;	    /* nwords; the words behind the command */
	size_t nwords;
};

/* argv[0] is skipped. Flags may stand before and behind words; "--" ends them. */
int nd_args_parse(struct nd_arena *arena, int argc, char **argv, struct nd_args *out,
		  struct nd_err *err) ND_MUST_USE;
void nd_args_help(struct nd_buf *out); /* the flags, one a line */

/* "20", "20s", "1m30s", "500ms", "0" -> milliseconds. False when it is none of these. */
bool nd_duration_parse(const char *text, int64_t *out_ms);

#endif
