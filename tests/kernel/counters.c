/* counters.c: every rule of R with its packet counter, in the order its tools list them. */
#include "common/base.h"

#include "plugin/model/json.h"
#include "tests/kernel/kernel.h"

static const char *const *save_argv(size_t i)
{
	static const char *const argv[3][3] = {{"iptables-nft-save", "-c", NULL},
					       {"ip6tables-nft-save", "-c", NULL},
					       {"iptables-legacy-save", "-c", NULL}};

	return argv[i];
}

static struct counter_row *push(struct nd_arena *arena, struct counters *out, enum layer layer,
				const char *family, const char *table, struct nd_str chain)
{
	struct counter_row row = {.layer = layer, .family = family, .table = table, .number = 1};

	/* Rules of one chain stand side by side, or nearly so. */
	for (size_t i = out->nrows; i-- > 0;) {
		const struct counter_row *r = &out->rows[i];

		if (r->layer == layer && strcmp(r->family, family) == 0 &&
		    strcmp(r->table, table) == 0 && nd_str_eq(chain, r->chain)) {
			row.number = r->number + 1;
			row.chain = r->chain;
			break;
		}
	}
	if (!row.chain)
		row.chain = nd_arena_strdup(arena, chain.p, chain.n);
	ND_ARENA_PUSH(arena, out->rows, out->nrows) = row;
	return &out->rows[out->nrows - 1];
}

static void read_save(struct nd_arena *arena, const struct nd_buf *text, enum layer layer,
		      const char *family, struct counters *out)
{
	struct nd_str rest = {text->data, text->len}, line;
	const char *table = "?";

	while (nd_str_line(&rest, &line)) {
		struct nd_str all = line, word, chain;
		struct counter_row *row;

		if (line.n && line.p[0] == '*')
			table = nd_arena_strdup(arena, line.p + 1, line.n - 1);
		if (!line.n || line.p[0] != '[' || !nd_str_word(&all, &word) ||
		    !nd_str_word(&all, &chain) || !nd_str_word(&all, &chain))
			continue;
		row = push(arena, out, layer, family, table, chain);
		row->packets = strtoull(word.p + 1, NULL, 10);
		row->text = nd_arena_strdup(arena, line.p, line.n);
	}
}

static void read_rule(struct nd_arena *arena, const cJSON *rule, struct counters *out)
{
	const char *family = nd_json_str(rule, "family"), *table = nd_json_str(rule, "table");
	const char *chain = nd_json_str(rule, "chain");
	struct counter_row *row;
	const cJSON *expr;
	char *text;

	if (!family || !table || !chain)
		return;
	row = push(arena, out, LAYER_NFT, nd_arena_strdup(arena, family, strlen(family)),
		   nd_arena_strdup(arena, table, strlen(table)), nd_str(chain));
	text = cJSON_PrintUnformatted(nd_json_get(rule, "expr"));
	row->text = nd_arena_strdup(arena, text ? text : "?", text ? strlen(text) : 1);
	free(text);
	cJSON_ArrayForEach(expr, nd_json_get(rule, "expr"))
	{
		const cJSON *counter = nd_json_get(expr, "counter");

		if (counter)
			row->packets = (uint64_t)nd_json_int(counter, "packets", 0, INT64_MAX, 0);
	}
}

static void read_list(struct nd_arena *arena, const struct nd_buf *text, struct counters *out)
{
	nd_auto_json cJSON *json = cJSON_ParseWithLength(text->data, text->len);
	const cJSON *item;

	cJSON_ArrayForEach(item, nd_json_get(json, "nftables"))
	{
		const cJSON *rule = nd_json_get(item, "rule");
		const char *name = nd_json_str(rule, "table");

		/* Tables of iptables-nft are read by its own tool; ours are called t0, t1 ... */
		if (rule && name && name[0] == 't' && name[1] >= '0' && name[1] <= '9')
			read_rule(arena, rule, out);
	}
}

void counters_read(struct nd_arena *arena, const struct scenario *s, struct counters *out)
{
	static const char *const list[] = {"nft", "-j", "list", "ruleset", NULL};
	bool is_six = s->packets[0].family == 6;
	bool is_wanted[3] = {s->has[LAYER_IPT] && !is_six, s->has[LAYER_IPT] && is_six,
			     s->has[LAYER_LEGACY]};

	*out = (struct counters){0};
	for (size_t i = 0; i < 3; i++) {
		if (!is_wanted[i])
			continue;
		if (child_run(save_argv(i), NULL, 0, &out->save[i]) != 0)
			fprintf(stderr, "kernel: %s failed\n", save_argv(i)[0]);
		read_save(arena, &out->save[i], i == 2 ? LAYER_LEGACY : LAYER_IPT,
			  i == 1 ? "ip6" : "ip", out);
	}
	if (s->has[LAYER_NFT]) {
		child_run(list, NULL, 0, &out->list);
		read_list(arena, &out->list, out);
	}
}

void counters_free(struct counters *counters)
{
	for (size_t i = 0; i < 3; i++)
		nd_buf_free(&counters->save[i]);
	nd_buf_free(&counters->list);
}
