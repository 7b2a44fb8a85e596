#include "common/base.h"

#include "plugin/evidence/bundle.h"
#include "plugin/walk/ipt_rule.h"
#include "tests/unit/ipt_text.h"
#include "tests/unit/model.h"

#include <glob.h>

/* Built-in chains of all tables; a user's chain with the name of a target, and one of another's. */
static const char sample[] =
	"# netdoctor backend=nft family=4\n"
	"*raw\n:PREROUTING ACCEPT [1:2]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
	"*mangle\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n"
	":OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\nCOMMIT\n"
	"*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
	":POSTROUTING ACCEPT [0:0]\n:FORWARD - [0:0]\nCOMMIT\n"
	"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [3:180]\n:OUTPUT ACCEPT [0:0]\n:USER - [0:0]\n"
	":PREROUTING ACCEPT [0:0]\n"
	"[5:6] -A FORWARD -p tcp -j USER\n"
	"[0:0] -A FORWARD -g USER\n"
	"[0:0] -A FORWARD -j NOSUCH --some option\n"
	"[0:0] -A FORWARD -g NOSUCH\n"
	"[0:0] -A FORWARD -g LOG\n"
	"[0:0] -A FORWARD -j INPUT\n"
	"[7:8] -A USER -j RETURN\nCOMMIT\n"
	"*security\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
	"*mine\n:INPUT ACCEPT [0:0]\nCOMMIT\n"
	"# netdoctor backend=legacy family=6\n"
	"*filter\n:INPUT DROP [0:0]\n[0:0] -A INPUT -s fd00::1/128 -j ACCEPT\nCOMMIT\n";

static const struct nd_rchain *chain_of(const struct nd_rtable *tables, size_t n, const char *table,
					const char *chain)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; nd_eq(tables[i].name, table) && j < tables[i].nchains; j++)
			if (nd_eq(tables[i].chains[j].name, chain))
				return &tables[i].chains[j];
	fail_msg("no chain %s in %s", chain, table);
	return NULL;
}

static void check_rule(const struct nd_rchain *chain, size_t i, const char *wanted)
{
	assert_true(i < chain->nrules);
	char *got = ipt_text(&chain->rules[i]);

	assert_string_equal(got, wanted);
	free(got);
	assert_int_equal(chain->rules[i].number, i + 1);
	assert_true(chain->rules[i].has_counter);
}

static void check_bases(const struct nd_rtable *tables, size_t n)
{
	static const struct {
		const char *table, *chain;
		enum nd_hook hook;
		int priority;
		enum nd_chain_type type;
	} wanted[] = {
		{"raw", "PREROUTING", ND_PREROUTING, -300, ND_CHAIN_FILTER},
		{"raw", "OUTPUT", ND_OUTPUT, -300, ND_CHAIN_FILTER},
		{"mangle", "PREROUTING", ND_PREROUTING, -150, ND_CHAIN_FILTER},
		{"mangle", "INPUT", ND_INPUT, -150, ND_CHAIN_FILTER},
		{"mangle", "FORWARD", ND_FORWARD, -150, ND_CHAIN_FILTER},
		{"mangle", "OUTPUT", ND_OUTPUT, -150, ND_CHAIN_ROUTE},
		{"mangle", "POSTROUTING", ND_POSTROUTING, -150, ND_CHAIN_FILTER},
		{"nat", "PREROUTING", ND_PREROUTING, -100, ND_CHAIN_NAT},
		{"nat", "OUTPUT", ND_OUTPUT, -100, ND_CHAIN_NAT},
		{"nat", "INPUT", ND_INPUT, 100, ND_CHAIN_NAT},
		{"nat", "POSTROUTING", ND_POSTROUTING, 100, ND_CHAIN_NAT},
		{"filter", "INPUT", ND_INPUT, 0, ND_CHAIN_FILTER},
		{"filter", "FORWARD", ND_FORWARD, 0, ND_CHAIN_FILTER},
		{"filter", "OUTPUT", ND_OUTPUT, 0, ND_CHAIN_FILTER},
		{"security", "INPUT", ND_INPUT, 50, ND_CHAIN_FILTER},
		{"security", "FORWARD", ND_FORWARD, 50, ND_CHAIN_FILTER},
		{"security", "OUTPUT", ND_OUTPUT, 50, ND_CHAIN_FILTER},
	};
	size_t nbases = 0;

	for (size_t i = 0; i < ND_ARRAY_LEN(wanted); i++) {
		const struct nd_rchain *chain = chain_of(tables, n, wanted[i].table, wanted[i].chain);

		assert_true(chain->is_base);
		assert_int_equal(chain->hook, wanted[i].hook);
		assert_int_equal(chain->priority, wanted[i].priority);
		assert_int_equal(chain->type, wanted[i].type);
		assert_int_equal(chain->is_drop, nd_eq(wanted[i].table, "filter") && wanted[i].hook == ND_FORWARD);
	}
	/* No others: not a user's chain, not a chain of a table that has no such hook. */
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < tables[i].nchains; j++)
			nbases += tables[i].chains[j].is_base;
	assert_int_equal(nbases, ND_ARRAY_LEN(wanted));
}

static void compiles_tables(void **state)
{
	struct nd_model *model = nd_model_new();
	struct nd_arena arena = {0};
	size_t n;

	(void)state;
	feed_section(model, "iptables", sample);
	const struct nd_host *host = host_of(model);
	struct nd_rtable *tables = nd_ipt_compile(&arena, &host->ipt[ND_IPT_NFT], ND_RULES_IPT_NFT, 4, NULL, &n);

	assert_int_equal(n, 6);
	assert_string_equal(tables[0].family, "ip");
	assert_int_equal(tables[0].backend, ND_RULES_IPT_NFT);
	check_bases(tables, n);
	const struct nd_rchain *forward = chain_of(tables, n, "filter", "FORWARD");

	assert_int_equal(forward->policy_packets, 3);
	assert_int_equal(forward->rules[0].packets, 5);
	check_rule(forward, 0, "l4proto == 06; jump USER");
	check_rule(forward, 1, "goto USER");
	check_rule(forward, 2, "unknown -j NOSUCH --some option");
	check_rule(forward, 3, "unknown -g NOSUCH");
	check_rule(forward, 4, "unknown -g LOG");
	check_rule(forward, 5, "unknown -j INPUT");
	check_rule(chain_of(tables, n, "filter", "USER"), 0, "return");
	tables = nd_ipt_compile(&arena, &host->ipt6[ND_IPT_LEGACY], ND_RULES_IPT_LEGACY, 6, NULL, &n);
	assert_int_equal(n, 1);
	assert_string_equal(tables[0].family, "ip6");
	assert_int_equal(tables[0].backend, ND_RULES_IPT_LEGACY);
	check_rule(&tables[0].chains[0], 0, "saddr6 == fd000000000000000000000000000001; accept");
	assert_null(nd_ipt_compile(&arena, &host->ipt[ND_IPT_LEGACY], ND_RULES_IPT_LEGACY, 4, NULL, &n));
	assert_int_equal(n, 0);
	nd_arena_free(&arena);
	nd_model_free(model);
}

/* ---- rules of real clusters ---- */
static size_t count_unknown(const struct nd_ipt *ipt, uint8_t family, size_t *nrules)
{
	struct nd_arena arena = {0};
	size_t n, nunknown = 0;
	struct nd_rtable *tables = nd_ipt_compile(&arena, ipt, ND_RULES_IPT_NFT, family, NULL, &n);

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < tables[i].nchains; j++) {
			const struct nd_rchain *chain = &tables[i].chains[j];

			*nrules += chain->nrules;
			for (size_t k = 0; k < chain->nrules; k++) {
				const struct nd_rrule *rule = &chain->rules[k];
				const struct nd_rstep *last = &rule->steps[rule->nsteps - 1];

				if (last->kind != ND_DO_UNKNOWN)
					continue;
				print_error("unknown: %s: %s\n", last->unknown, rule->text);
				nunknown++;
			}
		}
	}
	nd_arena_free(&arena);
	return nunknown;
}

/* kube-proxy, kindnet, flannel, docker and kubelet, as recorded from the lab's clusters. */
static void knows_all_rules_of_the_cases(void **state)
{
	size_t nrules = 0, nunknown = 0;
	glob_t found = {0};

	(void)state;
	if (glob("tests/cases/*/bundle.tar.gz", 0, NULL, &found) != 0)
		skip();
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct nd_model *model = nd_model_new();
		struct nd_sink sink = nd_model_sink(model);
		struct nd_err err = {0};

		if (nd_bundle_read(found.gl_pathv[i], &sink, &err) < 0)
			fail_msg("%s: %s", found.gl_pathv[i], err.text);
		const struct nd_cluster *cluster = nd_model_finish(model);

		for (size_t j = 0; j < cluster->nhosts; j++) {
			for (size_t k = 0; k < ND_IPT_BACKENDS; k++) {
				nunknown += count_unknown(&cluster->hosts[j].ipt[k], 4, &nrules);
				nunknown += count_unknown(&cluster->hosts[j].ipt6[k], 6, &nrules);
			}
		}
		nd_model_free(model);
	}
	globfree(&found);
	assert_true(nrules > 1000);
	assert_int_equal(nunknown, 0);
}

/* ---- limits and cuts ---- */
static bool is_unknown(const char *text)
{
	struct nd_arena arena = {0};
	struct nd_rrule rule;

	nd_ipt_compile_rule(&arena, text, 4, &rule);
	assert_true(rule.nsteps >= 1);
	bool is = rule.steps[rule.nsteps - 1].kind == ND_DO_UNKNOWN;

	assert_true(!is || rule.steps[rule.nsteps - 1].unknown);
	nd_arena_free(&arena);
	return is;
}

/* head, then word n times, then tail; for free(). */
static char *repeat(const char *head, const char *word, size_t n, const char *tail)
{
	char *text = malloc(strlen(head) + n * strlen(word) + strlen(tail) + 1), *at = stpcpy(text, head);

	while (n--)
		at = stpcpy(at, word);
	strcpy(at, tail);
	return text;
}

static void check_repeat(const char *head, const char *word, size_t most, const char *tail)
{
	for (size_t n = most - 1; n <= most + 1; n++) {
		char *text = repeat(head, word, n, tail);

		assert_int_equal(is_unknown(text), n > most);
		free(text);
	}
}

static void ends_at_its_limits(void **state)
{
	(void)state;
	/* The longest line, the most steps (-p and -j are two), the most words. */
	check_repeat("-A X -m comment --comment ", "a", ND_IPT_MAX_LINE - 1 - 34, " -j DROP");
	check_repeat("-A X -p tcp", " -f", ND_IPT_MAX_STEPS - 2, " -j DROP");
	check_repeat("-A X -j LOG", " -f", ND_IPT_MAX_WORDS - 4, "");
	assert_true(is_unknown(""));
	assert_true(is_unknown("-A"));
	assert_false(is_unknown("-A X"));
	assert_true(is_unknown("-D X -j DROP"));
	assert_true(is_unknown("-A X \"\""));
	assert_true(is_unknown("-A X -m \"\" -j DROP"));
	assert_true(is_unknown("-A X -j \xff\xfe --\xff"));
	assert_true(is_unknown("-A X -m tcp --dport \xff -j DROP"));
	assert_false(is_unknown("-A X -m comment --comment \xff\\"));
}

/* A rule that is cut never does more than the whole one: it ends in its verdict, or is unknown. */
static void cuts_are_harmless(void **state)
{
	static const char text[] = "-A X ! -s 10.0.0.0/8 -d 1.1.1.1/32 -p tcp -m comment --comment \"a b\" -m tcp "
				   "--dport 80:90 -m conntrack ! --ctstate NEW,DNAT -m addrtype --dst-type LOCAL "
				   "-m statistic --mode random --probability 0.5 -m u32 --u32 \"0=1\" "
				   "-j DNAT --to-destination 10.0.0.1-10.0.0.2:80-90 --random";

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		struct nd_arena arena = {0};
		struct nd_rrule rule;
		char *cut = malloc(n + 1);

		memcpy(cut, text, n);
		cut[n] = '\0';
		nd_ipt_compile_rule(&arena, cut, 4, &rule);
		assert_true(rule.nsteps >= 1);
		for (size_t i = 0; i < rule.nsteps; i++)
			assert_true(rule.steps[i].kind == ND_DO_TEST || rule.steps[i].kind == ND_DO_UNKNOWN ||
				    rule.steps[i].kind == ND_DO_NOTHING);
		free(cut);
		nd_arena_free(&arena);
	}
}

/* ---- the tables of matches and targets ---- */
static void check_unique(const struct nd_ipt_ext *const *groups, size_t ngroups)
{
	const struct nd_ipt_ext *all[ND_IPT_NAME_SLOTS / 2];
	size_t n = 0;

	for (size_t i = 0; i < ngroups; i++) {
		for (const struct nd_ipt_ext *row = groups[i]; row->name; row++) {
			/* Half of the slots stay free. */
			assert_true(n < ND_ARRAY_LEN(all));
			for (size_t j = 0; j < n; j++)
				assert_string_not_equal(all[j]->name, row->name);
			all[n++] = row;
		}
	}
}

static void names_are_unique(void **state)
{
	const struct nd_ipt_ext *const matches[] = {nd_ipt_matches_l4, nd_ipt_matches_ct, nd_ipt_matches_net,
						    nd_ipt_matches_chance};
	const struct nd_ipt_ext *const targets[] = {nd_ipt_targets};

	(void)state;
	check_unique(matches, ND_ARRAY_LEN(matches));
	check_unique(targets, ND_ARRAY_LEN(targets));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compiles_tables),    cmocka_unit_test(knows_all_rules_of_the_cases),
		cmocka_unit_test(ends_at_its_limits), cmocka_unit_test(cuts_are_harmless),
		cmocka_unit_test(names_are_unique),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
