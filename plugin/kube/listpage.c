#include "common/base.h"

#include "plugin/kube/listpage.h"

/* Where the scan stands. */
struct scan {
	const char *p;
	size_t len, at;
	unsigned depth;			       /* of open brackets */
	uint8_t is_map[ND_LISTPAGE_MAX_DEPTH]; /* of each open bracket */
	struct nd_str key[2];		       /* the last key of depth 1 and 2 */
	bool wants_value;		       /* a key and its colon were read */
	struct nd_listpage *out;
};

static int cut(const struct scan *s, struct nd_err *err)
{
	return nd_err_set(err, ND_E_INPUT, "the JSON ends in the middle, after %zu bytes", s->len);
}

static int broken(const struct scan *s, struct nd_err *err)
{
	return nd_err_set(err, ND_E_INPUT, "not JSON at byte %zu", s->at);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void skip_blanks(struct scan *s)
{
	while (s->at < s->len && is_blank(s->p[s->at]))
		s->at++;
}

/* at stands behind the opening quote; afterwards behind the closing one. */
static int read_string(struct scan *s, struct nd_str *out, struct nd_err *err)
{
	size_t start = s->at;

	while (s->at < s->len) {
		char c = s->p[s->at++];

		if (c == '"') {
			*out = (struct nd_str){s->p + start, s->at - 1 - start};
			return 0;
		}
		s->at += c == '\\';
	}
	s->at = s->len;
	return cut(s, err);
}

/* A string value of the two places we want to know about. */
static void note_string(struct scan *s, struct nd_str value)
{
	if (s->depth == 1 && nd_str_eq(s->key[0], "kind"))
		s->out->kind = value;
	if (s->depth == 2 && s->is_map[1] && nd_str_eq(s->key[0], "metadata") &&
	    nd_str_eq(s->key[1], "continue"))
		s->out->next_token = value;
}

static int on_string(struct scan *s, struct nd_err *err)
{
	struct nd_str value;
	bool in_map = s->depth > 0 && s->is_map[s->depth - 1];

	if (read_string(s, &value, err) < 0)
		return -1;
	if (!in_map || s->wants_value) {
		note_string(s, value);
		s->wants_value = false;
		return 0;
	}
	skip_blanks(s);
	if (s->at >= s->len)
		return cut(s, err);
	if (s->p[s->at] != ':')
		return broken(s, err);
	s->at++;
	s->wants_value = true;
	if (s->depth <= 2)
		s->key[s->depth - 1] = value;
	return 0;
}

static int on_open(struct scan *s, bool is_map, struct nd_err *err)
{
	if (s->depth >= ND_LISTPAGE_MAX_DEPTH)
		return nd_err_set(err, ND_E_INPUT, "the JSON is nested deeper than %d",
				  ND_LISTPAGE_MAX_DEPTH);
	if (s->depth > 0 && s->is_map[s->depth - 1] && !s->wants_value)
		return broken(s, err);
	if (s->depth == 1 && !is_map && nd_str_eq(s->key[0], "items"))
		s->out->has_items = true;
	if (s->depth == 1)
		s->key[1] = (struct nd_str){0};
	s->is_map[s->depth++] = is_map;
	s->wants_value = false;
	s->at++;
	return 0;
}

static int on_close(struct scan *s, bool is_map, struct nd_err *err)
{
	if (s->depth == 0 || s->is_map[s->depth - 1] != is_map || s->wants_value)
		return broken(s, err);
	s->depth--;
	s->at++;
	return 0;
}

/* true, false, null and numbers: skipped by their letters. */
static int on_literal(struct scan *s, struct nd_err *err)
{
	size_t start = s->at;

	while (s->at < s->len && (s->p[s->at] == '-' || s->p[s->at] == '+' || s->p[s->at] == '.' ||
				  (s->p[s->at] >= '0' && s->p[s->at] <= '9') ||
				  (s->p[s->at] >= 'a' && s->p[s->at] <= 'z') || s->p[s->at] == 'E'))
		s->at++;
	if (s->at == start || (s->is_map[s->depth - 1] && !s->wants_value))
		return broken(s, err);
	if (s->depth == 1 && nd_str_eq(s->key[0], "items") &&
	    nd_str_eq((struct nd_str){s->p + start, s->at - start}, "null"))
		s->out->has_items = true;
	s->wants_value = false;
	return 0;
}

static int step(struct scan *s, struct nd_err *err)
{
	switch (s->p[s->at]) {
	case '"':
		s->at++;
		return on_string(s, err);
	case '{':
	case '[':
		return on_open(s, s->p[s->at] == '{', err);
	case '}':
	case ']':
		return on_close(s, s->p[s->at] == '}', err);
	case ',':
		if (s->wants_value)
			return broken(s, err);
		s->at++;
		return 0;
	default:
		return on_literal(s, err);
	}
}

static int finish(struct scan *s, struct nd_err *err)
{
	struct nd_str kind = s->out->kind;
	char text[64], safe[64];

	skip_blanks(s);
	if (s->at < s->len)
		return nd_err_set(err, ND_E_INPUT, "something follows the JSON at byte %zu", s->at);
	snprintf(text, sizeof(text), "%.*s", (int)(kind.n < 60 ? kind.n : 60),
		 kind.n ? kind.p : "");
	nd_text_safe(safe, sizeof(safe), text);
	if (kind.n > 0 && (kind.n < 4 || memcmp(kind.p + kind.n - 4, "List", 4) != 0))
		return nd_err_set(err, ND_E_INPUT, "the answer is a %s, not a list", safe);
	if (!s->out->has_items)
		return nd_err_set(err, ND_E_INPUT, "the answer has no items, it is no list");
	if (s->out->next_token.n > ND_LISTPAGE_MAX_CONTINUE)
		return nd_err_set(err, ND_E_INPUT, "the continue token is longer than %u bytes",
				  ND_LISTPAGE_MAX_CONTINUE);
	return 0;
}

int nd_listpage_scan(const char *p, size_t len, struct nd_listpage *out, struct nd_err *err)
{
	struct scan s = {.p = p, .len = len, .out = out};

	*out = (struct nd_listpage){0};
	skip_blanks(&s);
	if (s.at >= s.len)
		return nd_err_set(err, ND_E_INPUT, "the answer is empty");
	if (s.p[s.at] != '{')
		return nd_err_set(err, ND_E_INPUT, "the answer is not a JSON object");
	if (on_open(&s, true, err) < 0)
		return -1;
	while (s.depth > 0) {
		skip_blanks(&s);
		if (s.at >= s.len)
			return cut(&s, err);
		if (step(&s, err) < 0)
			return -1;
	}
	return finish(&s, err);
}
