#include "common/base.h"

#include "common/text.h"
#include "plugin/evidence/layout.h"

#include <ctype.h>

static const struct layout {
	enum nd_item_kind kind;
	const char *pattern;
} layouts[] = {
#define ND_LAYOUT(id, pattern) {ND_ITEM_##id, pattern},
#include "plugin/evidence/layouts.def"
#undef ND_LAYOUT
};

static bool is_plain(char c, bool is_first)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || (c == '.' && !is_first);
}

/* Append label, escaped, at dst[at]; the new length, or 0 when the label cannot be one. */
static size_t label_put(char dst[ND_LAYOUT_MAX_PATH], size_t at, const char *label)
{
	size_t n = label ? strlen(label) : 0;

	if (n == 0 || n > ND_LAYOUT_MAX_LABEL || at + 3 * n >= ND_LAYOUT_MAX_PATH)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (is_plain(label[i], i == 0))
			dst[at++] = label[i];
		else
			at += (size_t)sprintf(dst + at, "%%%02X", (unsigned char)label[i]);
	}
	return at;
}

bool nd_layout_path(const struct nd_item *item, unsigned page, char dst[ND_LAYOUT_MAX_PATH])
{
	const char *pattern = NULL;
	size_t at = 0;
	char number[16];

	for (size_t i = ND_ARRAY_LEN(layouts); i-- > 0;)
		if (layouts[i].kind == item->kind)
			pattern = layouts[i].pattern;
	if (!pattern)
		return false;
	snprintf(number, sizeof(number), "%04u", page);
	while (*pattern) {
		const char *label = NULL;

		if (nd_starts(pattern, "{node}"))
			label = item->node ? item->node : "";
		else if (nd_starts(pattern, "{name}"))
			label = item->name;
		else if (nd_starts(pattern, "{page}"))
			label = number;
		if (label) {
			at = label_put(dst, at, label);
			if (at == 0)
				return false;
			pattern += strlen("{node}");
		} else if (at + 1 < ND_LAYOUT_MAX_PATH) {
			dst[at++] = *pattern++;
		} else {
			return false;
		}
	}
	dst[at] = '\0';
	return true;
}

static bool byte_parse(const char *hex, char *out)
{
	uint64_t value;

	if (!nd_parse_hex((struct nd_str){hex, strnlen(hex, 2)}, 255, &value) || value == 0)
		return false;
	*out = (char)value;
	return true;
}

/* Undo the escapes of src into dst. */
static bool label_take(struct nd_str src, char dst[ND_LAYOUT_MAX_LABEL + 1])
{
	size_t at = 0;

	for (size_t i = 0; i < src.n; i++) {
		if (at >= ND_LAYOUT_MAX_LABEL)
			return false;
		if (src.p[i] != '%') {
			dst[at++] = src.p[i];
			continue;
		}
		if (i + 2 >= src.n || !byte_parse(src.p + i + 1, &dst[at]))
			return false;
		at++;
		i += 2;
	}
	dst[at] = '\0';
	return at > 0;
}

/* The slice a placeholder stands for: up to the part of the pattern that follows it, no slash. */
static struct nd_str label_slice(const char *path, const char *follows)
{
	size_t n = strcspn(path, "/"), tail = strcspn(follows, "/");

	if (n < tail || strncmp(path + n - tail, follows, tail) != 0)
		return (struct nd_str){path, 0};
	return (struct nd_str){path, n - tail};
}

static bool pattern_match(const char *pattern, const char *path, struct nd_label *out)
{
	char page[ND_LAYOUT_MAX_LABEL + 1];

	while (*pattern) {
		char *dst = nd_starts(pattern, "{node}")   ? out->node
			    : nd_starts(pattern, "{name}") ? out->name
			    : nd_starts(pattern, "{page}") ? page
							   : NULL;

		if (!dst) {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		pattern += strlen("{node}");
		struct nd_str slice = label_slice(path, pattern);
		if (!label_take(slice, dst))
			return false;
		path += slice.n;
	}
	return *path == '\0';
}

bool nd_layout_match(const char *path, struct nd_label *out)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(layouts); i++) {
		*out = (struct nd_label){.kind = layouts[i].kind};
		if (pattern_match(layouts[i].pattern, path, out))
			return true;
	}
	return false;
}
