/*
 * main.c: the conversation. Read the request, open what is needed, give up everything else,
 * answer, exit. A request collects sections, or sends probes and watches packets. By hand:
 *	printf 'netdoctor 1\ncollect all\ngo\n' | netdoctor-agent
 *	printf 'netdoctor 1\nprobe 1 tcp node 127.0.0.1 22\ngo\n' | netdoctor-agent
 *
 * Exit codes: 0 answered; 2 bad request or arguments; 3 the answer could not be written;
 * 4 the sandbox could not be entered, so nothing was collected.
 */
#include "common/base.h"

#include "agent/agent.h"
#include "agent/collect/collect.h"
#include "agent/collect/ipsets.h"
#include "agent/collect/ruleset.h"
#include "agent/probe/probe.h"
#include "agent/request.h"
#include "agent/sandbox/enter.h"
#include "agent/sandbox/selftest.h"
#include "agent/watch/watch.h"
#include "common/clock.h"
#include "common/text.h"
#include "common/wire.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>

#ifndef ND_VERSION
#define ND_VERSION "unknown"
#endif

enum { EXIT_REQUEST = 2, EXIT_WRITE = 3, EXIT_SANDBOX = 4 };
enum { GRACE_MS = 2000 }; /* between the deadline and the end by SIGALRM */

static const struct nd_collector *const collectors[ND_NSECTIONS] = {
#define ND_SECTION(id, name, what) &nd_collector_##id,
#include "common/sections.def"
#undef ND_SECTION
};

static int say(int exit_code, const struct nd_err *err)
{
	fprintf(stderr, "netdoctor-agent: %s\n", err->text);
	return exit_code;
}

/* A netlink call or a write that hangs must not leave an agent behind on the node. */
static void arm_alarm(int deadline_ms)
{
	int ms = deadline_ms + GRACE_MS;
	const struct itimerval timer = {.it_value = {ms / 1000, ms % 1000 * 1000}};

	setitimer(ITIMER_REAL, &timer, NULL);
}

/* A pod's namespace costs a few descriptors; nodes have hundreds of pods. */
static void raise_open_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int enter_tools(struct nd_err *err)
{
	return nd_sandbox_enter(ND_PROFILE_tools, err);
}

/* Landlock, children in their profile, then our own profile. */
static int close_sandbox(struct nd_agent *agent, const struct nd_request *request,
			 int64_t deadline_us, struct nd_sandbox_opts *opts, struct nd_err *err)
{
	size_t iptables_max = request->is_wanted[ND_SECTION_iptables]
				      ? request->max_bytes[ND_SECTION_iptables]
				      : 0;
	size_t nft_max =
		request->is_wanted[ND_SECTION_nft] ? request->max_bytes[ND_SECTION_nft] : 0;

	opts->needs_raw = nd_ruleset_has_legacy(4) || nd_ruleset_has_legacy(6);
	opts->programs = nd_ruleset_programs;
	if (nd_sandbox_begin(opts, err) < 0)
		return -1;
	nd_ruleset_start(iptables_max, nft_max, deadline_us, enter_tools);
	if (request->is_wanted[ND_SECTION_ipsets])
		nd_ipsets_read(agent);
	return nd_sandbox_enter(ND_PROFILE_collect, err);
}

static int answer_section(struct nd_agent *agent, struct nd_wire_out *wire, int section,
			  size_t max_bytes, struct nd_err *err)
{
	struct nd_err why = {0};
	const char *name = nd_section_name((enum nd_section)section);
	nd_auto_buf struct nd_buf out = {.max_bytes = max_bytes};

	int rc = collectors[section]->run(agent, &out, &why);
	if (rc == 0 && (out.is_over || out.len > max_bytes)) {
		rc = nd_err_set(&why, ND_E_LIMIT, "the section is larger than %zu bytes",
				max_bytes);
	}
	if (rc < 0)
		return nd_wire_out_frame(wire, true, name, why.text, strlen(why.text), err);
	return nd_wire_out_frame(wire, false, name, out.data ? out.data : "", out.len, err);
}

static int answer(struct nd_agent *agent, const struct nd_request *request, int64_t deadline_us,
		  const char *sandbox_gap, struct nd_err *err)
{
	static const char late[] = "the agent's deadline passed before this section";
	struct nd_wire_out wire = {0};

	if (nd_wire_out_start(&wire, STDOUT_FILENO, err) < 0)
		return -1;
	if (sandbox_gap[0] &&
	    nd_wire_out_frame(&wire, true, "sandbox", sandbox_gap, strlen(sandbox_gap), err) < 0)
		return -1;
	for (int i = 0; i < ND_NSECTIONS; i++) {
		int rc = 0;
		if (!request->is_wanted[i])
			continue;
		if (nd_clock_mono_us() >= deadline_us)
			rc = nd_wire_out_frame(&wire, true, nd_section_name((enum nd_section)i),
					       late, sizeof(late) - 1, err);
		else
			rc = answer_section(agent, &wire, i, request->max_bytes[i], err);
		if (rc < 0)
			return -1;
	}
	return nd_wire_out_end(&wire, err);
}

static int collect(const struct nd_request *request, int64_t deadline_us)
{
	struct nd_agent agent = {0};
	struct nd_err err = {0};
	struct nd_sandbox_opts opts = {0};
	int exit_code = 0;

	raise_open_files();
	nd_agent_open(&agent, request->is_wanted[ND_SECTION_pods]);
	if (close_sandbox(&agent, request, deadline_us, &opts, &err) < 0) {
		nd_err_wrap(&err, "no sandbox, no work");
		exit_code = say(EXIT_SANDBOX, &err);
	} else if (answer(&agent, request, deadline_us, opts.gap, &err) < 0) {
		exit_code = say(EXIT_WRITE, &err);
	}
	nd_ruleset_stop();
	nd_agent_close(&agent);
	return exit_code;
}

/* why: the run failed. */
static int answer_probe(struct nd_wire_out *wire, const struct nd_probes *probes,
			const struct nd_err *why, struct nd_err *err)
{
	nd_auto_buf struct nd_buf out = {.max_bytes = ND_WIRE_MAX_SECTION};
	const char *gap = why->code ? why->text : "the results are larger than 64 MiB";

	if (!why->code)
		nd_probes_write(probes, &out);
	if (why->code || out.is_over)
		return nd_wire_out_frame(wire, true, "probe", gap, strlen(gap), err);
	return nd_wire_out_frame(wire, false, "probe", out.data, out.len, err);
}

/* What was seen, and, if there is anything, why more may have passed. */
static int answer_watch(struct nd_wire_out *wire, const struct nd_watch *watch, struct nd_err *err)
{
	nd_auto_buf struct nd_buf out = {.max_bytes = ND_WIRE_MAX_SECTION};
	nd_auto_buf struct nd_buf gaps = {0};

	nd_watch_write(watch, &out);
	nd_watch_gaps(watch, &gaps);
	if (out.is_over)
		ND_BUG("so many sightings cannot be");
	if (nd_wire_out_frame(wire, false, "watch", out.data, out.len, err) < 0)
		return -1;
	return gaps.len ? nd_wire_out_frame(wire, true, "watch", gaps.data, gaps.len, err) : 0;
}

static int answer_probing(struct nd_probes *probes, struct nd_watch *watch,
			  const struct nd_request *request, int64_t deadline_us,
			  const char *sandbox_gap, struct nd_err *err)
{
	struct nd_wire_out wire = {0};
	struct nd_err why = {0};

	probes->delay_us = (int64_t)request->probe_delay_ms * 1000;
	probes->also = nd_watch_start(watch, request->watch_ms);
	(void)!nd_probes_run(probes, request->probe_timeout_ms, request->probe_rate, deadline_us,
			     &why);
	nd_watch_finish(watch);
	if (nd_wire_out_start(&wire, STDOUT_FILENO, err) < 0 ||
	    (sandbox_gap[0] &&
	     nd_wire_out_frame(&wire, true, "sandbox", sandbox_gap, strlen(sandbox_gap), err) < 0))
		return -1;
	if (request->nprobes && answer_probe(&wire, probes, &why, err) < 0)
		return -1;
	if (request->nwatches && answer_watch(&wire, watch, err) < 0)
		return -1;
	return nd_wire_out_end(&wire, err);
}

static int probe(const struct nd_request *request, struct nd_arena *arena, int64_t deadline_us)
{
	struct nd_probes *probes = nd_arena_alloc(arena, sizeof(*probes));
	struct nd_watch *watch = nd_arena_alloc(arena, sizeof(*watch));
	struct nd_err err = {0};
	struct nd_sandbox_opts opts = {.is_probing = true};
	int exit_code = 0, rc;

	rc = nd_watch_open(watch, request->watches, request->nwatches, arena, &err);
	if (rc == 0)
		nd_watch_linger(watch);
	if (rc < 0 ||
	    nd_probes_open(probes, request->probes, request->nprobes, arena, &err) < 0) {
		exit_code = say(EXIT_REQUEST, &err);
	} else if (nd_sandbox_begin(&opts, &err) < 0 ||
		   nd_sandbox_enter(ND_PROFILE_probe, &err) < 0) {
		nd_err_wrap(&err, "no sandbox, no work");
		exit_code = say(EXIT_SANDBOX, &err);
	} else if (answer_probing(probes, watch, request, deadline_us, opts.gap,
				  &err) < 0) {
		exit_code = say(EXIT_WRITE, &err);
	}
	nd_probes_close(probes);
	nd_watch_close(watch);
	return exit_code;
}

static int serve(void)
{
	struct nd_request request;
	struct nd_arena arena = {0};
	struct nd_err err = {0};
	int exit_code;

	arm_alarm(ND_REQUEST_DEADLINE_MS); /* also for a request that never comes */
	if (nd_request_read(STDIN_FILENO, &arena, &request, &err) < 0) {
		exit_code = say(EXIT_REQUEST, &err);
	} else {
		int64_t deadline_us = nd_clock_mono_us() + (int64_t)request.deadline_ms * 1000;
		arm_alarm(request.deadline_ms);
		exit_code = request.nprobes || request.nwatches
				    ? probe(&request, &arena, deadline_us)
				    : collect(&request, deadline_us);
	}
	nd_arena_free(&arena);
	return exit_code;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 2 && nd_eq(argv[1], "--version")) {
		puts(ND_VERSION);
		return fflush(stdout) == 0 ? 0 : EXIT_WRITE;
	}
#ifdef ND_AGENT_SELFTEST
	if (argc == 4 && nd_eq(argv[1], "--try"))
		return nd_selftest(argv[2], argv[3]);
#endif
	if (argc != 1) {
		fprintf(stderr, "netdoctor-agent: takes no arguments but --version; "
				"the request comes on standard input\n");
		return EXIT_REQUEST;
	}
	return serve();
}
