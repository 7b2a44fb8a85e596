/*
 * How far a failed probe came: what agents saw pass, as section "watch" has it, and the sentence
 * that is made of it. Three nodes; bridge and VXLAN, or ptp with service DNAT.
 */
#include "common/base.h"
#include "plugin/checks/run.h"
#include "tests/unit/stage_world.h"

/* ---- bridge and VXLAN ---- */

#define FROM_A                                                                                     \
	SYN_B("15", "eth0", "out") "," SYN_B("node", "vethA", "in") "," SYN_B("node", "cni0", "in")
#define SYN_TO_W3(way)                                                                             \
	SEEN("node", "eth0", way, "SYN", "10.244.1.5", "40000", "10.244.2.7", "8080",              \
	     ",'vxlan_src':'172.18.0.1','vxlan_dst':'172.18.0.3'")
#define OUT_W1 FROM_A "," SYN_B("node", "flannel.1", "out") "," SYN_IN_VXLAN("out")
#define IN_W2 SYN_IN_VXLAN("in") "," SYN_B("node", "flannel.1", "in")
#define TO_B                                                                                       \
	IN_W2 "," SYN_B("node", "cni0", "out") "," SYN_B("node", "vethA",                          \
							 "out") "," SYN_B("27", "eth0", "in")

static void test_lost_in_forward(void **state)
{
	struct world w;

	(void)state;
	world_make(&w, true);
	watch(&w, "w1", FROM_A);
	watch(&w, "w2", "");
	assert_string_equal(
		text_of(&w, "15", POD_B, "TIMEOUT"),
		"SYN left pod app/a by eth0, came in on vethA of w1, was not sent on: lost on w1");
	assert_string_equal(w.stage.lost_node, "w1");
	assert_string_equal(w.stage.lost_after, "w1: cni0 in");
	assert_true(w.stage.is_complete);
	assert_int_equal(w.stage.nsteps, 3);
	done(&w);
	/* The other order of what was seen tells the same. */
	world_make(&w, true);
	watch(&w, "w1",
	      SYN_B("node", "cni0", "in") "," SYN_B("node", "vethA", "in") "," SYN_B("15", "eth0",
										     "out"));
	assert_string_equal(
		text_of(&w, "15", POD_B, "TIMEOUT"),
		"SYN left pod app/a by eth0, came in on vethA of w1, was not sent on: lost on w1");
	done(&w);
	/* Nobody looked into the pod: the node still saw it. */
	world_make(&w, true);
	watch(&w, "w1", SYN_B("node", "vethA", "in"));
	assert_string_equal(text_of(&w, "15", POD_B, "TIMEOUT"),
			    "SYN came in on vethA of w1, was not sent on: lost on w1");
	done(&w);
}

static void test_lost_between(void **state)
{
	struct world w;

	(void)state;
	world_make(&w, true);
	watch(&w, "w1", OUT_W1);
	watch(&w, "w2", "");
	assert_string_equal(text_of(&w, "15", POD_B, "TIMEOUT"),
			    "SYN left w1 by eth0 in VXLAN to 172.18.0.2 (w2), never came in on w2: "
			    "lost between w1 "
			    "and w2");
	assert_int_equal(w.stage.end, ND_STAGE_BETWEEN);
	assert_string_equal(w.stage.lost_next, "w2");
	done(&w);
	/* w2 could not look: that is not "was not there". */
	world_make(&w, true);
	watch(&w, "w1", OUT_W1);
	assert_string_equal(text_of(&w, "15", POD_B, "TIMEOUT"),
			    "SYN left w1 by eth0 in VXLAN to 172.18.0.2 (w2); what came of it is "
			    "not known: w2 was "
			    "not watched");
	assert_null(w.stage.lost_node);
	assert_false(w.stage.is_complete);
	done(&w);
	/* A section that is not whole, and one that the agent said it could not have: the same. */
	world_make(&w, true);
	watch(&w, "w1", OUT_W1);
	watch(&w, "w2", "{}");
	text_of(&w, "15", POD_B, "TIMEOUT");
	assert_int_equal(w.stage.end, ND_STAGE_UNKNOWN);
	done(&w);
	world_make(&w, true);
	watch(&w, "w1", OUT_W1);
	watch(&w, "w2", "");
	struct nd_sink sink = nd_model_sink(w.model);
	struct nd_err err = {0};
	assert_int_equal(nd_sink_gap(&sink, "watch", "node/w2", &err, "no"), 0);
	text_of(&w, "15", POD_B, "TIMEOUT");
	assert_int_equal(w.stage.end, ND_STAGE_UNKNOWN);
	done(&w);
	/* Into the tunnel, and not out of it. */
	world_make(&w, true);
	watch(&w, "w1", FROM_A "," SYN_B("node", "flannel.1", "out"));
	watch(&w, "w2", "");
	assert_string_equal(text_of(&w, "15", POD_B, "TIMEOUT"),
			    "SYN left w1 by flannel.1, went no further: lost on w1");
	done(&w);
	/* To a node that has nothing to do with it. */
	world_make(&w, true);
	watch(&w, "w1", FROM_A "," SYN_B("node", "flannel.1", "out") "," SYN_TO_W3("out"));
	watch(&w, "w2", "");
	watch(&w, "w3", SYN_TO_W3("in"));
	assert_string_equal(text_of(&w, "15", POD_B, "TIMEOUT"),
			    "SYN left w1 by eth0 in VXLAN to 172.18.0.3 (w3), came in on eth0 of "
			    "w3, was not sent "
			    "on: lost on w3");
	assert_string_equal(w.stage.lost_node, "w3");
	done(&w);
}

static void test_no_answer(void **state)
{
	struct world w;

	(void)state;
	world_make(&w, true);
	watch(&w, "w1", OUT_W1);
	watch(&w, "w2", TO_B);
	assert_string_equal(text_of(&w, "15", POD_B, "TIMEOUT"),
			    "SYN left w2 by vethA, reached pod app/b on w2, no answer left it");
	assert_string_equal(w.stage.lost_node, "w2");
	done(&w);
	/* The pod was not looked into; and the bridge kept it. */
	world_make(&w, true);
	watch(&w, "w1", OUT_W1);
	watch(&w, "w2", IN_W2 "," SYN_B("node", "cni0", "out") "," SYN_B("node", "vethA", "out"));
	assert_string_equal(text_of(&w, "15", POD_B, "TIMEOUT"),
			    "SYN left w2 by vethA, no answer came from the pod behind it");
	done(&w);
	world_make(&w, true);
	watch(&w, "w1", OUT_W1);
	watch(&w, "w2", IN_W2 "," SYN_B("node", "cni0", "out"));
	assert_string_equal(text_of(&w, "15", POD_B, "TIMEOUT"),
			    "SYN left w2 by cni0, went no further: lost on w2");
	done(&w);
}

static void test_reply_lost(void **state)
{
	struct world w;

	(void)state;
	world_make(&w, true);
	watch(&w, "w1", OUT_W1 "," ACK("node", "flannel.1", "in", "SYN-ACK"));
	watch(&w, "w2",
	      TO_B "," ACK("27", "eth0", "out", "SYN-ACK") "," ACK(
		      "node", "vethA", "in",
		      "SYN-ACK") "," ACK("node", "cni0", "in",
					 "SYN-ACK") "," ACK("node", "flannel.1", "out", "SYN-ACK"));
	assert_string_equal(text_of(&w, "15", POD_B, "TIMEOUT"),
			    "SYN was answered; SYN-ACK left w2 by flannel.1, came in on flannel.1 "
			    "of w1, was not "
			    "sent on: lost on w1 on the way back");
	assert_string_equal(w.stage.lost_node, "w1");
	assert_true(w.stage.is_back);
	done(&w);
	world_make(&w, true);
	watch(&w, "w1", OUT_W1);
	watch(&w, "w2",
	      TO_B
	      "," ACK("27", "eth0", "out", "SYN-ACK") "," ACK("node", "vethA", "in", "SYN-ACK"));
	assert_string_equal(text_of(&w, "15", POD_B, "TIMEOUT"),
			    "SYN was answered; SYN-ACK left pod app/b by eth0, came in on vethA of "
			    "w2, was not sent "
			    "on: lost on w2 on the way back");
	done(&w);
}

/* ---- ptp, and a service ---- */

#define PTP_A(dst, port)                                                                           \
	SYN("15", "eth0", "out", dst, port) "," SYN("node", "vethA", "in", dst, port)

static void test_service(void **state)
{
	struct world w;

	(void)state;
	world_make(&w, false);
	watch(&w, "w1", PTP_A("10.96.0.20", "80") "," SYN_B("node", "eth0", "out"));
	watch(&w, "w2", SYN_B("node", "eth0", "in"));
	assert_string_equal(
		text_of(&w, "15", SVC, "TIMEOUT"),
		"SYN, DNAT to 10.244.2.7:8080 on w1, left w1 by eth0, came in on eth0 of "
		"w2, was not sent on: lost on w2");
	assert_string_equal(w.stage.lost_node, "w2");
	done(&w);
	/* DNAT to an address that is not behind the service any more. */
	world_make(&w, false);
	watch(&w, "w1",
	      PTP_A("10.96.0.20", "80") "," SYN("node", "eth0", "out", "10.244.2.9", "8080"));
	watch(&w, "w2", "");
	assert_string_equal(text_of(&w, "15", SVC, "TIMEOUT"),
			    "SYN, DNAT to 10.244.2.9:8080 on w1, left w1 by eth0, never came in on "
			    "w2: lost between "
			    "w1 and w2");
	done(&w);
	/* Another probe of the pod, to the endpoint itself, got through: it is not this one. */
	world_make(&w, false);
	watch(&w, "w1",
	      PTP_A("10.96.0.20",
		    "80") "," SEEN("15", "eth0", "out", "SYN", "10.244.1.5", "41000", "10.244.2.7",
				   "8080", "") "," SEEN("node", "eth0", "out", "SYN", "10.244.1.5",
							"41000", "10.244.2.7", "8080", ""));
	watch(&w, "w2", "");
	assert_string_equal(
		text_of(&w, "15", SVC, "TIMEOUT"),
		"SYN left pod app/a by eth0, came in on vethA of w1, was not sent on: lost on w1");
	done(&w);
}

/* The node puts its own address on it, with a port of its own. */
static void test_node_port(void **state)
{
	struct world w;

	(void)state;
	world_make(&w, false);
#define MASKED(way, dst, dport)                                                                    \
	SEEN("node", "eth0", way, "SYN", "172.18.0.1", "50000", dst, dport, "")
	watch(&w, "w1", PTP_A("172.18.0.2", "30080") "," MASKED("out", "172.18.0.2", "30080"));
	watch(&w, "w2", MASKED("in", "172.18.0.2", "30080"));
	assert_string_equal(
		text_of(&w, "15", NODE_PORT_2, "TIMEOUT"),
		"SYN left w1 by eth0, came in on eth0 of w2, was not sent on: lost on w2");
	done(&w);
	/* Two packets that may be it: nothing is claimed. */
	world_make(&w, false);
	watch(&w, "w1",
	      PTP_A("172.18.0.2", "30080") "," MASKED("out", "172.18.0.2", "30080") "," SEEN(
		      "node", "eth0", "out", "SYN", "172.18.0.1", "50001", "172.18.0.2", "30080",
		      ""));
	watch(&w, "w2", "");
	text_of(&w, "15", NODE_PORT_2, "TIMEOUT");
	assert_int_equal(w.stage.end, ND_STAGE_UNKNOWN);
	assert_null(w.stage.lost_node);
	done(&w);
}

static void test_rejected(void **state)
{
	struct world w;

	(void)state;
	world_make(&w, false);
	watch(&w, "w1",
	      PTP_A("10.244.2.7", "8080") "," SYN_B("node", "eth0", "out") "," ACK(
		      "node", "eth0", "in", "RST") "," ACK("node", "vethA", "out",
							   "RST") "," ACK("15", "eth0", "in",
									  "RST"));
	watch(&w, "w2",
	      SYN_B("node", "eth0", "in") "," SYN_B("node", "vethA", "out") "," SYN_B(
		      "27", "eth0", "in") "," ACK("27", "eth0", "out",
						  "RST") "," ACK("node", "vethA", "in",
								 "RST") "," ACK("node", "eth0",
										"out", "RST"));
	assert_string_equal(
		text_of(&w, "15", POD_B, "REFUSED"),
		"SYN left w2 by vethA, reached pod app/b on w2, pod app/b answered with RST as "
		"10.244.2.7:8080");
	done(&w);
	/* The node in the pod's name. */
	world_make(&w, false);
	watch(&w, "w1",
	      PTP_A("10.244.2.7", "8080") "," ACK("node", "vethA", "out",
						  "RST") "," ACK("15", "eth0", "in", "RST"));
	watch(&w, "w2", "");
	assert_string_equal(
		text_of(&w, "15", POD_B, "REFUSED"),
		"SYN left pod app/a by eth0, came in on vethA of w1, w1 answered with RST as "
		"10.244.2.7:8080");
	done(&w);
	world_make(&w, false);
#define ADMIN ",'from':'172.18.0.2','icmp_type':3,'icmp_code':13"
	watch(&w, "w1",
	      PTP_A("10.244.2.7", "8080") "," SYN_B("node", "eth0", "out") "," SEEN(
		      "15", "eth0", "in", "ICMP", "10.244.1.5", "40000", "10.244.2.7", "8080",
		      ADMIN));
	watch(&w, "w2", SYN_B("node", "eth0", "in"));
	assert_string_equal(text_of(&w, "15", POD_B, "NOHOST"),
			    "SYN left w1 by eth0, came in on eth0 of w2, 172.18.0.2 (w2) answered "
			    "with ICMP admin "
			    "prohibited");
	assert_non_null(w.stage.icmp);
	done(&w);
}

static void test_from_node(void **state)
{
	struct world w;

	(void)state;
#define OWN(way, dev, dst, dport)                                                                  \
	SEEN("node", dev, way, "SYN", "172.18.0.1", "42000", dst, dport, "")
	world_make(&w, false);
	watch(&w, "w1", OWN("out", "eth0", "10.244.2.7", "8080"));
	watch(&w, "w2", OWN("in", "eth0", "10.244.2.7", "8080"));
	assert_string_equal(
		text_of(&w, "node", SVC, "TIMEOUT"),
		"SYN, DNAT to 10.244.2.7:8080 on w1, left w1 by eth0, came in on eth0 of "
		"w2, was not sent on: lost on w2");
	done(&w);
	/* An answer came and was dropped behind where it is seen. */
#define ANSWERED                                                                                   \
	OWN("out", "eth0", "10.244.2.7", "8080")                                                   \
	"," SEEN("node", "eth0", "in", "SYN-ACK", "10.244.2.7", "8080", "172.18.0.1", "42000", "")
	world_make(&w, false);
	watch(&w, "w1", ANSWERED);
	watch(&w, "w2", OWN("in", "eth0", "10.244.2.7", "8080"));
	assert_string_equal(
		text_of(&w, "node", SVC, "TIMEOUT"),
		"SYN, DNAT to 10.244.2.7:8080 on w1, was answered; SYN-ACK came in on eth0 of "
		"w1, was not accepted: lost on w1 on the way back");
	done(&w);
	/* Or it was that of another probe. */
	world_make(&w, false);
	watch(&w, "w1", ANSWERED);
	watch(&w, "w2", "");
	text_of(&w, "node", POD_B, "ok");
	assert_string_equal(text_of(&w, "node", SVC, "TIMEOUT"), "");
	done(&w);
	/* From the pod itself, and its INPUT chain. */
	world_make(&w, true);
	watch(&w, "w1", OUT_W1 "," ACK("15", "eth0", "in", "SYN-ACK"));
	watch(&w, "w2", TO_B "," ACK("27", "eth0", "out", "SYN-ACK"));
	assert_string_equal(
		text_of(&w, "15", POD_B, "TIMEOUT"),
		"SYN was answered; SYN-ACK left pod app/b by eth0, reached pod app/a on w1, "
		"was not accepted: lost on w1 on the way back");
	done(&w);
}

static void test_unsent(void **state)
{
	struct world w;

	(void)state;
	world_make(&w, false);
	watch(&w, "w1", "");
	assert_string_equal(text_of(&w, "15", POD_B, "TIMEOUT"),
			    "no SYN of it left pod app/a: lost on w1");
	done(&w);
	world_make(&w, false);
	watch(&w, "w2", "");
	assert_string_equal(text_of(&w, "15", POD_B, "TIMEOUT"), ""); /* nobody looked */
	done(&w);
	world_make(&w, false);
	watch(&w, "w1", "");
	assert_string_equal(text_of(&w, "15", POD_B, "ok"), "");
	done(&w);
}

/* ---- in a finding ---- */

/* Between two nodes by way of a third: that one comes first in what the packets touch. */
static void test_finding(void **state)
{
	struct world w;
	const struct nd_finding *found = NULL;
	struct nd_finding_list list;

	(void)state;
	world_make(&w, true);
	watch(&w, "w1", FROM_A "," SYN_TO_W3("out"));
	watch(&w, "w2", "");
	watch(&w, "w3", SYN_TO_W3("in"));
	text_of(&w, "15", POD_B, "TIMEOUT");
	nd_checks_run(w.cluster, &w.arena, &list);
	for (size_t i = 0; i < list.n; i++)
		if (nd_eq(list.items[i]->check->id, "eff-pod-pod-cross-node-fail"))
			found = list.items[i];
	assert_non_null(found);
	assert_int_equal(found->nnodes, 3);
	assert_string_equal(found->nodes[0], "w3");
	assert_int_equal(found->nproof, 2);
	assert_string_equal(found->proof[1].where, "w1: watch");
	assert_string_equal(
		found->proof[1].text,
		"SYN left w1 by eth0 in VXLAN to 172.18.0.3 (w3), came in on eth0 of w3, "
		"was not sent on: lost on w3");
	done(&w);
}

/* ---- the section ---- */

static void test_section(void **state)
{
	static const char *const bad[] = {
		"[{}]",
		"[1]",
		"[{'source':'node'}]",
		"[" SEEN("x", "eth0", "in", "SYN", "10.0.0.1", "1", "10.0.0.2", "2", "") "]",
		"[" SEEN("0", "eth0", "in", "SYN", "10.0.0.1", "1", "10.0.0.2", "2", "") "]",
		"[" SEEN("node", "eth0", "up", "SYN", "10.0.0.1", "1", "10.0.0.2", "2", "") "]",
		"[" SEEN("node", "eth0", "in", "FIN", "10.0.0.1", "1", "10.0.0.2", "2", "") "]",
		"[" SEEN("node", "eth0", "in", "SYN", "10.0.0.1", "1", "fd00::1", "2", "") "]",
		"[" SEEN("node", "eth0", "in", "SYN", "", "1", "10.0.0.2", "2", "") "]",
	};
	struct world w = {0};

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(bad); i++) {
		w.model = nd_model_new();
		feed_quoted(&w, ND_ITEM_SECTION, "w1", "watch-2", bad[i]);
		const struct nd_host *host = host_of(w.model);
		assert_false(host->has_watched);
		assert_int_equal(host->nsightings, 0);
		nd_model_free(w.model);
	}
	w.model = nd_model_new();
	feed_quoted(&w, ND_ITEM_SECTION, "w1", "watch",
		    "[" SEEN("7", "eth0", "in", "ICMP", "fd00::1", "1", "fd00::2", "2",
			     ",'from':'fd00::9','icmp_type':1,'icmp_code':4") "]");
	const struct nd_host *host = host_of(w.model);
	assert_true(host->has_watched);
	assert_int_equal(host->nsightings, 1);
	assert_int_equal(host->sightings[0].netns_inode, 7);
	assert_int_equal(host->sightings[0].icmp_code, 4);
	assert_int_equal(host->sightings[0].icmp_from.family, 6);
	assert_false(host->sightings[0].is_out);
	nd_model_free(w.model);
	/* More than are kept. */
	struct nd_buf out = {0};
	nd_buf_puts(&out, "[");
	for (size_t i = 0; i < 9000; i++)
		nd_buf_printf(&out,
			      "%s" SEEN("node", "eth0", "in", "SYN", "10.0.0.1", "%zu", "10.0.0.2",
					"2", ""),
			      i ? "," : "", i);
	nd_buf_puts(&out, "]");
	w.model = nd_model_new();
	feed_quoted(&w, ND_ITEM_SECTION, "w1", "watch", out.data);
	host = host_of(w.model);
	assert_false(host->has_watched);
	assert_true(host->nsightings < 9000);
	nd_model_free(w.model);
	nd_buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lost_in_forward), cmocka_unit_test(test_lost_between),
		cmocka_unit_test(test_no_answer),	cmocka_unit_test(test_reply_lost),
		cmocka_unit_test(test_service),		cmocka_unit_test(test_node_port),
		cmocka_unit_test(test_rejected),	cmocka_unit_test(test_from_node),
		cmocka_unit_test(test_unsent),		cmocka_unit_test(test_finding),
		cmocka_unit_test(test_section),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
