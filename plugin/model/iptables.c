#include "common/base.h"

#include "plugin/model/decode.h"
#include "plugin/model/iptables_rule.h"

#define MAX_TABLES 16	   /* the kernel has five */
#define MAX_CHAINS 500000  /* a table; 10,000 services make about 50,000 */
#define MAX_RULES 4000000u /* a chain */
/* iptables-save never goes back to a chain; who does makes us copy what was there. */
#define MAX_MOVED 1000000u

/* Chain name -> position; the tables' private part. */
struct nd_ipt_index {
	struct nd_index names;
};

struct parser {
	struct nd_model *m;
	struct nd_host *host;
	struct nd_ipt *ipt;
	struct nd_ipt_table *table; /* NULL between COMMIT and the next table */
	uint32_t chain;		    /* position the pending rules belong to */
	struct nd_ipt_rule *pending; /* npending rules of one chain; heap, owned */
	size_t npending, cap, nmoved;
	const char *why;
};

static void complain(struct parser *p, const char *why)
{
	if (!p->why)
		p->why = why;
}

/* Rules of a chain come in a row: they are gathered and then stored exactly. */
static void flush(struct parser *p)
{
	struct nd_ipt_chain *chain;
	struct nd_ipt_rule *rules;

	if (p->npending == 0)
		return;
	chain = &p->table->chains[p->chain];
	p->nmoved += chain->nrules;
	if (p->nmoved > MAX_MOVED) {
		complain(p, "the rules of a chain do not stand together");
		p->npending = 0;
		return;
	}
	rules = nd_model_array(p->m, chain->nrules + p->npending, sizeof(*rules));
	if (chain->nrules)
		memcpy(rules, chain->rules, chain->nrules * sizeof(*rules));
	memcpy(rules + chain->nrules, p->pending, p->npending * sizeof(*rules));
	chain->rules = rules;
	chain->nrules += p->npending;
	p->npending = 0;
}

static struct nd_ipt_rule *next_pending(struct parser *p)
{
	if (p->npending == p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 64, size_bytes;

		if (!nd_size_mul(cap, sizeof(*p->pending), &size_bytes))
			nd_out_of_memory(SIZE_MAX);
		struct nd_ipt_rule *grown = realloc(p->pending, size_bytes);

		if (!grown)
			nd_out_of_memory(size_bytes);
		p->pending = grown;
		p->cap = cap;
	}
	p->pending[p->npending] = (struct nd_ipt_rule){0};
	return &p->pending[p->npending++];
}

static void start_table(struct parser *p, struct nd_str name)
{
	struct nd_ipt *ipt = p->ipt;

	flush(p);
	p->table = NULL;
	for (size_t i = 0; i < ipt->ntables; i++)
		if (nd_str_eq(name, ipt->tables[i].name))
			p->table = &ipt->tables[i];
	if (p->table)
		return;
	if (!ipt->tables)
		ipt->tables = nd_model_array(p->m, MAX_TABLES, sizeof(*ipt->tables));
	if (ipt->ntables == MAX_TABLES) {
		complain(p, "there are too many tables");
		return;
	}
	p->table = &ipt->tables[ipt->ntables++];
	p->table->name = nd_model_textn(p->m, name);
	p->table->index = nd_model_array(p->m, 1, sizeof(*p->table->index));
}

/* The position of a chain, made when it is new; false when there are too many. */
static bool find_chain(struct parser *p, struct nd_str name, uint32_t *at)
{
	struct nd_ipt_table *table = p->table;

	if (nd_index_find(&table->index->names, name, at))
		return true;
	if (table->nchains == MAX_CHAINS) {
		complain(p, "there are too many chains");
		return false;
	}
	struct nd_ipt_chain chain = {.name = nd_model_textn(p->m, name)};

	*at = (uint32_t)table->nchains;
	nd_index_put(&table->index->names, &p->m->cluster.arena, nd_str(chain.name), *at);
	ND_ARENA_PUSH(&p->m->cluster.arena, table->chains, table->nchains) = chain;
	return true;
}

/* "[12:345]" */
static bool parse_counters(struct nd_str word, uint64_t *packets, uint64_t *bytes)
{
	const char *colon;
	uint64_t got_packets, got_bytes;

	if (word.n < 5 || word.p[0] != '[' || word.p[word.n - 1] != ']')
		return false;
	word = (struct nd_str){word.p + 1, word.n - 2};
	colon = memchr(word.p, ':', word.n);
	if (!colon)
		return false;
	size_t n = (size_t)(colon - word.p);

	if (!nd_parse_u64((struct nd_str){word.p, n}, UINT64_MAX, &got_packets) ||
	    !nd_parse_u64((struct nd_str){colon + 1, word.n - n - 1}, UINT64_MAX, &got_bytes))
		return false;
	*packets = got_packets;
	*bytes = got_bytes;
	return true;
}

/* ":FORWARD DROP [0:0]", ":KUBE-SERVICES - [0:0]" */
static void parse_chain(struct parser *p, struct nd_str line)
{
	struct nd_str rest = {line.p + 1, line.n - 1}, name, policy, counters;
	struct nd_ipt_chain *chain;
	uint32_t at;

	if (!nd_str_word(&rest, &name) || !nd_str_word(&rest, &policy)) {
		complain(p, "a chain line cannot be read");
		return;
	}
	flush(p);
	if (!find_chain(p, name, &at))
		return;
	chain = &p->table->chains[at];
	if (!nd_str_eq(policy, "-"))
		chain->policy = nd_model_textn(p->m, policy);
	if (nd_str_word(&rest, &counters))
		parse_counters(counters, &chain->packets, &chain->bytes);
}

/* "[0:0] -A FORWARD ...", the counters may be missing. */
static void parse_rule(struct parser *p, struct nd_str line)
{
	struct nd_str rest = line, word, name;
	uint64_t packets = 0, bytes = 0;
	uint32_t at;

	nd_str_word(&rest, &word);
	if (parse_counters(word, &packets, &bytes)) {
		line = nd_str_trim(rest);
		if (!nd_str_word(&rest, &word))
			word = ND_STR("");
	}
	if (!nd_str_eq(word, "-A") || !nd_str_word(&rest, &name)) {
		complain(p, "a line is neither chain nor rule");
		return;
	}
	if (!find_chain(p, name, &at))
		return;
	if (at != p->chain)
		flush(p);
	p->chain = at;
	size_t number = p->table->chains[at].nrules + p->npending + 1;

	if (number > MAX_RULES) {
		complain(p, "a chain has too many rules");
		return;
	}
	struct nd_ipt_rule *rule = next_pending(p);

	rule->packets = packets;
	rule->bytes = bytes;
	rule->number = (uint32_t)number;
	nd_ipt_rule_parse(p->m, line, rule);
}

/* "backend=nft family=4", then anything. NULL: neither. */
static struct nd_ipt *parse_header(struct parser *p, struct nd_str *rest)
{
	struct nd_str backend, family;
	bool is_6;

	if (!nd_str_word(rest, &backend) || !nd_str_word(rest, &family))
		return NULL;
	is_6 = nd_str_eq(family, "family=6");
	if (!is_6 && !nd_str_eq(family, "family=4"))
		return NULL;
	struct nd_ipt *ipt = is_6 ? p->host->ipt6 : p->host->ipt;

	if (nd_str_eq(backend, "backend=nft"))
		return &ipt[ND_IPT_NFT];
	return nd_str_eq(backend, "backend=legacy") ? &ipt[ND_IPT_LEGACY] : NULL;
}

static void end_table(struct parser *p)
{
	flush(p);
	p->table = NULL;
}

/* Our own headers; all other comments are iptables-save's chat. */
static void parse_comment(struct parser *p, struct nd_str line)
{
	const struct nd_str block = ND_STR("# netdoctor "), failed = ND_STR("error ");
	struct nd_str rest = line;
	struct nd_ipt *ipt;

	if (!nd_str_starts(line, block.p))
		return;
	rest = (struct nd_str){line.p + block.n, line.n - block.n};
	bool is_error = nd_str_starts(rest, failed.p);

	if (is_error)
		rest = (struct nd_str){rest.p + failed.n, rest.n - failed.n};
	ipt = parse_header(p, &rest);
	if (!ipt) {
		complain(p, "a header names no backend");
		return;
	}
	if (p->table)
		complain(p, "a table has no COMMIT");
	end_table(p);
	if (!is_error) {
		p->ipt = ipt;
		ipt->is_present = true;
		return;
	}
	rest = nd_str_trim(rest);
	ipt->error = rest.n ? nd_model_textn(p->m, rest) : "iptables-save failed";
	/* Without IPv6 the rest can still be judged; without IPv4 "no such rule" is no fact. */
	if (ipt >= p->host->ipt && ipt < p->host->ipt + ND_IPT_BACKENDS)
		complain(p, ipt->error);
	else
		nd_model_gap(p->m, "iptables (IPv6)", p->host->node, "%s", ipt->error);
}

static void parse_line(struct parser *p, struct nd_str line)
{
	if (memchr(line.p, '\0', line.n)) {
		complain(p, "a line has a NUL byte");
	} else if (line.p[0] == '#') {
		parse_comment(p, line);
	} else if (line.p[0] == '*') {
		if (p->table)
			complain(p, "a table has no COMMIT");
		p->ipt->is_present = true;
		start_table(p, (struct nd_str){line.p + 1, line.n - 1});
	} else if (nd_str_eq(line, "COMMIT")) {
		if (p->table)
			end_table(p);
		else
			complain(p, "there is a COMMIT without a table");
	} else if (!p->table) {
		complain(p, "there is a line outside a table");
	} else if (line.p[0] == ':' && line.n > 1) {
		parse_chain(p, line);
	} else {
		parse_rule(p, line);
	}
}

const char *nd_section_iptables(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	/* Without a header it is what iptables-save printed, in the node's own backend. */
	bool is_legacy = nd_eq(host->iptables_mode, "legacy");
	struct parser p = {.m = m,
			   .host = host,
			   .ipt = &host->ipt[is_legacy ? ND_IPT_LEGACY : ND_IPT_NFT]};
	struct nd_str line;

	memset(host->ipt, 0, sizeof(host->ipt));
	memset(host->ipt6, 0, sizeof(host->ipt6));
	while (nd_str_line(&text, &line)) {
		line = nd_str_trim(line);
		if (line.n)
			parse_line(&p, line);
	}
	if (p.table)
		complain(&p, "it is cut in the middle of a table");
	end_table(&p);
	free(p.pending);
	return p.why;
}

const struct nd_ipt_chain *nd_ipt_table_chain(const struct nd_ipt_table *table, const char *name)
{
	uint32_t at;

	if (!table || !name || !nd_index_find(&table->index->names, nd_str(name), &at))
		return NULL;
	return &table->chains[at];
}
