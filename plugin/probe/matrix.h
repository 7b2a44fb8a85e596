/*
 * matrix.h: the results of all probes in numbers: from node to node between pods, to services, to
 * DNS. A probe that was sent again counts once; one that could not be sent does not count.
 *
 *	struct nd_matrix matrix;
 *	nd_matrix_build(&arena, cluster, &matrix);
 *	int percent = nd_tally_percent(matrix.pods);	-1: nothing was probed
 */
#ifndef ND_PLUGIN_PROBE_MATRIX_H
#define ND_PLUGIN_PROBE_MATRIX_H

#include "plugin/probe/flow.h"

struct nd_tally {
	size_t nok, nfailed;
};

/* Probes from pods of one node to pods of another, or of the same. */
struct nd_matrix_cell {
	size_t from, to; /* indices of nodes */
	struct nd_tally tally;
	enum nd_probe_outcome outcome; /* the most frequent that is not ok; else ok */
};

struct nd_matrix {
	/* nnodes, by name: those of the cluster and those that sent something; none: no results */
	const char **nodes;
	size_t nnodes;
	struct nd_matrix_cell *cells; /* ncells, by from, to; only pairs that were probed */
	size_t ncells;
	struct nd_tally *rows, *columns; /* nnodes each: sums of cells */
	struct nd_tally all;		 /* every probe */
	struct nd_tally pods;		 /* pod to pod: the sum of cells */
	struct nd_tally cross_node;	 /* of pods: between different nodes */
	struct nd_tally services;	 /* to a ClusterIP, DNS and the API server's included */
	struct nd_tally dns;		 /* to the ClusterIP of DNS and to the pods behind it */
	struct nd_tally *by_service;	 /* cluster->nservices, as they stand there */
};

void nd_matrix_build(struct nd_arena *arena, const struct nd_cluster *cluster,
		     struct nd_matrix *out);
/* NULL: not probed. */
const struct nd_matrix_cell *nd_matrix_cell(const struct nd_matrix *matrix, size_t from, size_t to);
/* Bytes that all names of nodes start with, up to a '-' or '.'; no name is only that. */
size_t nd_matrix_common_start(const struct nd_matrix *matrix);

/* 0..100, rounded so that only all is 100 and only nothing is 0; -1: nothing was probed. */
int nd_tally_percent(struct nd_tally tally);

#endif
