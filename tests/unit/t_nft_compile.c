/*
 * t_nft_compile.c: statements of `nft -j list ruleset` as steps. The rows are in nft_compile.txt:
 *	+ELEMENT		a set that stands before the rules of family inet that follow
 *	FAMILY STATEMENTS	one rule, as nft 1.0.6 prints it
 *		STEPS		what it becomes, as put_steps() below writes it
 */
#include "common/base.h"

#include "plugin/model/ruleset.h"
#include "tests/unit/model.h"

#include <stdarg.h>

/* ---- steps as text ---- */
static const char *const fields[ND_FIELDS] = {
	"saddr",   "daddr",   "l4proto", "nfproto", "sport",   "dport",	  "flags",
	"type",	   "code",    "iif",	 "oif",	    "physin",  "physout", "mark",
	"state",   "status",  "ctmark",	 "dir",	    "ctsaddr", "ctdaddr", "ctsport",
	"ctdport", "ctproto", "stype",	 "dtype",   "soif",    "random",  "counter",
	"pkttype", "length",  "ttl",	 "dscp",    "fragoff", "owner"};
static const char *const ops[] = {"==",	    "!=",	  "<",	       "<=",	">",
				  ">=",	    "in-range",	  "not-range", "any",	"none",
				  "prefix", "not-prefix", "in",	       "not-in"};
static const char *const verdicts[] = {"accept", "drop",  "return", "continue", "jump",
				       "goto",	 "queue", "reject", "stolen"};

static void put(char *out, const char *fmt, ...)
{
	size_t n = strlen(out);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out + n, 4096 - n, fmt, ap);
	va_end(ap);
}

/* Names are shown as such; a width of 16 that does not end in NUL is an address. */
static void put_bytes(char *out, const uint8_t *bytes, size_t n)
{
	if (n == 16 && bytes[15] == 0 && bytes[0] >= 'a' && bytes[0] <= 'z' && bytes[1] < 0x7f) {
		put(out, "%s", (const char *)bytes);
		return;
	}
	for (size_t i = 0; i < n; i++)
		put(out, "%02x", bytes[i]);
}

static void put_parts(char *out, const struct nd_rset *set, const struct nd_value *value)
{
	size_t at = 0;

	for (size_t i = 0; i < set->nparts; at += set->widths[i++]) {
		put(out, "%s", i ? "." : "");
		put_bytes(out, value->bytes + at, set->widths[i]);
	}
	assert_int_equal(at, value->n);
}

static void put_verdict(char *out, const struct nd_verdict *verdict)
{
	put(out, "%s", verdicts[verdict->kind]);
	if (verdict->chain)
		put(out, " %s", verdict->chain);
	if (verdict->kind == ND_V_QUEUE)
		put(out, " %u%s", verdict->queue, verdict->has_bypass ? " bypass" : "");
	if (verdict->reject_with)
		put(out, " %s", verdict->reject_with);
}

static void put_set(char *out, const struct nd_rset *set)
{
	put(out, "%s{", set->name ? set->name : "");
	for (size_t i = 0; i < set->nitems; i++) {
		const struct nd_set_item *item = &set->items[i];

		put(out, "%s", i ? ", " : "");
		put_parts(out, set, &item->lo);
		if (memcmp(&item->lo, &item->hi, sizeof(item->lo)) != 0) {
			put(out, "-");
			put_parts(out, set, &item->hi);
		}
		if (item->verdict || item->data.n)
			put(out, " : ");
		if (item->verdict)
			put_verdict(out, item->verdict);
		put_bytes(out, item->data.bytes, item->data.n);
	}
	if (set->fallback) {
		put(out, ", * : ");
		put_verdict(out, set->fallback);
	}
	put(out, "}%s%s", set->unknown ? " ?" : "", set->unknown ? set->unknown : "");
}

static void put_loads(char *out, const struct nd_rstep *step)
{
	for (size_t i = 0; i < step->nloads; i++) {
		const struct nd_load *load = &step->loads[i];

		put(out, "%s%s", i ? "." : "", fields[load->field]);
		if (load->family)
			put(out, "%u", load->family);
		if (load->arg || load->arg2)
			put(out, "(%u,%u)", load->arg, load->arg2);
		if (load->has_mask)
			put(out, "&%02x%02x%02x%02x^%02x%02x%02x%02x", load->mask[0], load->mask[1],
			    load->mask[2], load->mask[3], load->xor_[0], load->xor_[1],
			    load->xor_[2], load->xor_[3]);
	}
}

static void put_test(char *out, const struct nd_rstep *step)
{
	put_loads(out, step);
	put(out, " %s ", ops[step->op]);
	if (step->set) {
		put_set(out, step->set);
		return;
	}
	put_bytes(out, step->lo.bytes, step->lo.n);
	if (step->op == ND_RANGE || step->op == ND_NOT_RANGE) {
		put(out, "-");
		put_bytes(out, step->hi.bytes, step->hi.n);
	}
}

static void put_nat(char *out, const struct nd_rstep *step)
{
	static const char *const names[] = {"dnat", "snat", "masquerade", "redirect"};
	const struct nd_nat *nat = &step->nat;
	char lo[ND_IP_TEXT], hi[ND_IP_TEXT];

	put(out, "%s", names[step->kind - ND_DO_DNAT]);
	if (nat->lo.family)
		put(out, " %s", nd_ip_text(nat->lo, lo));
	if (nat->lo.family && !nd_ip_eq(nat->lo, nat->hi))
		put(out, "-%s", nd_ip_text(nat->hi, hi));
	if (nat->port_lo)
		put(out, " :%u-%u", nat->port_lo, nat->port_hi);
	put(out, "%s%s", nat->is_random ? " random" : "", nat->is_persistent ? " persistent" : "");
	if (nat->map) {
		put(out, " by ");
		put_loads(out, step);
		put(out, " %u+%u ", nat->map_addr_n, nat->map_port_n);
		put_set(out, nat->map);
	}
}

static void put_step(char *out, const struct nd_rstep *step)
{
	switch (step->kind) {
	case ND_DO_TEST:
		put_test(out, step);
		break;
	case ND_DO_VERDICT:
		put_verdict(out, &step->verdict);
		break;
	case ND_DO_VMAP:
		put_loads(out, step);
		put(out, " vmap ");
		put_set(out, step->set);
		break;
	case ND_DO_MARK:
	case ND_DO_CT_MARK:
		put(out, "%smark & ~%x ^ %x", step->kind == ND_DO_MARK ? "" : "ct", step->mask,
		    step->value);
		break;
	case ND_DO_CT_SAVE:
	case ND_DO_CT_RESTORE:
		put(out, "%s & ~%x ^ & %x", step->kind == ND_DO_CT_SAVE ? "save" : "restore",
		    step->mask2, step->mask);
		break;
	case ND_DO_DNAT:
	case ND_DO_SNAT:
	case ND_DO_MASQUERADE:
	case ND_DO_REDIRECT:
		put_nat(out, step);
		break;
	case ND_DO_TTL:
	case ND_DO_DSCP: /* only iptables has them so far */
		put(out, "%s & ~%x ^ %x", step->kind == ND_DO_TTL ? "ttl" : "dscp", step->mask,
		    step->value);
		break;
	case ND_DO_NOTRACK:
		put(out, "notrack");
		break;
	case ND_DO_NOTHING:
		put(out, "nothing");
		break;
	case ND_DO_LIMIT:
		put(out, "limit%s", step->value ? " over" : "");
		break;
	case ND_DO_UNKNOWN:
		put(out, "UNKNOWN %s", step->unknown);
		break;
	}
}

static void put_steps(char *out, const struct nd_rrule *rule)
{
	for (size_t i = 0; i < rule->nsteps; i++) {
		put(out, "%s", i ? " | " : "");
		put_step(out, &rule->steps[i]);
	}
}

/* ---- one rule ---- */
#define CHAIN "{\"chain\":{\"family\":\"%s\",\"table\":\"t\",\"name\":\"%s\",\"handle\":1%s}},"
#define HOOK ",\"type\":\"filter\",\"hook\":\"forward\",\"prio\":-10,\"policy\":\"drop\""

static char sets[16384]; /* elements, a comma behind each */

static const struct nd_rtable *compile(struct nd_model *model, const char *family,
				       const char *stmts)
{
	static char text[65536];

	snprintf(text, sizeof(text),
		 "{\"nftables\":[{\"table\":{\"family\":\"%s\",\"name\":\"t\",\"handle\":1}},%"
		 "s" CHAIN CHAIN "{\"rule\":{\"family\":\"%s\",\"table\":\"t\",\"chain\":\"c\","
		 "\"handle\":7,\"expr\":%s}}]}",
		 family, strcmp(family, "inet") == 0 ? sets : "", family, "foo", "", family, "c",
		 HOOK, family, stmts);
	feed_section(model, "nft", text);
	const struct nd_host *host = host_of(model);

	assert_true(nd_host_has(host, ND_SECTION_nft));
	assert_int_equal(host->nnft, 1);
	assert_non_null(host->nft[0].program);
	return host->nft[0].program;
}

static void check(const char *family, const char *stmts, const char *expected)
{
	struct nd_model *model = nd_model_new();
	const struct nd_rtable *table = compile(model, family, stmts);
	char got[4096] = "";

	assert_int_equal(table->nchains, 2);
	assert_int_equal(table->chains[1].nrules, 1);
	put_steps(got, &table->chains[1].rules[0]);
	if (strcmp(got, expected) != 0)
		print_error("%s %s\n", family, stmts);
	assert_string_equal(got, expected);
	nd_model_free(model);
}

static bool read_line(FILE *f, char *line, size_t size)
{
	if (!fgets(line, (int)size, f))
		return false;
	assert_non_null(strchr(line, '\n'));
	*strchr(line, '\n') = 0;
	return true;
}

static void statements_become_steps(void **state)
{
	static char line[16384], steps[4096];
	nd_auto_file FILE *f = fopen("tests/unit/nft_compile.txt", "r");
	size_t n = 0;

	(void)state;
	assert_non_null(f);
	while (read_line(f, line, sizeof(line))) {
		if (line[0] == '+') {
			size_t n_sets = strlen(sets);

			snprintf(sets + n_sets, sizeof(sets) - n_sets, "%s,", line + 1);
			assert_true(strlen(sets) < sizeof(sets) - 1);
			continue;
		}
		char *stmts = strchr(line, ' ');

		assert_non_null(stmts);
		*stmts++ = 0;
		assert_true(read_line(f, steps, sizeof(steps)) && steps[0] == '\t');
		check(line, stmts, steps + 1);
		n++;
	}
	assert_true(n > 200);
}

static void chains_and_rules_keep_their_places(void **state)
{
	struct nd_model *model = nd_model_new();
	const struct nd_rtable *table = compile(
		model, "inet", "[{\"counter\":{\"packets\":5,\"bytes\":9}},{\"drop\":null}]");
	const struct nd_rchain *chain = &table->chains[1];

	(void)state;
	assert_int_equal(table->backend, ND_RULES_NFT);
	assert_string_equal(table->family, "inet");
	assert_string_equal(table->name, "t");
	assert_false(table->chains[0].is_base);
	assert_true(chain->is_base && chain->is_drop);
	assert_int_equal(chain->hook, ND_FORWARD);
	assert_int_equal(chain->type, ND_CHAIN_FILTER);
	assert_int_equal(chain->priority, -10);
	assert_int_equal(chain->rules[0].number, 1);
	assert_int_equal(chain->rules[0].handle, 7);
	assert_int_equal(chain->rules[0].packets, 5);
	assert_true(chain->rules[0].has_counter);
	assert_string_equal(chain->rules[0].text, "counter drop");
	nd_model_free(model);
}

static void a_device_hook_is_named(void **state)
{
	static const char text[] =
		"{\"nftables\":[{\"table\":{\"family\":\"netdev\",\"name\":\"t\"}},"
		"{\"chain\":{\"family\":\"netdev\",\"table\":\"t\",\"name\":\"c\",\"type\":"
		"\"filter\","
		"\"hook\":\"ingress\",\"prio\":0,\"dev\":\"eth0\",\"policy\":\"accept\"}}]}";
	struct nd_model *model = nd_model_new();

	(void)state;
	feed_section(model, "nft", text);
	const struct nd_rtable *table = host_of(model)->nft[0].program;

	assert_false(table->chains[0].is_base);
	assert_string_equal(table->chains[0].other_hook, "ingress");
	nd_model_free(model);
}

static void elements_may_come_alone(void **state)
{
	static const char text[] = "{\"nftables\":[{\"table\":{\"family\":\"ip\",\"name\":\"t\"}},"
				   "{\"set\":{\"family\":\"ip\",\"name\":\"s\",\"table\":\"t\","
				   "\"type\":\"ipv4_addr\",\"elem\":[\"1.2.3.4\"]}},"
				   "{\"element\":{\"family\":\"ip\",\"name\":\"s\",\"table\":\"t\","
				   "\"elem\":[\"1.2.3.5\",\"bad\"]}}]}";
	struct nd_model *model = nd_model_new();
	char got[4096] = "";

	(void)state;
	feed_section(model, "nft", text);
	put_set(got, host_of(model)->nft[0].program->sets[0]);
	assert_string_equal(got, "s{01020304, 01020305} ?an element is not known");
	nd_model_free(model);
}

/* 256 are the most that a rule may have. */
static void a_rule_may_have_only_so_many_statements(void **state)
{
	(void)state;
	for (size_t n = 255; n <= 258; n++) {
		struct nd_model *model = nd_model_new();
		char text[8192] = "[";

		for (size_t i = 0; i < n; i++)
			strcat(text, i ? ",{\"log\":null}" : "{\"log\":null}");
		strcat(text, "]");
		const struct nd_rrule *rule = compile(model, "ip", text)->chains[1].rules;

		assert_int_equal(rule->nsteps, n < 256 ? n : 256);
		assert_int_equal(rule->steps[rule->nsteps - 1].kind,
				 n <= 256 ? ND_DO_NOTHING : ND_DO_UNKNOWN);
		nd_model_free(model);
	}
}

/* What iptables-nft-save has shown is not made a second time. */
static void saved_tables_have_no_program(void **state)
{
	static const char save[] =
		"# backend nft\n*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -j DROP\nCOMMIT\n";
	static const char text[] =
		"{\"nftables\":[{\"table\":{\"family\":\"ip\",\"name\":\"filter\"}},"
		"{\"table\":{\"family\":\"ip\",\"name\":\"mine\"}}]}";
	struct nd_model *model = nd_model_new();

	(void)state;
	feed_section(model, "iptables", save);
	feed_section(model, "nft", text);
	const struct nd_host *host = host_of(model);

	assert_true(host->ipt[ND_IPT_NFT].is_present);
	assert_null(host->nft[0].program);
	assert_non_null(host->nft[1].program);
	nd_model_free(model);
}

/* kube-proxy 1.31 in nftables mode, as a node of kind has it. */
static void all_of_kube_proxy_is_known(void **state)
{
	static char text[65536];
	nd_auto_file FILE *f = fopen("tests/fuzz/corpus/nft/kube-proxy.json", "r");
	struct nd_model *model = nd_model_new();
	size_t nrules = 0;

	(void)state;
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	feed_section(model, "nft", text);
	const struct nd_rtable *table = host_of(model)->nft[0].program;

	assert_string_equal(table->name, "kube-proxy");
	for (size_t i = 0; i < table->nsets; i++)
		assert_null(table->sets[i]->unknown);
	for (size_t i = 0; i < table->nchains; i++) {
		const struct nd_rchain *chain = &table->chains[i];

		nrules += chain->nrules;
		for (size_t j = 0; j < chain->nrules; j++)
			for (size_t k = 0; k < chain->rules[j].nsteps; k++)
				assert_int_not_equal(chain->rules[j].steps[k].kind, ND_DO_UNKNOWN);
	}
	assert_true(nrules > 50);
	nd_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statements_become_steps),
		cmocka_unit_test(chains_and_rules_keep_their_places),
		cmocka_unit_test(a_device_hook_is_named),
		cmocka_unit_test(elements_may_come_alone),
		cmocka_unit_test(a_rule_may_have_only_so_many_statements),
		cmocka_unit_test(saved_tables_have_no_program),
		cmocka_unit_test(all_of_kube_proxy_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
