/*
 * ipt_text.h: the steps of a rule as one line, so that a test is a row of two texts.
 *
 *	-A X -s 10.0.0.0/8 -p tcp -j ACCEPT	"saddr&ff000000 == 0a000000; l4proto == 06; accept"
 */
#ifndef ND_TESTS_UNIT_IPT_TEXT_H
#define ND_TESTS_UNIT_IPT_TEXT_H

#include "common/base.h"
#include "plugin/walk/ipt_compile.h"

#include <inttypes.h>

static const char *const ipt_fields[ND_FIELDS] = {
	"saddr",    "daddr",	"l4proto", "nfproto", "sport",	 "dport",   "tcpflags",
	"icmptype", "icmpcode", "iif",	   "oif",     "physin",	 "physout", "mark",
	"ctstate",  "ctstatus", "ctmark",  "ctdir",   "ctsaddr", "ctdaddr", "ctsport",
	"ctdport",  "ctproto",	"stype",   "dtype",   "sfiboif", "random",  "counter",
	"pkttype",  "length",	"ttl",	   "dscp",    "fragoff", "owner",
};

static inline void ipt_put_bytes(FILE *f, const uint8_t *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%02x", bytes[i]);
}

/* Names as text, everything else in hexadecimal. */
static inline void ipt_put_value(FILE *f, const struct nd_rstep *step, const struct nd_value *value)
{
	enum nd_field field = step->loads[0].field;

	if (field == ND_F_IIFNAME || field == ND_F_OIFNAME || field == ND_F_PHYSIN ||
	    field == ND_F_PHYSOUT)
		fprintf(f, "\"%.*s\"/%u", value->n, (const char *)value->bytes, value->n);
	else
		ipt_put_bytes(f, value->bytes, value->n);
}

static inline void ipt_put_test(FILE *f, const struct nd_rstep *step)
{
	static const char *const ops[] = {"==", "!=", "<",  "<=", ">",	"in",	 "!in",
					  "&",	"!&", "=^", "!^", "in", "not in"};
	static const size_t op_at[] = {0, 1, 2, 3, 4, 0, 5, 6, 7, 8, 9, 10, 11, 12};

	if (step->op == ND_IN_IPSET || step->op == ND_NOT_IN_IPSET) {
		fprintf(f, "%s", step->op == ND_IN_IPSET ? "" : "not ");
		for (size_t i = 0; i < step->ipset->ndirs; i++)
			fprintf(f, "%s%s", i ? "," : "", step->ipset->is_src[i] ? "src" : "dst");
		fprintf(f, " in ipset %s%s", step->ipset->name,
			step->ipset->returns_nomatch ? " nomatch" : "");
		return;
	}
	for (size_t i = 0; i < step->nloads; i++) {
		const struct nd_load *load = &step->loads[i];

		fprintf(f, "%s%s", i ? "." : "", ipt_fields[load->field]);
		if (load->family == 6)
			fprintf(f, "6");
		if (load->arg)
			fprintf(f, ":%" PRIx32, load->arg);
		if (load->has_mask) {
			fprintf(f, "&");
			ipt_put_bytes(f, load->mask, step->lo.n);
		}
	}
	fprintf(f, " %s ", step->op == ND_GE ? ">=" : ops[op_at[step->op]]);
	if (step->op == ND_IN || step->op == ND_NOT_IN) {
		fprintf(f, "{");
		for (size_t i = 0; i < step->set->nitems; i++) {
			fprintf(f, "%s", i ? "," : "");
			ipt_put_value(f, step, &step->set->items[i].lo);
			if (memcmp(&step->set->items[i].lo, &step->set->items[i].hi,
				   sizeof(struct nd_value)) != 0) {
				fprintf(f, "-");
				ipt_put_value(f, step, &step->set->items[i].hi);
			}
		}
		fprintf(f, "}");
		return;
	}
	ipt_put_value(f, step, &step->lo);
	if (step->op == ND_RANGE || step->op == ND_NOT_RANGE) {
		fprintf(f, "-");
		ipt_put_value(f, step, &step->hi);
	}
}

static inline void ipt_put_verdict(FILE *f, const struct nd_verdict *verdict)
{
	static const char *const names[] = {"accept", "drop",  "return", "continue", "jump",
					    "goto",   "queue", "reject", "stolen"};

	fprintf(f, "%s", names[verdict->kind]);
	if (verdict->chain)
		fprintf(f, " %s", verdict->chain);
	if (verdict->reject_with)
		fprintf(f, " %s", verdict->reject_with);
	if (verdict->kind == ND_V_QUEUE)
		fprintf(f, " %u%s", verdict->queue, verdict->has_bypass ? " bypass" : "");
}

static inline void ipt_put_nat(FILE *f, const struct nd_nat *nat)
{
	char text[ND_IP_TEXT];

	if (nat->lo.family)
		fprintf(f, " %s", nd_ip_text(nat->lo, text));
	if (nat->lo.family && !nd_ip_eq(nat->lo, nat->hi))
		fprintf(f, "-%s", nd_ip_text(nat->hi, text));
	if (nat->port_lo)
		fprintf(f, " port %u", nat->port_lo);
	if (nat->port_hi != nat->port_lo)
		fprintf(f, "-%u", nat->port_hi);
	fprintf(f, "%s%s", nat->is_random ? " random" : "",
		nat->is_persistent ? " persistent" : "");
}

static inline void ipt_put_step(FILE *f, const struct nd_rstep *step)
{
	static const char *const names[ND_DO_UNKNOWN + 1] = {
		[ND_DO_TEST] = "",	     [ND_DO_VERDICT] = "",
		[ND_DO_MARK] = "mark",	     [ND_DO_CT_MARK] = "ctmark",
		[ND_DO_CT_SAVE] = "save",    [ND_DO_CT_RESTORE] = "restore",
		[ND_DO_DNAT] = "dnat",	     [ND_DO_SNAT] = "snat",
		[ND_DO_MASQUERADE] = "masq", [ND_DO_REDIRECT] = "redirect",
		[ND_DO_NOTRACK] = "notrack", [ND_DO_NOTHING] = "nothing",
		[ND_DO_TTL] = "ttl",	     [ND_DO_DSCP] = "dscp",
		[ND_DO_LIMIT] = "limit",     [ND_DO_UNKNOWN] = "unknown",
	};

	fprintf(f, "%s", names[step->kind] ? names[step->kind] : "?");
	switch (step->kind) {
	case ND_DO_TEST:
		ipt_put_test(f, step);
		break;
	case ND_DO_VERDICT:
		ipt_put_verdict(f, &step->verdict);
		break;
	case ND_DO_MARK:
	case ND_DO_CT_MARK:
	case ND_DO_TTL:
	case ND_DO_DSCP:
		fprintf(f, " %" PRIx32 "/%" PRIx32, step->value, step->mask);
		break;
	case ND_DO_CT_SAVE:
	case ND_DO_CT_RESTORE:
		fprintf(f, " %" PRIx32 " to %" PRIx32, step->mask, step->mask2);
		break;
	case ND_DO_DNAT:
	case ND_DO_SNAT:
	case ND_DO_MASQUERADE:
	case ND_DO_REDIRECT:
		ipt_put_nat(f, &step->nat);
		break;
	case ND_DO_LIMIT:
		fprintf(f, "%s", step->value ? " over" : "");
		break;
	case ND_DO_UNKNOWN:
		fprintf(f, " %s", step->unknown);
		break;
	default:
		break;
	}
}

/* For free(). */
static inline char *ipt_text(const struct nd_rrule *rule)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		abort();
	for (size_t i = 0; i < rule->nsteps; i++) {
		fprintf(f, "%s", i ? "; " : "");
		ipt_put_step(f, &rule->steps[i]);
	}
	fclose(f);
	return text;
}

#endif
