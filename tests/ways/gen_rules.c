/* gen_rules.c: the rules of kube-proxy and of the network plugin, as iptables-restore takes them.
 */
#include "common/base.h"

#include "tests/ways/ways.h"

struct out {
	struct lab *lab;
	struct nd_buf *text;
	bool is_six;
};

static const char *endpoint(const struct out *o, int pod)
{
	return nd_arena_printf(&o->lab->arena, o->is_six ? "[%s]:%d" : "%s:%d",
			       pod_text(o->lab, pod, o->is_six), OPEN_PORT);
}

static void service(const struct out *o, int at)
{
	const struct lab_service *s = &o->lab->services[at];
	const char *vip = service_text(o->lab, at, o->is_six), *proto = s->is_udp ? "udp" : "tcp",
		   *all = o->is_six ? "fd44::/16" : "10.244.0.0/16";

	if (s->npods == 0)
		return;
	nd_buf_printf(o->text, ":KUBE-SVC-%d - [0:0]\n", at);
	nd_buf_printf(o->text, "-A KUBE-SERVICES -d %s -p %s -m %s --dport %d -j KUBE-SVC-%d\n",
		      vip, proto, proto, SERVICE_PORT, at);
	nd_buf_printf(o->text,
		      "-A KUBE-SVC-%d ! -s %s -d %s -p %s -m %s --dport %d -j KUBE-MARK-MASQ\n", at,
		      all, vip, proto, proto, SERVICE_PORT);
	for (int i = 0; i < s->npods; i++) {
		nd_buf_printf(o->text, ":KUBE-SEP-%d-%d - [0:0]\n", at, i);
		nd_buf_printf(o->text, "-A KUBE-SVC-%d", at);
		if (i + 1 < s->npods)
			nd_buf_printf(o->text, " -m statistic --mode random --probability %.8f",
				      1.0 / (s->npods - i));
		nd_buf_printf(o->text, " -j KUBE-SEP-%d-%d\n", at, i);
		nd_buf_printf(o->text, "-A KUBE-SEP-%d-%d -s %s -j KUBE-MARK-MASQ\n", at, i,
			      pod_text(o->lab, s->pods[i], o->is_six));
		nd_buf_printf(o->text,
			      "-A KUBE-SEP-%d-%d -p %s -m %s -j DNAT --to-destination %s\n", at, i,
			      proto, proto, endpoint(o, s->pods[i]));
	}
}

static void nat(const struct out *o)
{
	const char *all = o->is_six ? "fd44::/16" : "10.244.0.0/16";

	nd_buf_puts(o->text,
		    "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
		    ":POSTROUTING ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n:KUBE-MARK-MASQ - [0:0]\n"
		    ":KUBE-POSTROUTING - [0:0]\n:MASQ - [0:0]\n"
		    "-A PREROUTING -j KUBE-SERVICES\n-A OUTPUT -j KUBE-SERVICES\n"
		    "-A POSTROUTING -j KUBE-POSTROUTING\n-A POSTROUTING -j MASQ\n"
		    "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000\n"
		    "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN\n"
		    "-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0\n"
		    "-A KUBE-POSTROUTING -j MASQUERADE --random-fully\n");
	nd_buf_printf(o->text, "-A MASQ -s %s -d %s -j RETURN\n", all, all);
	nd_buf_printf(o->text, "-A MASQ -s %s ! -d %s -j MASQUERADE\n", all,
		      o->is_six ? "ff00::/8" : "224.0.0.0/4");
	for (int s = 0; s < o->lab->nservices; s++)
		service(o, s);
	nd_buf_puts(o->text, "COMMIT\n");
}

static void filter(const struct out *o)
{
	nd_buf_puts(o->text,
		    "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
		    ":KUBE-FORWARD - [0:0]\n:KUBE-SERVICES - [0:0]\n"
		    "-A INPUT -m conntrack --ctstate NEW -j KUBE-SERVICES\n"
		    "-A FORWARD -j KUBE-FORWARD\n"
		    "-A FORWARD -m conntrack --ctstate NEW -j KUBE-SERVICES\n"
		    "-A OUTPUT -m conntrack --ctstate NEW -j KUBE-SERVICES\n"
		    "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP\n"
		    "-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT\n"
		    "-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n");
	for (int s = 0; s < o->lab->nservices; s++)
		if (o->lab->services[s].npods == 0)
			nd_buf_printf(o->text,
				      "-A KUBE-SERVICES -d %s -p %s -m %s --dport %d -j REJECT\n",
				      service_text(o->lab, s, o->is_six),
				      o->lab->services[s].is_udp ? "udp" : "tcp",
				      o->lab->services[s].is_udp ? "udp" : "tcp", SERVICE_PORT);
	nd_buf_puts(o->text, "COMMIT\n");
}

void gen_rules(struct lab *lab)
{
	/* One lab in five has no rules at all: no connection tracking either. */
	if (rng_chance(&lab->rng, 20)) {
		lab->nservices = 0;
		return;
	}
	for (int n = 0; n < lab->nnodes; n++)
		for (int six = 0; six < 2; six++) {
			struct out o = {
				lab,
				&lab->spaces[lab->nodes[n].space].text[six ? TOOL_IPT6 : TOOL_IPT4],
				six};

			if (!lab->has[six])
				continue;
			nat(&o);
			filter(&o);
		}
}
