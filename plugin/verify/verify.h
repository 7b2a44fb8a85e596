/*
 * verify.h: does the network do what people expect of it? Named tests over the model and the probe
 * results in it: a pure function, so that a bundle gives the same answer.
 *
 *	struct nd_verify_options options = {.max_time_us = 2000000};
 *	const struct nd_verify *v = nd_verify_run(&arena, cluster, &options);
 *	if (v->verdict == ND_VERIFY_FAILED) ... v->outcomes[i].failures ...
 */
#ifndef ND_PLUGIN_VERIFY_VERIFY_H
#define ND_PLUGIN_VERIFY_VERIFY_H

#include "plugin/verify/baseline.h"
#include "plugin/probe/target.h"

enum nd_verify_result {
	ND_VERIFY_PASSED,
	ND_VERIFY_FAILED,
	ND_VERIFY_SKIPPED,    /* there is nothing to test, or it was not asked for */
	ND_VERIFY_INCOMPLETE, /* what was seen is fine, but not all could be looked at */
};

struct nd_verify_options {
	const char *ns;	     /* the tests of a namespace only, for this one; NULL: all */
	const char *node;    /* other nodes were not asked; NULL: all were */
	int64_t max_time_us; /* what takes longer fails */
	bool is_external;    /* names and addresses outside were asked for */
	const struct nd_target *targets; /* ntargets; of --http */
	size_t ntargets;
	const struct nd_baseline *baseline; /* to compare with, or NULL */
	const struct nd_baseline *measured; /* what to compare; NULL: what the cluster shows */
};

struct nd_verify_outcome {
	const struct nd_verify_test *test;
	enum nd_verify_result result;
	size_t nok, ntotal;
	size_t nagain;	       /* of nok: worked only when sent again */
	int64_t slowest_us;    /* of those that worked; -1: nothing was timed */
	const char *why;       /* of SKIPPED and INCOMPLETE; else a remark, or NULL */
	const char **failures; /* nfailures; a line each */
	size_t nfailures;
};

struct nd_verify {
	enum nd_verify_result verdict; /* never SKIPPED: nothing tested is INCOMPLETE */
	const char *summary;
	const struct nd_cluster *cluster;
	struct nd_verify_outcome *outcomes; /* noutcomes, in the order of tests.def */
	size_t noutcomes;
	size_t nflows; /* probes that were sent */
};

const struct nd_verify *nd_verify_run(struct nd_arena *arena, const struct nd_cluster *cluster,
				      const struct nd_verify_options *options);

const char *nd_verify_result_name(enum nd_verify_result result); /* "passed" */
const char *nd_verify_test_id(const struct nd_verify_test *test);
const char *nd_verify_test_title(const struct nd_verify_test *test);
const char *nd_verify_test_what(const struct nd_verify_test *test); /* what it asks */
/* The tests there are: the n-th, or NULL behind the last. */
const struct nd_verify_test *nd_verify_test_at(size_t n);

#endif
