#include "common/base.h"

#include "common/text.h"
#include "plugin/kube/yaml.h"

#include <yaml.h>

struct anchor {
	const char *name;
	struct nd_yaml *node;
};

struct frame {
	struct nd_yaml *node;
	const char *key; /* MAP: read, its value comes next */
	bool is_merge;	 /* key was "<<" */
};

/* One run of the event parser. */
struct reader {
	yaml_parser_t parser;
	struct nd_arena *arena;
	const char *name;
	struct anchor *anchors; /* nanchors */
	size_t nanchors;
	struct frame stack[ND_YAML_MAX_DEPTH];
	size_t depth;
	size_t nnodes; /* with aliases written out */
	struct nd_yaml *root;
};

static int fail_at(const struct reader *r, unsigned line, struct nd_err *err, const char *what)
{
	return nd_err_set(err, ND_E_CONFIG, "%s:%u: %s", r->name, line, what);
}

/* libyaml's own words say what, never the text of the file, which may be a secret. */
static int fail_syntax(const struct reader *r, struct nd_err *err)
{
	const yaml_parser_t *p = &r->parser;

	return fail_at(r, (unsigned)p->problem_mark.line + 1, err,
		       p->problem ? p->problem : "not YAML");
}

static int count_nodes(struct reader *r, size_t n, unsigned line, struct nd_err *err)
{
	r->nnodes += n;
	if (r->nnodes > ND_YAML_MAX_NODES)
		return fail_at(r, line, err, "too many values");
	return 0;
}

static int pair_put(struct reader *r, struct nd_yaml *map, struct nd_yaml_pair pair, unsigned line,
		    struct nd_err *err)
{
	for (size_t i = 0; i < map->npairs; i++) {
		if (strcmp(map->pairs[i].key, pair.key) != 0)
			continue;
		if (!pair.is_merged || map->pairs[i].is_merged)
			map->pairs[i] = pair; /* the last one wins, as in kubectl */
		return 0;
	}
	if (map->npairs >= ND_YAML_MAX_KEYS)
		return fail_at(r, line, err, "too many keys in one map");
	ND_ARENA_PUSH(r->arena, map->pairs, map->npairs) = pair;
	return 0;
}

/* "<<": the keys of another map, or of several, of which the first has the say. */
static int merge_into(struct reader *r, struct nd_yaml *map, const struct nd_yaml *from,
		      unsigned line, struct nd_err *err)
{
	if (from->kind == ND_YAML_LIST) {
		for (size_t i = from->nitems; i-- > 0;) {
			if (from->items[i]->kind != ND_YAML_MAP)
				return fail_at(r, line, err,
					       "\"<<\" wants a map or a list of maps");
			if (merge_into(r, map, from->items[i], line, err) < 0)
				return -1;
		}
		return 0;
	}
	if (from->kind != ND_YAML_MAP)
		return fail_at(r, line, err, "\"<<\" wants a map or a list of maps");
	if (count_nodes(r, from->nnodes, line, err) < 0)
		return -1;
	for (size_t i = 0; i < from->npairs; i++) {
		struct nd_yaml_pair pair = from->pairs[i];

		pair.is_merged = true;
		if (pair_put(r, map, pair, line, err) < 0)
			return -1;
	}
	return 0;
}

/* Hang node under the map or list that is open. */
static int attach(struct reader *r, struct nd_yaml *node, unsigned line, struct nd_err *err)
{
	if (r->depth == 0) {
		r->root = node;
		return 0;
	}
	struct frame *top = &r->stack[r->depth - 1];
	struct nd_yaml *in = top->node;
	const char *key = top->key;

	if (in->kind == ND_YAML_MAP && !key) {
		if (node->kind != ND_YAML_SCALAR)
			return fail_at(r, line, err, "a key must be a word");
		top->key = node->text;
		top->is_merge = node->is_plain && strcmp(node->text, "<<") == 0;
		return 0;
	}
	if (r->depth + node->depth > ND_YAML_MAX_DEPTH)
		return fail_at(r, line, err, "nested too deep");
	top->key = NULL;
	if (in->kind == ND_YAML_MAP && top->is_merge)
		return merge_into(r, in, node, line, err);
	if (in->kind == ND_YAML_MAP)
		return pair_put(r, in, (struct nd_yaml_pair){.key = key, .value = node}, line, err);
	ND_ARENA_PUSH(r->arena, in->items, in->nitems) = node;
	return 0;
}

/* Keys and anchors are looked up one by one: few of each, or a hostile file takes minutes. */
static int anchor_put(struct reader *r, const yaml_char_t *name, struct nd_yaml *node,
		      struct nd_err *err)
{
	if (!name)
		return 0;
	if (r->nanchors >= ND_YAML_MAX_ANCHORS)
		return fail_at(r, node->line, err, "too many anchors");
	ND_ARENA_PUSH(r->arena, r->anchors, r->nanchors) = (struct anchor){
		.name = nd_arena_strdup(r->arena, (const char *)name, strlen((const char *)name)),
		.node = node,
	};
	return 0;
}

static struct nd_yaml *node_new(struct reader *r, enum nd_yaml_kind kind, unsigned line)
{
	struct nd_yaml *node = nd_arena_alloc(r->arena, sizeof(*node));

	*node = (struct nd_yaml){.kind = kind, .line = line, .depth = 1, .nnodes = 1};
	return node;
}

static int check_tag(const struct reader *r, const yaml_char_t *tag, unsigned line,
		     struct nd_err *err)
{
	static const char *const known[] = {
		"!", YAML_STR_TAG, YAML_MAP_TAG, YAML_SEQ_TAG, YAML_INT_TAG, YAML_BOOL_TAG,
	};

	if (!tag)
		return 0;
	for (size_t i = 0; i < ND_ARRAY_LEN(known); i++)
		if (strcmp((const char *)tag, known[i]) == 0)
			return 0;
	return fail_at(r, line, err,
		       "tags other than !!str, !!map, !!seq, !!int, !!bool are not known");
}

static int on_scalar(struct reader *r, const yaml_event_t *ev, unsigned line, struct nd_err *err)
{
	const char *value = (const char *)ev->data.scalar.value;
	size_t n = ev->data.scalar.length;

	if (check_tag(r, ev->data.scalar.tag, line, err) < 0)
		return -1;
	if (memchr(value, '\0', n))
		return fail_at(r, line, err, "a value has a NUL byte");
	struct nd_yaml *node = node_new(r, ND_YAML_SCALAR, line);
	node->text = nd_arena_strdup(r->arena, value, n);
	node->is_plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !ev->data.scalar.tag;
	if (count_nodes(r, 1, line, err) < 0 ||
	    anchor_put(r, ev->data.scalar.anchor, node, err) < 0)
		return -1;
	return attach(r, node, line, err);
}

static int on_alias(struct reader *r, const yaml_event_t *ev, unsigned line, struct nd_err *err)
{
	const char *name = (const char *)ev->data.alias.anchor;

	for (size_t i = r->nanchors; i-- > 0;) {
		struct nd_yaml *node = r->anchors[i].node;

		if (strcmp(r->anchors[i].name, name) != 0)
			continue;
		if (node->is_open)
			return fail_at(r, line, err, "an alias to what it stands in");
		if (count_nodes(r, node->nnodes, line, err) < 0)
			return -1;
		return attach(r, node, line, err);
	}
	return fail_at(r, line, err, "an alias to an anchor that is not there");
}

static int on_open(struct reader *r, enum nd_yaml_kind kind, const yaml_char_t *anchor,
		   const yaml_char_t *tag, unsigned line, struct nd_err *err)
{
	if (check_tag(r, tag, line, err) < 0)
		return -1;
	if (r->depth >= ND_YAML_MAX_DEPTH)
		return fail_at(r, line, err, "nested too deep");
	if (count_nodes(r, 1, line, err) < 0)
		return -1;
	struct nd_yaml *node = node_new(r, kind, line);
	if (anchor_put(r, anchor, node, err) < 0)
		return -1;
	node->is_open = true;
	r->stack[r->depth++] = (struct frame){.node = node};
	return 0;
}

static int on_close(struct reader *r, unsigned line, struct nd_err *err)
{
	struct nd_yaml *node = r->stack[--r->depth].node;

	node->is_open = false;
	for (size_t i = 0; i < node->nitems; i++) {
		node->nnodes += node->items[i]->nnodes;
		if (node->items[i]->depth + 1 > node->depth)
			node->depth = node->items[i]->depth + 1;
	}
	for (size_t i = 0; i < node->npairs; i++) {
		node->nnodes += node->pairs[i].value->nnodes;
		if (node->pairs[i].value->depth + 1 > node->depth)
			node->depth = node->pairs[i].value->depth + 1;
	}
	return attach(r, node, line, err);
}

static int on_event(struct reader *r, const yaml_event_t *ev, bool *is_done, struct nd_err *err)
{
	unsigned line = (unsigned)ev->start_mark.line + 1;

	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		return on_scalar(r, ev, line, err);
	case YAML_ALIAS_EVENT:
		return on_alias(r, ev, line, err);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(r, ND_YAML_LIST, ev->data.sequence_start.anchor,
			       ev->data.sequence_start.tag, line, err);
	case YAML_MAPPING_START_EVENT:
		return on_open(r, ND_YAML_MAP, ev->data.mapping_start.anchor,
			       ev->data.mapping_start.tag, line, err);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_close(r, line, err);
	case YAML_DOCUMENT_END_EVENT:
	case YAML_STREAM_END_EVENT:
		*is_done = true; /* kubectl reads the first document only */
		return 0;
	default:
		return 0;
	}
}

static int read_events(struct reader *r, struct nd_err *err)
{
	bool is_done = false;

	while (!is_done) {
		yaml_event_t ev;

		if (!yaml_parser_parse(&r->parser, &ev))
			return fail_syntax(r, err);
		int rc = on_event(r, &ev, &is_done, err);
		yaml_event_delete(&ev);
		if (rc < 0)
			return -1;
	}
	return 0;
}

int nd_yaml_parse(struct nd_arena *arena, const char *p, size_t len, const char *name,
		  struct nd_yaml **out, struct nd_err *err)
{
	struct reader *r = nd_arena_alloc(arena, sizeof(*r));

	if (len > ND_YAML_MAX_BYTES)
		return nd_err_set(err, ND_E_LIMIT, "%s: larger than %u MiB", name,
				  ND_YAML_MAX_BYTES >> 20);
	r->arena = arena;
	r->name = name;
	if (!yaml_parser_initialize(&r->parser))
		ND_BUG("out of memory");
	yaml_parser_set_input_string(&r->parser, (const unsigned char *)(p ? p : ""), len);
	int rc = read_events(r, err);
	yaml_parser_delete(&r->parser);
	if (rc < 0)
		return -1;
	*out = r->root;
	return 0;
}

const struct nd_yaml *nd_yaml_get(const struct nd_yaml *map, const char *key)
{
	if (!map || map->kind != ND_YAML_MAP)
		return NULL;
	for (size_t i = 0; i < map->npairs; i++)
		if (strcmp(map->pairs[i].key, key) == 0)
			return map->pairs[i].value;
	return NULL;
}

static bool is_word(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(text, *words) == 0)
			return true;
	return false;
}

bool nd_yaml_is_null(const struct nd_yaml *node)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};

	return !node ||
	       (node->kind == ND_YAML_SCALAR && node->is_plain && is_word(node->text, nulls));
}

/* JSON's number grammar, so that the text can be copied. */
static bool is_json_number(const char *s)
{
	s += *s == '-';
	if (*s == '0')
		s++;
	else if (*s >= '1' && *s <= '9')
		s += strspn(s, "0123456789");
	else
		return false;
	if (*s == '.') {
		size_t n = strspn(s + 1, "0123456789");

		if (n == 0)
			return false;
		s += 1 + n;
	}
	return *s == '\0';
}

static void scalar_json(const struct nd_yaml *node, const char *key, struct nd_jsonw *w)
{
	static const char *const yes[] = {"true", "True", "TRUE", NULL};
	static const char *const no[] = {"false", "False", "FALSE", NULL};

	if (nd_yaml_is_null(node))
		nd_jsonw_str(w, key, NULL);
	else if (node->is_plain && (is_word(node->text, yes) || is_word(node->text, no)))
		nd_jsonw_bool(w, key, is_word(node->text, yes));
	else if (node->is_plain && is_json_number(node->text))
		nd_jsonw_raw(w, key, node->text, strlen(node->text));
	else
		nd_jsonw_str(w, key, node->text);
}

void nd_yaml_json(const struct nd_yaml *node, const char *key, struct nd_jsonw *w)
{
	if (!node || node->kind == ND_YAML_SCALAR) {
		scalar_json(node, key, w);
		return;
	}
	bool is_map = node->kind == ND_YAML_MAP;
	nd_jsonw_begin(w, key, is_map ? '{' : '[');
	for (size_t i = 0; i < node->npairs; i++)
		nd_yaml_json(node->pairs[i].value, node->pairs[i].key, w);
	for (size_t i = 0; i < node->nitems; i++)
		nd_yaml_json(node->items[i], NULL, w);
	nd_jsonw_end(w, is_map ? '}' : ']');
}
