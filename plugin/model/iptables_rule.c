#include "common/base.h"

#include "plugin/model/iptables_rule.h"

#define MAX_WORDS 256
#define MAX_LINE 8192 /* bytes; a comment has at most 256, a line about 2,000 */

struct words {
	char bytes[MAX_LINE];
	const char *items[MAX_WORDS];
	size_t n;
};

/* One word: quotes may stand anywhere in it, a backslash takes the next byte as it is. */
static bool read_word(struct nd_str *rest, char *out)
{
	bool is_quoted = false;
	size_t i = 0;

	for (; i < rest->n; i++) {
		char c = rest->p[i];

		if (c == '"')
			is_quoted = !is_quoted;
		else if (!is_quoted && (c == ' ' || c == '\t'))
			break;
		else if (c == '\\' && i + 1 < rest->n)
			*out++ = rest->p[++i];
		else
			*out++ = c;
	}
	*out = '\0';
	rest->p += i;
	rest->n -= i;
	return !is_quoted;
}

/* False: too long, too many words, or a quote that does not end. */
static bool split(struct nd_str line, struct words *words)
{
	char *out = words->bytes;

	words->n = 0;
	if (line.n >= sizeof(words->bytes) || memchr(line.p, '\0', line.n))
		return false;
	for (line = nd_str_trim(line); line.n; line = nd_str_trim(line)) {
		if (words->n == MAX_WORDS)
			return false;
		words->items[words->n++] = out;
		if (!read_word(&line, out))
			return false;
		out += strlen(out) + 1;
	}
	return true;
}

/* ---- one function an option; false: not to be expressed in the rule's fields ---- */
struct option_value {
	struct nd_model *m;
	const char *text;
	bool is_not;
};

static bool set_prefix(const struct option_value *v, struct nd_prefix *prefix, bool *is_not)
{
	struct nd_prefix parsed;

	if (prefix->ip.family || !nd_prefix_parse(v->text, &parsed))
		return false;
	*prefix = parsed;
	*is_not = v->is_not;
	return true;
}

static bool set_text(const struct option_value *v, const char **text, bool *is_not)
{
	if (*text)
		return false;
	*text = nd_model_text(v->m, v->text);
	*is_not = v->is_not;
	return true;
}

static bool set_src(const struct option_value *v, struct nd_ipt_rule *rule)
{
	return set_prefix(v, &rule->src, &rule->src_not);
}
static bool set_dst(const struct option_value *v, struct nd_ipt_rule *rule)
{
	return set_prefix(v, &rule->dst, &rule->dst_not);
}
static bool set_in(const struct option_value *v, struct nd_ipt_rule *rule)
{
	return set_text(v, &rule->in, &rule->in_not);
}
static bool set_out(const struct option_value *v, struct nd_ipt_rule *rule)
{
	return set_text(v, &rule->out, &rule->out_not);
}
static bool set_proto(const struct option_value *v, struct nd_ipt_rule *rule)
{
	/* "all" and 0 are no match. */
	if (nd_eq(v->text, "all") || nd_eq(v->text, "0"))
		return !v->is_not;
	return set_text(v, &rule->proto, &rule->proto_not);
}

/* "53" or "30000:32767" */
static bool set_dport(const struct option_value *v, struct nd_ipt_rule *rule)
{
	const char *colon = strchr(v->text, ':');
	struct nd_str first = nd_str(v->text), last = first;
	uint64_t min, max;

	if (colon) {
		first.n = (size_t)(colon - v->text);
		last = nd_str(colon + 1);
	}
	if (v->is_not || rule->dport_max || !nd_parse_u64(first, UINT16_MAX, &min) ||
	    !nd_parse_u64(last, UINT16_MAX, &max) || min > max || max == 0)
		return false;
	rule->dport_min = (uint16_t)min;
	rule->dport_max = (uint16_t)max;
	return true;
}

static bool set_ctstate(const struct option_value *v, struct nd_ipt_rule *rule)
{
	bool is_not;

	return !v->is_not && set_text(v, &rule->ctstate, &is_not);
}

/* A comment matches everything: also a second one is nothing to worry about. */
static bool set_comment(const struct option_value *v, struct nd_ipt_rule *rule)
{
	rule->comment = nd_model_text(v->m, v->text);
	return true;
}

/* nfacct counts and matches everything; kube-proxy puts it before drops. */
static bool ignore_value(const struct option_value *v, struct nd_ipt_rule *rule)
{
	(void)rule;
	return !v->is_not;
}

/* Modules that say nothing beyond options of this table. */
static bool set_module(const struct option_value *v, struct nd_ipt_rule *rule)
{
	static const char *const plain[] = {"comment", "tcp",  "udp",	    "udplite", "sctp",
					    "dccp",    "state", "conntrack", "nfacct"};

	(void)rule;
	for (size_t i = 0; i < ND_ARRAY_LEN(plain); i++)
		if (nd_eq(v->text, plain[i]))
			return true;
	return false;
}

static bool set_target(const struct option_value *v, struct nd_ipt_rule *rule)
{
	rule->target = nd_model_text(v->m, v->text);
	return true;
}
static bool set_goto(const struct option_value *v, struct nd_ipt_rule *rule)
{
	rule->is_goto = true;
	return set_target(v, rule);
}
static bool set_reject_with(const struct option_value *v, struct nd_ipt_rule *rule)
{
	rule->reject_with = nd_model_text(v->m, v->text);
	return true;
}

/* "10.244.1.5:8080", "[fd00::5]:8080", an address alone, ":8080"; ranges are left to the text. */
static bool set_destination(const struct option_value *v, struct nd_ipt_rule *rule)
{
	char address[ND_IP_TEXT];
	const char *start = v->text, *end, *port = NULL;
	uint64_t number;

	if (start[0] == '[') {
		end = strchr(++start, ']');
		if (!end)
			return false;
		port = end[1] == ':' ? end + 2 : NULL;
	} else {
		end = strchr(start, ':');
		/* More than one colon: an IPv6 address without a port. */
		if (!end || strchr(end + 1, ':'))
			end = start + strlen(start);
		else
			port = end + 1;
	}
	size_t n = (size_t)(end - start);

	if (n < sizeof(address)) {
		memcpy(address, start, n);
		address[n] = '\0';
		if (!nd_ip_parse(address, &rule->to_ip))
			rule->to_ip = (struct nd_ip){0};
	}
	if (port && nd_parse_u64(nd_str(port), UINT16_MAX, &number))
		rule->to_port = (uint16_t)number;
	return true;
}

static const struct option {
	const char *name;
	bool is_of_target; /* stands behind -j; not a match */
	bool (*set)(const struct option_value *v, struct nd_ipt_rule *rule);
} options[] = {
	{"-s", false, set_src},
	{"-d", false, set_dst},
	{"-i", false, set_in},
	{"-o", false, set_out},
	{"-p", false, set_proto},
	{"-m", false, set_module},
	{"--dport", false, set_dport},
	{"--ctstate", false, set_ctstate},
	{"--state", false, set_ctstate},
	{"--comment", false, set_comment},
	{"--nfacct-name", false, ignore_value},
	{"-j", false, set_target},
	{"-g", false, set_goto},
	{"--to-destination", true, set_destination},
	{"--reject-with", true, set_reject_with},
};

static const struct option *find_option(const char *word, bool is_behind_target)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(options); i++)
		if (nd_eq(options[i].name, word) && options[i].is_of_target == is_behind_target)
			return &options[i];
	return NULL;
}

/* words: -A CHAIN, then options. */
static void parse_words(struct nd_model *m, const struct words *words, struct nd_ipt_rule *rule)
{
	bool is_not = false;

	for (size_t i = 2; i < words->n; i++) {
		const char *word = words->items[i];
		const struct option *option;

		if (nd_eq(word, "!")) {
			is_not = true;
			continue;
		}
		option = find_option(word, rule->target != NULL);
		if (option && i + 1 < words->n) {
			struct option_value value = {m, words->items[++i], is_not};

			if (!option->set(&value, rule))
				rule->has_other_match = true;
		} else if (!rule->target && (word[0] == '-' || option)) {
			rule->has_other_match = true;
		}
		is_not = false;
	}
}

void nd_ipt_rule_parse(struct nd_model *m, struct nd_str line, struct nd_ipt_rule *rule)
{
	struct words words;

	rule->text = nd_model_textn(m, line);
	if (split(line, &words))
		parse_words(m, &words, rule);
	else
		rule->has_other_match = true;
}
