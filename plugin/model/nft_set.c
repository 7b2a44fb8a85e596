#include "common/base.h"

#include "plugin/model/nft_parts.h"

/* ---- types ---- */
static bool add_type(const char *type, size_t n, struct nd_nft_kinds *out)
{
	char name[32];

	if (n == 0 || n >= sizeof(name) || out->n == ND_NFT_MAX_PARTS)
		return false;
	memcpy(name, type, n);
	name[n] = 0;
	out->at[out->n] = nd_nft_kind_of_type(name);
	return out->at[out->n++] != NULL;
}

/* "ipv4_addr . inet_service" */
static bool add_types(const char *text, struct nd_nft_kinds *out)
{
	const char *dot;

	for (; (dot = strstr(text, " . ")); text = dot + 3)
		if (!add_type(text, (size_t)(dot - text), out))
			return false;
	return add_type(text, strlen(text), out);
}

/* {"typeof": expr}: the expression says it; what it implies is of no matter here. */
static bool typeof_kinds(struct nd_nft_build *build, const cJSON *expr, struct nd_nft_kinds *out)
{
	struct nd_nft_build aside = *build;
	struct nd_nft_left left;
	bool is_known = nd_nft_left(&aside, expr, &left);

	if (is_known)
		*out = left.kinds;
	return is_known;
}

bool nd_nft_types(struct nd_nft_build *build, const cJSON *types, struct nd_nft_kinds *out)
{
	const char *text = nd_json_text(types);
	const cJSON *item;

	*out = (struct nd_nft_kinds){0};
	if (text)
		return add_types(text, out);
	if (nd_json_get(types, "typeof"))
		return typeof_kinds(build, nd_json_get(types, "typeof"), out);
	if (!cJSON_IsArray(types) || !types->child)
		return false;
	cJSON_ArrayForEach(item, types)
	{
		text = nd_json_text(item);
		if (!text || !add_type(text, strlen(text), out))
			return false;
	}
	return true;
}

/* ---- elements ---- */
static bool read_spans(const struct nd_nft_kinds *kinds, const cJSON *value, struct nd_value *lo,
		       struct nd_value *hi)
{
	const cJSON *part = value;

	if (nd_json_get(value, "concat"))
		part = nd_json_get(value, "concat")->child;
	else if (kinds->n != 1)
		return false;
	for (uint8_t i = 0; i < kinds->n; i++, part = part->next) {
		if (!part || !nd_nft_span(kinds->at[i], part, lo->bytes + lo->n, hi->bytes + hi->n))
			return false;
		lo->n = (uint8_t)(lo->n + kinds->at[i]->width);
		hi->n = lo->n;
		if (part == value)
			return true;
	}
	return !part;
}

static bool read_data(struct nd_nft_build *build, const struct nd_nft_def *def, const cJSON *value,
		      struct nd_set_item *item)
{
	struct nd_value hi = {0};
	struct nd_verdict verdict = {0};

	if (!def->has_verdicts)
		return read_spans(&def->data, value, &item->data, &hi) &&
		       memcmp(item->data.bytes, hi.bytes, hi.n) == 0;
	if (!nd_nft_verdict(build, value, &verdict))
		return false;
	struct nd_verdict *kept = nd_arena_alloc(build->arena, sizeof(*kept));

	*kept = verdict;
	item->verdict = kept;
	return true;
}

/* Statements of an element that decide whether it is found. */
static bool has_condition(const cJSON *elem)
{
	return nd_json_get(elem, "limit") || nd_json_get(elem, "quota") ||
	       nd_json_get(elem, "ct count");
}

/* "*" stands for every key that no other element has. True: *item is to be added. */
static bool read_default(struct nd_nft_def *def, struct nd_set_item *item)
{
	struct nd_rset *set = def->set;

	if (def->has_verdicts)
		set->fallback = item->verdict;
	else if (def->is_map)
		set->unknown = "the value of its element \"*\"";
	if (def->is_map)
		return false;
	for (uint8_t i = 0; i < def->key.n; i++)
		item->lo.n = (uint8_t)(item->lo.n + def->key.at[i]->width);
	item->hi.n = item->lo.n;
	memset(item->hi.bytes, 0xff, item->hi.n);
	return true;
}

/* True: *item is to be added. */
static bool read_element(struct nd_nft_build *build, const cJSON *element, struct nd_nft_def *def,
			 struct nd_set_item *item)
{
	bool is_pair = def->is_map && cJSON_IsArray(element) && element->child;
	const cJSON *key = is_pair ? element->child : element;
	const cJSON *elem = nd_json_get(key, "elem");

	*item = (struct nd_set_item){0};
	if (elem)
		key = nd_json_get(elem, "val");
	if (has_condition(elem) || is_pair != def->is_map ||
	    (is_pair && !read_data(build, def, element->child->next, item))) {
		def->set->unknown = "an element is not known";
		return false;
	}
	if (nd_eq(nd_json_text(key), "*"))
		return read_default(def, item);
	if (read_spans(&def->key, key, &item->lo, &item->hi))
		return true;
	def->set->unknown = "an element is not known";
	return false;
}

void nd_nft_def_add(struct nd_nft_build *build, const cJSON *elements, struct nd_nft_def *def)
{
	size_t n = nd_json_count(elements, SIZE_MAX);
	struct nd_rset *set = def->set;
	const cJSON *element;

	if (n == 0 || set->nparts == 0)
		return;
	if (!nd_nft_take_items(build->compiler, n)) {
		set->unknown = "it has too many elements";
		return;
	}
	struct nd_set_item *items = nd_arena_array(build->arena, set->nitems + n, sizeof(*items));

	if (set->nitems)
		memcpy(items, set->items, set->nitems * sizeof(*items));
	set->items = items;
	cJSON_ArrayForEach(element, elements)
	{
		if (read_element(build, element, def, &items[set->nitems]))
			set->nitems++;
	}
}

static void set_parts(struct nd_nft_def *def)
{
	struct nd_rset *set = def->set;

	set->nparts = def->key.n;
	for (uint8_t i = 0; i < def->key.n; i++)
		set->widths[i] = def->key.at[i]->width;
}

/* A limit for each element, as in `set x { ...; limit rate 5/second; }`. */
static bool has_statement(const cJSON *object)
{
	const cJSON *stmt;

	cJSON_ArrayForEach(stmt, nd_json_get(object, "stmt"))
	{
		if (has_condition(stmt))
			return true;
	}
	return false;
}

void nd_nft_def_read(struct nd_nft_build *build, const cJSON *object, bool is_map,
		     struct nd_nft_def *def)
{
	const cJSON *data = nd_json_get(object, "map");
	const char *name = nd_json_str(object, "name");

	def->set = nd_arena_alloc(build->arena, sizeof(*def->set));
	def->set->name = nd_nft_text_once(build->compiler, name ? name : "");
	def->is_map = is_map;
	def->has_verdicts = is_map && nd_eq(nd_json_text(data), "verdict");
	if (!nd_nft_types(build, nd_json_get(object, "type"), &def->key) ||
	    (is_map && !def->has_verdicts && !nd_nft_types(build, data, &def->data))) {
		def->key.n = 0;
		def->set->unknown = "its type is not known";
		return;
	}
	set_parts(def);
	if (has_statement(object))
		def->set->unknown = "its elements have limits";
	nd_nft_def_add(build, nd_json_get(object, "elem"), def);
}

/* ---- uses ---- */
/* How the data of an anonymous map looks: its first element tells if a port is there too. */
static struct nd_nft_kinds data_of(const cJSON *elements, const struct nd_nft_kinds *data)
{
	struct nd_nft_kinds kinds = *data;
	const cJSON *first = elements ? elements->child : NULL;
	const cJSON *value = cJSON_IsArray(first) && first->child ? first->child->next : NULL;

	if (kinds.n > 1 && !nd_json_get(value, "concat"))
		kinds.n = 1;
	return kinds;
}

const struct nd_nft_def *nd_nft_set_of(struct nd_nft_build *build, const cJSON *value,
				       const struct nd_nft_kinds *key,
				       const struct nd_nft_def *like)
{
	const char *name = nd_json_text(value);
	const cJSON *elements = nd_json_get(value, "set");

	if (name && name[0] == '@') {
		const struct nd_nft_def *def = nd_nft_find_set(build, name + 1);

		return def && def->is_map == like->is_map &&
				       def->has_verdicts == like->has_verdicts &&
				       nd_nft_kinds_eq(&def->key, key)
			       ? def
			       : NULL;
	}
	if (!elements)
		return NULL;
	struct nd_nft_def *def = nd_arena_alloc(build->arena, sizeof(*def));

	*def = *like;
	def->key = *key;
	def->set = nd_arena_alloc(build->arena, sizeof(*def->set));
	if (cJSON_IsArray(elements)) {
		def->data = data_of(elements, &like->data);
		set_parts(def);
		nd_nft_def_add(build, elements, def);
	} else {
		def->set->unknown = "its elements are not listed";
	}
	return def;
}
