#include "common/base.h"

#include "plugin/model/scan.h"

enum { AT_START, IN_TOP, IN_LIST_FIRST, IN_LIST, AT_END };

static bool fail(struct nd_scan *scan, const char *why)
{
	scan->why = why;
	return false;
}

static bool cut(struct nd_scan *scan)
{
	scan->is_cut = true;
	return fail(scan, "it is cut in the middle");
}

static void skip_blanks(struct nd_scan *scan)
{
	while (scan->at < scan->text.n && memchr(" \t\r\n", scan->text.p[scan->at], 4))
		scan->at++;
}

/* The next byte that is not blank, or 0 (and cut) at the end. */
static char peek(struct nd_scan *scan)
{
	skip_blanks(scan);
	if (scan->at < scan->text.n)
		return scan->text.p[scan->at];
	cut(scan);
	return 0;
}

/* From the opening quote to behind the closing one. */
static bool skip_string(struct nd_scan *scan)
{
	const char *p = scan->text.p;

	for (scan->at++; scan->at < scan->text.n; scan->at++) {
		if (p[scan->at] == '\\')
			scan->at++;
		else if (p[scan->at] == '"')
			return scan->at++, true;
	}
	scan->at = scan->text.n;
	return cut(scan);
}

/* Numbers and words: up to what ends a value. */
static bool skip_scalar(struct nd_scan *scan)
{
	size_t start = scan->at;

	while (scan->at < scan->text.n && !memchr(",]} \t\r\n:[{\"", scan->text.p[scan->at], 11))
		scan->at++;
	if (scan->at == start)
		return fail(scan, "a value was expected");
	return true;
}

/* An object or array: brackets must match, depth is capped, strings are jumped over. */
static bool skip_nested(struct nd_scan *scan)
{
	bool is_object[ND_SCAN_MAX_DEPTH];
	size_t depth = 0;

	for (; scan->at < scan->text.n; scan->at++) {
		char c = scan->text.p[scan->at];

		if (c == '"') {
			if (!skip_string(scan))
				return false;
			scan->at--;
		} else if (c == '{' || c == '[') {
			if (depth == ND_SCAN_MAX_DEPTH)
				return fail(scan, "it is nested too deep");
			is_object[depth++] = c == '{';
		} else if (c == '}' || c == ']') {
			if (is_object[--depth] != (c == '}'))
				return fail(scan, "brackets do not match");
			if (depth == 0)
				return scan->at++, true;
		}
	}
	return cut(scan);
}

static bool skip_value(struct nd_scan *scan, struct nd_str *value)
{
	char c = peek(scan);
	size_t start = scan->at;
	bool is_whole;

	if (!c)
		return scan->why ? false : fail(scan, "a value was expected");
	if (c == '"')
		is_whole = skip_string(scan);
	else if (c == '{' || c == '[')
		is_whole = skip_nested(scan);
	else
		is_whole = skip_scalar(scan);
	*value = (struct nd_str){scan->text.p + start, scan->at - start};
	return is_whole;
}

void nd_scan_start(struct nd_scan *scan, struct nd_str text, const char *key)
{
	*scan = (struct nd_scan){.text = text, .key = key, .state = AT_START};
	if (!text.p)
		scan->text = ND_STR("");
}

static bool finish(struct nd_scan *scan)
{
	scan->state = AT_END;
	skip_blanks(scan);
	if (scan->at < scan->text.n)
		return fail(scan, "there is something behind its end");
	return false;
}

/* The value of the list member: an array is entered, null is an empty list. */
static bool enter_list(struct nd_scan *scan)
{
	struct nd_str value;
	char c = peek(scan);

	if (!c)
		return false;
	if (scan->has_list)
		return fail(scan, "the list is there twice");
	scan->has_list = true;
	if (c == '[') {
		scan->at++;
		scan->state = IN_LIST_FIRST;
		return true;
	}
	if (!skip_value(scan, &value))
		return false;
	return nd_str_eq(value, "null") ? true : fail(scan, "the list is not an array");
}

/* One member of the top object; false when it broke. */
static bool top_member(struct nd_scan *scan)
{
	struct nd_str key, value;

	if (peek(scan) != '"')
		return scan->why ? false : fail(scan, "a member name was expected");
	if (!skip_value(scan, &key))
		return false;
	key = (struct nd_str){key.p + 1, key.n - 2};
	if (peek(scan) != ':')
		return scan->why ? false : fail(scan, "a colon was expected");
	scan->at++;
	if (scan->key && nd_str_eq(key, scan->key))
		return enter_list(scan);
	if (!skip_value(scan, &value))
		return false;
	if (nd_str_eq(key, "metadata"))
		scan->metadata = value;
	return true;
}

/* Behind a member: a comma and on, or the end of the object. True: a list was entered. */
static bool top_members(struct nd_scan *scan, bool is_first)
{
	while (!scan->why) {
		char c = peek(scan);

		if (!c)
			return scan->why ? false : fail(scan, "a member was expected");
		if (c == '}') {
			scan->at++;
			return finish(scan);
		}
		if (!is_first) {
			if (c != ',')
				return fail(scan, "a comma was expected");
			scan->at++;
		}
		is_first = false;
		if (!top_member(scan))
			return false;
		if (scan->state == IN_LIST_FIRST)
			return true;
		scan->state = IN_TOP;
	}
	return false;
}

static bool start(struct nd_scan *scan)
{
	char c = peek(scan);

	if (c == '[') {
		scan->at++;
		scan->is_top_array = scan->has_list = true;
		scan->state = IN_LIST_FIRST;
		return true;
	}
	if (c != '{')
		return scan->why ? false : fail(scan, "it is not JSON");
	scan->at++;
	return top_members(scan, true);
}

/* The closing bracket of the list was seen. */
static bool leave_list(struct nd_scan *scan)
{
	scan->at++;
	if (scan->is_top_array)
		return finish(scan);
	scan->state = IN_TOP;
	return top_members(scan, false);
}

static bool element(struct nd_scan *scan, struct nd_str *item)
{
	if (scan->state == IN_LIST) {
		if (scan->text.p[scan->at] != ',')
			return fail(scan, "a comma was expected");
		scan->at++;
	}
	scan->state = IN_LIST;
	if (!skip_value(scan, item))
		return false;
	if (item->n > ND_SCAN_MAX_ITEM)
		return fail(scan, "an element is too large");
	return true;
}

bool nd_scan_next(struct nd_scan *scan, struct nd_str *item)
{
	if (scan->why || scan->state == AT_END)
		return false;
	if (scan->state == AT_START && !start(scan))
		return false;
	/* A list can only be left once: a second one is an error. */
	while (scan->state == IN_LIST || scan->state == IN_LIST_FIRST) {
		char c = peek(scan);

		if (!c)
			return scan->why ? false : fail(scan, "an element was expected");
		if (c != ']')
			return element(scan, item);
		if (!leave_list(scan))
			return false;
	}
	return false;
}
