/* conn.c: connection tracking of one walk: what one direction made, the other finds again. */
#include "common/base.h"

#include "plugin/walk/eval_run.h"
#include "plugin/walk/run.h"

static struct nd_conn *find(struct nd_run *run, bool *is_reply)
{
	for (size_t i = 0; i < run->nconns; i++) {
		struct nd_conn *conn = &run->conns[i];
		bool is_orig;

		if (conn->net != run->net || conn->proto != run->pkt.proto)
			continue;
		is_orig = nd_tuple_eq(conn->ct.orig, run->pkt.t);
		*is_reply = nd_tuple_eq(conn->ct.reply, run->pkt.t);
		if (!*is_reply && !is_orig)
			continue;
		/* From an address to itself: the type of ICMP says, which is in the kernel's tuple.
		 */
		if (*is_reply && is_orig)
			*is_reply = (conn->proto == ND_PROTO_ICMP && run->pkt.icmp_type == 0) ||
				    (conn->proto == ND_PROTO_ICMP6 && run->pkt.icmp_type == 129);
		return conn;
	}
	return NULL;
}

enum { TCP_SYN = 2, TCP_RST = 4, TCP_ACK = 16 };
enum { SEEN_REPLY = 2, ASSURED = 4 }; /* enum ip_conntrack_status */

/* A packet of the direction that began it. */
static void go_on(struct nd_run *run)
{
	struct nd_ct *ct = &run->pkt.ct;

	if (run->pkt.proto != ND_PROTO_TCP || run->pkt.tcp_flags & TCP_SYN)
		return;
	/* kernel: nf_conntrack_proto_tcp.c: an ACK in SYN_SENT is invalid. */
	if (!(ct->status & SEEN_REPLY))
		*ct = (struct nd_ct){.state = ND_CT_INVALID};
	else
		ct->status |= ASSURED;
}

/* kernel: tcp_new(): what may begin a connection in the middle of it (nf_conntrack_tcp_loose). */
static bool may_begin(const struct nd_run *run)
{
	if (run->ninner)
		return true;
	/* kernel: icmp_new(), nf_conntrack_icmpv6_new(): only a question */
	if (run->pkt.proto == ND_PROTO_ICMP)
		return run->pkt.icmp_type == 8;
	if (run->pkt.proto == ND_PROTO_ICMP6)
		return run->pkt.icmp_type == 128;
	if (run->pkt.proto != ND_PROTO_TCP)
		return true;
	if (run->pkt.tcp_flags & TCP_RST)
		return false;
	if (run->pkt.tcp_flags & TCP_SYN)
		return !(run->pkt.tcp_flags & TCP_ACK);
	return nd_run_sysctl(run, "net.netfilter.nf_conntrack_tcp_loose", 1) != 0;
}

/*
 * kernel: icmp_error_message(), nf_nat_icmp_reply_translation(): an error belongs to the connection
 * of the packet that it is about, which is inside as it left this namespace.
 */
static void find_related(struct nd_run *run)
{
	for (size_t i = 0; i < run->nconns; i++) {
		const struct nd_conn *conn = &run->conns[i];
		struct nd_tuple left = nd_tuple_invert(&conn->ct.reply, conn->proto);

		if (conn->net != run->net || conn->proto != run->about_proto ||
		    !nd_tuple_eq(left, run->about))
			continue;
		run->pkt.ct = conn->ct;
		run->pkt.ct.is_reply = true;
		run->pkt.ct.state = ND_CT_RELATED;
		run->about = conn->ct.orig;
		return;
	}
	run->pkt.ct = (struct nd_ct){.state = ND_CT_INVALID};
}

void nd_conn_find(struct nd_run *run)
{
	bool is_reply = false;
	struct nd_conn *conn;

	if (run->is_error && !run->ninner) {
		find_related(run);
		return;
	}
	conn = find(run, &is_reply);
	if (conn) {
		run->pkt.ct = conn->ct;
		run->pkt.ct.is_reply = is_reply;
		if (is_reply) {
			run->pkt.ct.state = ND_CT_ESTABLISHED;
			run->pkt.ct.status |= SEEN_REPLY;
		} else {
			go_on(run);
		}
		return;
	}
	run->pkt.ct =
		(struct nd_ct){.state = run->ask->ct_state && !run->is_answer && !run->is_further
						? run->ask->ct_state
						: ND_CT_NEW,
			       .orig = run->pkt.t,
			       .reply = nd_tuple_invert(&run->pkt.t, run->pkt.proto)};
	/* The second packet of a TCP connection is no way to begin one. */
	if ((run->is_answer || run->is_further) && !may_begin(run))
		run->pkt.ct.state = ND_CT_INVALID;
}

void nd_conn_confirm(struct nd_run *run)
{
	bool is_reply;
	struct nd_conn *conn;
	struct nd_ct *ct = &run->pkt.ct;

	if (ct->state == ND_CT_UNTRACKED || ct->state == ND_CT_INVALID || !ct->orig.src.family ||
	    (run->is_error && !run->ninner))
		return;
	ct->status |= 8; /* IPS_CONFIRMED */
	for (size_t i = 0; i < run->nconns; i++) {
		conn = &run->conns[i];
		if (conn->net == run->net && conn->proto == run->pkt.proto &&
		    nd_tuple_eq(conn->ct.orig, ct->orig)) {
			is_reply = conn->ct.is_reply;
			conn->ct = *ct;
			conn->ct.is_reply = is_reply;
			return;
		}
	}
	ND_ARENA_PUSH(run->arena, run->conns, run->nconns) =
		(struct nd_conn){.net = run->net, .proto = run->pkt.proto, .ct = *ct};
}
