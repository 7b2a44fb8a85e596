/*
 * netpol_queue.h: what kindnet's NetworkPolicy engine (kube-network-policies) answers about a
 * packet that its nft rules hand to its queue: nd_eval's queue_ask.
 *
 *	struct nd_netpol_queue queue = {.cluster = cluster, .node = host->node};
 *	struct nd_eval eval = {..., .queue_ask = nd_netpol_queue_ask, .queue_ctx = &queue};
 *
 * Sources: kindnetd main.go (queue 101, FailOpen), kube-network-policies pkg/networkpolicy
 * controller.go (its rules: "ct state established,related accept", then "queue num 101 bypass";
 * queue 100 when it runs on its own).
 */
#ifndef ND_PLUGIN_WALK_NETPOL_QUEUE_H
#define ND_PLUGIN_WALK_NETPOL_QUEUE_H

#include "plugin/model/netpol.h"
#include "plugin/walk/eval.h"

struct nd_netpol_queue {
	const struct nd_cluster *cluster;
	const char *node; /* where the rules are */
	/* Of the last packet: ND_WAY_POLICY's text is answer.why, NULL when no policy was asked. */
	struct nd_netpol_answer answer;
};

/* PASS, DROP, or UNKNOWN with eval->unknown set. ctx: struct nd_netpol_queue. */
enum nd_hook_result nd_netpol_queue_ask(void *ctx, struct nd_eval *eval, struct nd_pkt *packet,
					const struct nd_verdict *verdict);

#endif
