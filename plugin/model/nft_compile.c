#include "common/base.h"

#include "plugin/model/nft_parts.h"
#include "plugin/model/nft_text.h"

#define MAX_NAME 1024
#define MAX_UNKNOWN 512 /* bytes of the words that are not known */

struct nd_nft_tab {
	struct nd_rtable *program;
	struct nd_index chains, sets; /* name -> position in program->chains, defs */
	struct nd_nft_def *defs;      /* ndefs; program->sets are theirs */
	size_t ndefs;
	bool is_skipped; /* iptables-save has its rules */
};

struct nd_nft_compiler {
	struct nd_arena *arena;
	const struct nd_host *host;
	struct nd_nft_tab *tables; /* ntables, in the order of host->nft */
	size_t ntables;
	size_t last;	       /* table that was asked for: elements come table by table */
	struct nd_index names; /* "FAMILY TABLE" -> position in tables */
	struct nd_index texts, loads;
	size_t nsteps, nitems; /* of all */
	struct nd_rstep steps[ND_NFT_MAX_STEPS];
};

struct nd_nft_compiler *nd_nft_compiler_new(struct nd_arena *arena, const struct nd_host *host)
{
	struct nd_nft_compiler *compiler = nd_arena_alloc(arena, sizeof(*compiler));

	compiler->arena = arena;
	compiler->host = host;
	return compiler;
}

/* ---- what the other files use ---- */
const char *nd_nft_text_once(struct nd_nft_compiler *compiler, const char *text)
{
	bool is_new;
	struct nd_index_slot *slot =
		nd_index_claim(&compiler->texts, compiler->arena, nd_str(text), &is_new);

	if (is_new)
		slot->key = nd_arena_strdup(compiler->arena, text, slot->len);
	return slot->key;
}

const struct nd_load *nd_nft_loads_once(struct nd_nft_compiler *compiler,
					const struct nd_load *loads, size_t n)
{
	struct nd_str key = {(const char *)loads, n * sizeof(*loads)};
	bool is_new;
	struct nd_index_slot *slot =
		nd_index_claim(&compiler->loads, compiler->arena, key, &is_new);

	if (is_new) {
		struct nd_load *kept = nd_arena_array(compiler->arena, n, sizeof(*kept));

		memcpy(kept, loads, key.n);
		slot->key = (const char *)kept;
	}
	return (const struct nd_load *)(const void *)slot->key;
}

bool nd_nft_take_items(struct nd_nft_compiler *compiler, size_t n)
{
	if (n > ND_NFT_MAX_ALL_ITEMS - compiler->nitems)
		return false;
	compiler->nitems += n;
	return true;
}

struct nd_rstep *nd_nft_step(struct nd_nft_build *build, enum nd_step_kind kind)
{
	struct nd_rstep *step;

	if (build->nsteps == ND_NFT_MAX_STEPS) {
		build->is_over = true;
		build->nsteps--;
	}
	step = &build->steps[build->nsteps++];
	*step = (struct nd_rstep){.kind = kind};
	return step;
}

void nd_nft_unknown(struct nd_nft_build *build, const cJSON *stmt)
{
	nd_auto_buf struct nd_buf text = {.max_bytes = MAX_UNKNOWN};
	struct nd_rstep *step = nd_nft_step(build, ND_DO_UNKNOWN);

	nd_nft_stmt_text(&text, stmt);
	step->unknown = nd_arena_strdup(build->arena, text.len ? text.data : "", text.len);
}

/* ---- names ---- */
/* "FAMILY TABLE" in text; n 0: a part is missing or too long. */
static struct nd_str make_key(const char *family, const char *table, char text[MAX_NAME])
{
	int n = family && table ? snprintf(text, MAX_NAME, "%s %s", family, table) : 0;

	if (n <= 0 || n >= MAX_NAME)
		return (struct nd_str){0};
	return (struct nd_str){text, (size_t)n};
}

static struct nd_nft_tab *find_table(struct nd_nft_compiler *compiler, const cJSON *object)
{
	const char *family = nd_json_str(object, "family"), *name = nd_json_str(object, "table");
	char text[MAX_NAME];
	uint32_t at;

	if (compiler->last < compiler->ntables) {
		struct nd_nft_tab *last = &compiler->tables[compiler->last];

		if (nd_eq(last->program->name, name) && nd_eq(last->program->family, family))
			return last;
	}
	struct nd_str key = make_key(family, name, text);

	if (!key.n || !nd_index_find(&compiler->names, key, &at))
		return NULL;
	compiler->last = at;
	return &compiler->tables[at];
}

const struct nd_nft_def *nd_nft_find_set(struct nd_nft_build *build, const char *name)
{
	uint32_t at;

	if (!nd_index_find(&build->tab->sets, nd_str(name), &at))
		return NULL;
	return &build->tab->defs[at];
}

static struct nd_nft_build build_for(struct nd_nft_compiler *compiler,
				     const struct nd_nft_tab *table)
{
	const char *family = table->program->family;

	return (struct nd_nft_build){.compiler = compiler,
				     .arena = compiler->arena,
				     .family = family,
				     .tab = table,
				     .steps = compiler->steps,
				     .nfproto = nd_eq(family, "ip")    ? 2
						: nd_eq(family, "ip6") ? 10
								       : 0};
}

/* ---- elements ---- */
/*
 * What iptables-nft-save prints is read there; it leaves out tables that have base chains of their
 * own. Where it has not spoken (yet), the table is compiled: the walk decides.
 */
static bool is_saved(const struct nd_host *host, const char *family, const char *name)
{
	const struct nd_ipt *ipt = nd_eq(family, "ip")	  ? &host->ipt[ND_IPT_NFT]
				   : nd_eq(family, "ip6") ? &host->ipt6[ND_IPT_NFT]
							  : NULL;

	if (!ipt || !ipt->is_present || ipt->error)
		return false;
	for (size_t i = 0; i < ipt->ntables; i++)
		if (nd_eq(ipt->tables[i].name, name))
			return true;
	return false;
}

static void add_table(struct nd_nft_compiler *compiler, const cJSON *object)
{
	const char *family = nd_json_str(object, "family"), *name = nd_json_str(object, "name");
	char text[MAX_NAME];
	struct nd_str key = make_key(family, name, text);
	struct nd_nft_tab table = {0};

	if (!key.n || nd_index_slot(&compiler->names, key))
		return;
	key.p = nd_arena_strdup(compiler->arena, key.p, key.n);
	table.is_skipped = is_saved(compiler->host, family, name);
	table.program = nd_arena_alloc(compiler->arena, sizeof(*table.program));
	table.program->backend = ND_RULES_NFT;
	table.program->family = nd_nft_text_once(compiler, family);
	table.program->name = nd_nft_text_once(compiler, name);
	nd_index_put(&compiler->names, compiler->arena, key, (uint32_t)compiler->ntables);
	ND_ARENA_PUSH(compiler->arena, compiler->tables, compiler->ntables) = table;
}

static bool read_hook(const char *text, enum nd_hook *out)
{
	static const char *const hooks[ND_HOOKS] = {"prerouting", "input", "forward", "output",
						    "postrouting"};

	for (size_t i = 0; i < ND_HOOKS; i++) {
		if (nd_eq(hooks[i], text)) {
			*out = (enum nd_hook)i;
			return true;
		}
	}
	return false;
}

static void add_chain(struct nd_nft_compiler *compiler, const cJSON *object)
{
	struct nd_nft_tab *table = find_table(compiler, object);
	const char *name = nd_json_str(object, "name"), *hook = nd_json_str(object, "hook");
	const char *type = nd_json_str(object, "type");
	struct nd_rchain chain = {0};

	if (!table || !name || nd_index_slot(&table->chains, nd_str(name)))
		return;
	chain.name = nd_nft_text_once(compiler, name);
	chain.is_base = read_hook(hook, &chain.hook);
	if (hook && !chain.is_base)
		chain.other_hook = nd_nft_text_once(compiler, hook);
	chain.type = nd_eq(type, "nat")	    ? ND_CHAIN_NAT
		     : nd_eq(type, "route") ? ND_CHAIN_ROUTE
					    : ND_CHAIN_FILTER;
	chain.priority = (int32_t)nd_json_int(object, "prio", INT32_MIN, INT32_MAX, 0);
	chain.is_drop = nd_eq(nd_json_str(object, "policy"), "drop");
	nd_index_put(&table->chains, compiler->arena, nd_str(chain.name),
		     (uint32_t)table->program->nchains);
	ND_ARENA_PUSH(compiler->arena, table->program->chains, table->program->nchains) = chain;
}

static void finish_rule(struct nd_nft_build *build, struct nd_rrule *rule)
{
	struct nd_nft_compiler *compiler = build->compiler;
	struct nd_rstep *last;

	if (build->nsteps > ND_NFT_MAX_ALL_STEPS - compiler->nsteps) {
		build->nsteps = 1;
		build->is_over = true;
	} else {
		compiler->nsteps += build->nsteps;
	}
	if (build->is_over) {
		last = &build->steps[build->nsteps - 1];
		*last = (struct nd_rstep){.kind = ND_DO_UNKNOWN, .unknown = "too many statements"};
	}
	rule->nsteps = build->nsteps;
	if (!build->nsteps)
		return;
	rule->steps = nd_arena_array(build->arena, build->nsteps, sizeof(*rule->steps));
	memcpy(rule->steps, build->steps, build->nsteps * sizeof(*rule->steps));
}

/* Most chains of kube-proxy have two rules: ND_ARENA_PUSH would make room for eight. */
static void push_rule(struct nd_arena *arena, struct nd_rchain *chain, const struct nd_rrule *rule)
{
	const size_t n = chain->nrules;

	if (n == 0 || (n >= 2 && (n & (n - 1)) == 0)) {
		struct nd_rrule *rules = nd_arena_array(arena, n ? 2 * n : 2, sizeof(*rules));

		if (n)
			memcpy(rules, chain->rules, n * sizeof(*rules));
		chain->rules = rules;
	}
	chain->rules[chain->nrules++] = *rule;
}

static void add_rule(struct nd_nft_compiler *compiler, const cJSON *object)
{
	struct nd_nft_tab *table = find_table(compiler, object);
	const cJSON *stmts = nd_json_get(object, "expr"), *stmt;
	const char *name = nd_json_str(object, "chain");
	struct nd_rrule rule = {.text = ""};
	uint32_t at;

	if (!table || table->is_skipped || !name || !cJSON_IsArray(stmts) ||
	    !nd_index_find(&table->chains, nd_str(name), &at))
		return;
	struct nd_rchain *chain = &table->program->chains[at];
	struct nd_nft_build build = build_for(compiler, table);

	rule.number = (uint32_t)chain->nrules + 1;
	rule.handle = (uint64_t)nd_json_int(object, "handle", 0, INT64_MAX, 0);
	cJSON_ArrayForEach(stmt, stmts)
	{
		const cJSON *counter = nd_json_get(stmt, "counter");

		nd_nft_stmt(&build, stmt);
		rule.has_counter |= counter != NULL;
		rule.packets = (uint64_t)nd_json_int(counter, "packets", 0, INT64_MAX,
						     (int64_t)rule.packets);
	}
	finish_rule(&build, &rule);
	push_rule(compiler->arena, chain, &rule);
}

static void add_set(struct nd_nft_compiler *compiler, const cJSON *object, bool is_map)
{
	struct nd_nft_tab *table = find_table(compiler, object);
	const char *name = nd_json_str(object, "name");
	struct nd_nft_def def = {0};

	if (!table || table->is_skipped || !name || nd_index_slot(&table->sets, nd_str(name)))
		return;
	struct nd_nft_build build = build_for(compiler, table);

	nd_nft_def_read(&build, object, is_map, &def);
	nd_index_put(&table->sets, compiler->arena, nd_str(def.set->name), (uint32_t)table->ndefs);
	ND_ARENA_PUSH(compiler->arena, table->program->sets, table->program->nsets) = def.set;
	ND_ARENA_PUSH(compiler->arena, table->defs, table->ndefs) = def;
}

/* Elements that stand on their own: {"element": {..., "name": SET, "elem": [...]}}. */
static void add_elements(struct nd_nft_compiler *compiler, const cJSON *object)
{
	struct nd_nft_tab *table = find_table(compiler, object);
	const char *name = nd_json_str(object, "name");
	uint32_t at;

	if (!table || table->is_skipped || !name || !nd_index_find(&table->sets, nd_str(name), &at))
		return;
	struct nd_nft_build build = build_for(compiler, table);

	nd_nft_def_add(&build, nd_json_get(object, "elem"), &table->defs[at]);
}

void nd_nft_compile(struct nd_nft_compiler *compiler, const cJSON *element)
{
	const cJSON *object = cJSON_IsObject(element) ? element->child : NULL;
	const char *name = object ? object->string : NULL;

	if (nd_eq(name, "table"))
		add_table(compiler, object);
	else if (nd_eq(name, "chain"))
		add_chain(compiler, object);
	else if (nd_eq(name, "rule"))
		add_rule(compiler, object);
	else if (nd_eq(name, "set"))
		add_set(compiler, object, false);
	else if (nd_eq(name, "map"))
		add_set(compiler, object, true);
	else if (nd_eq(name, "element"))
		add_elements(compiler, object);
}

/* ---- the end ---- */
/* Both were made of the same elements; texts are rendered once, by the decoder. */
static void take_texts(const struct nd_nft_table *from, struct nd_rtable *program)
{
	for (size_t i = 0; i < from->nchains && i < program->nchains; i++) {
		const struct nd_nft_chain *chain = &from->chains[i];
		struct nd_rchain *to = &program->chains[i];

		for (size_t j = 0; j < chain->nrules && j < to->nrules; j++)
			if (chain->rules[j].text)
				to->rules[j].text = chain->rules[j].text;
	}
}

void nd_nft_compiler_end(struct nd_nft_compiler *compiler, struct nd_host *host)
{
	for (size_t i = 0; i < compiler->ntables && i < host->nnft; i++) {
		struct nd_nft_tab *table = &compiler->tables[i];

		if (table->is_skipped || !nd_eq(host->nft[i].name, table->program->name) ||
		    !nd_eq(host->nft[i].family, table->program->family))
			continue;
		take_texts(&host->nft[i], table->program);
		table->program->position = (uint32_t)i + 1;
		host->nft[i].program = table->program;
	}
}
