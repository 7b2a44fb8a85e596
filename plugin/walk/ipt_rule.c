#include "common/base.h"

#include "plugin/model/look.h"
#include "plugin/walk/ipt_rule.h"

/* ---- names ---- */
static uint32_t hash_of(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash ^ hash >> 15;
}

/* The slot of a name of this family, or the free one where it would be. */
static const struct nd_ipt_ext **slot_of(struct nd_ipt_names *names, const char *name)
{
	uint32_t at = hash_of(name) % ND_IPT_NAME_SLOTS;

	while (names->slots[at] && strcmp(names->slots[at]->name, name) != 0)
		at = (at + 1) % ND_IPT_NAME_SLOTS;
	return &names->slots[at];
}

static void add_names(struct nd_ipt_work *work, struct nd_ipt_names *names,
		      const struct nd_ipt_ext *rows)
{
	for (; rows->name; rows++)
		if (rows->family == 0 || rows->family == work->family)
			*slot_of(names, rows->name) = rows;
}

void nd_ipt_work_init(struct nd_ipt_work *work, struct nd_arena *arena, uint8_t family)
{
	struct nd_load *plain = nd_arena_array(arena, ND_FIELDS, sizeof(*plain));

	for (size_t i = 0; i < ND_FIELDS; i++)
		plain[i].field = (enum nd_field)i;
	plain[ND_F_SADDR].family = plain[ND_F_DADDR].family = family;
	plain[ND_F_CT_SADDR].family = plain[ND_F_CT_DADDR].family = family;
	work->arena = arena;
	work->ipt = NULL;
	work->table = NULL;
	work->ipsets = NULL;
	work->family = family;
	work->plain = plain;
	work->matches = work->targets = (struct nd_ipt_names){0};
	add_names(work, &work->matches, nd_ipt_matches_l4);
	add_names(work, &work->matches, nd_ipt_matches_ct);
	add_names(work, &work->matches, nd_ipt_matches_net);
	add_names(work, &work->matches, nd_ipt_matches_chance);
	add_names(work, &work->matches, nd_ipt_matches_set);
	add_names(work, &work->targets, nd_ipt_targets);
	add_names(work, &work->targets, nd_ipt_targets_set);
}

/* ---- words ---- */
/* One word: quotes may stand anywhere in it, a backslash takes the next byte as it is. */
static const char *read_word(const char *p, char **out)
{
	bool is_quoted = false;
	char *to = *out;

	for (; *p && (is_quoted || (*p != ' ' && *p != '\t')); p++) {
		if (*p == '"')
			is_quoted = !is_quoted;
		else if (*p == '\\' && p[1])
			*to++ = *++p;
		else
			*to++ = *p;
	}
	*to++ = '\0';
	*out = to;
	return is_quoted ? NULL : p;
}

/* False: too long, too many words, or a quote that does not end. */
static bool split(struct nd_ipt_work *work, const char *text)
{
	char *out = work->bytes;

	work->nwords = 0;
	if (strlen(text) >= sizeof(work->bytes))
		return false;
	for (;;) {
		while (*text == ' ' || *text == '\t')
			text++;
		if (!*text)
			return true;
		if (work->nwords == ND_IPT_MAX_WORDS)
			return false;
		work->words[work->nwords++] = out;
		text = read_word(text, &out);
		if (!text)
			return false;
	}
}

/* Remember words[start..at) as not known. */
static void add_unknown(struct nd_ipt_work *work, size_t start)
{
	work->is_unknown = true;
	for (size_t i = start; i < work->at; i++) {
		size_t n = strlen(work->words[i]);

		if (work->nunknown + n + 2 > sizeof(work->unknown))
			return;
		if (work->nunknown)
			work->unknown[work->nunknown++] = ' ';
		memcpy(work->unknown + work->nunknown, work->words[i], n);
		work->nunknown += n;
	}
}

/* ---- matches and targets ---- */
static void end_ext(struct nd_ipt_work *work)
{
	const struct nd_ipt_ext *ext = work->ext;

	if (work->ext_start == 0)
		return;
	if (ext && !work->ext_failed && ext->finish && !ext->finish(work))
		work->ext_failed = true;
	if (work->ext_failed)
		add_unknown(work, work->ext_start);
	else if (ext && ext->is_nothing)
		nd_ipt_step(work, ND_DO_NOTHING);
	work->ext = NULL;
	work->ext_start = 0;
	work->ext_failed = false;
}

static void begin_ext(struct nd_ipt_work *work, const struct nd_ipt_ext *ext, size_t start)
{
	work->ext = ext;
	work->ext_start = start;
	work->ext_failed = !ext;
	work->nargs = 0;
}

static void begin_match(struct nd_ipt_work *work, const char *name, size_t start)
{
	const struct nd_ipt_ext *ext = *slot_of(&work->matches, name);

	begin_ext(work, ext, start);
	/* iptables insists on -p; without it the ports of other protocols are not meant. */
	if (ext && ext->proto && work->proto != ext->proto)
		nd_ipt_test(work, nd_ipt_plain(work, ND_F_L4PROTO), ND_EQ, ext->proto, 1);
}

static void begin_target(struct nd_ipt_work *work, const char *name, size_t start)
{
	const struct nd_ipt_ext *ext = *slot_of(&work->targets, name);
	const struct nd_ipt_chain *chain = NULL;

	work->is_behind_target = true;
	work->ntests = work->nsteps;
	if (work->is_goto)
		ext = NULL;
	begin_ext(work, ext, start);
	if (ext)
		return;
	if (work->ipt) {
		chain = nd_look_ipt_chain(work->ipt, work->table->name, name);
		/* A built-in chain cannot be jumped to. */
		if (!chain || chain->policy)
			return;
		work->chain = chain->name;
	} else {
		work->chain = nd_arena_strdup(work->arena, name, strlen(name));
	}
	work->ext_failed = false;
}

/* ---- options that every rule may have ---- */
static bool set_proto(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	uint8_t proto;

	if (!nd_ipt_proto(arg->values[0], &proto))
		return false;
	if (proto == 0) { /* all */
		if (arg->is_not)
			nd_ipt_test_never(work);
		return true;
	}
	if (!arg->is_not)
		work->proto = proto;
	nd_ipt_test(work, nd_ipt_plain(work, ND_F_L4PROTO), arg->is_not ? ND_NE : ND_EQ, proto, 1);
	return true;
}

/* -f: the second fragment and later ones. The lower 13 bits are the offset. */
static bool set_fragment(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	struct nd_load load = {.field = ND_F_FRAG_OFFSET, .has_mask = true, .mask = {0x1f, 0xff}};

	nd_ipt_test(work, nd_ipt_load(work, load), arg->is_not ? ND_EQ : ND_NE, 0, 2);
	return true;
}

enum { DO_MATCH = 1, DO_TARGET, DO_GOTO };

static const struct nd_ipt_option general[] = {
	{"-m", 1, NULL, 0, DO_MATCH},
	{"-j", 1, NULL, 0, DO_TARGET},
	{"-d", 1, nd_ipt_test_prefix, ND_F_DADDR, 0},
	{"-s", 1, nd_ipt_test_prefix, ND_F_SADDR, 0},
	{"-p", 1, set_proto, 0, 0},
	{"-i", 1, nd_ipt_test_device, ND_F_IIFNAME, 0},
	{"-o", 1, nd_ipt_test_device, ND_F_OIFNAME, 0},
	{"-f", 0, set_fragment, 0, 0},
	{"-g", 1, NULL, 0, DO_GOTO},
	{NULL, 0, NULL, 0, 0},
};

static const struct nd_ipt_option *find_option(const struct nd_ipt_option *options,
					       const char *name)
{
	for (; options && options->name; options++)
		if (strcmp(options->name, name) == 0)
			return options;
	return NULL;
}

/* "-p tcp --dport 80": the match of the protocol need not be named. */
static const struct nd_ipt_option *find_implicit(struct nd_ipt_work *work, const char *name,
						 size_t start)
{
	const struct nd_ipt_option *option = NULL;

	bool is_in_unknown = !work->ext && work->ext_failed;

	if (work->is_behind_target || work->proto == 0 || is_in_unknown)
		return NULL;
	for (size_t i = 0; i < ND_IPT_NAME_SLOTS && !option; i++) {
		const struct nd_ipt_ext *ext = work->matches.slots[i];

		if (!ext || ext->proto != work->proto)
			continue;
		option = find_option(ext->options, name);
		if (option) {
			end_ext(work);
			begin_ext(work, ext, start);
		}
	}
	return option;
}

static bool read_values(struct nd_ipt_work *work, struct nd_ipt_arg *arg)
{
	for (size_t i = 0; i < arg->option->nvalues; i++) {
		if (work->at == work->nwords)
			return false;
		arg->values[i] = work->words[work->at++];
	}
	return true;
}

static void read_general(struct nd_ipt_work *work, struct nd_ipt_arg *arg, size_t start)
{
	size_t end;
	bool ok;

	/* A match ends where the next general option stands. */
	end = work->at;
	work->at = start;
	end_ext(work);
	work->at = end;
	ok = read_values(work, arg);
	if (ok && arg->option->set) {
		ok = arg->option->set(work, arg);
	} else if (ok) {
		ok = !arg->is_not;
		work->is_goto = arg->option->arg == DO_GOTO;
		if (arg->option->arg == DO_MATCH)
			begin_match(work, arg->values[0], start);
		else
			begin_target(work, arg->values[0], start);
		work->ext_failed |= !ok;
		return;
	}
	if (!ok)
		add_unknown(work, start);
}

static void read_own(struct nd_ipt_work *work, struct nd_ipt_arg *arg)
{
	if (work->nargs == ND_IPT_MAX_ARGS || !read_values(work, arg) ||
	    (arg->option->set && !arg->option->set(work, arg)))
		work->ext_failed = true;
	else
		work->args[work->nargs++] = *arg;
}

/* An option that nobody knows, and what stands behind it. */
static void skip_option(struct nd_ipt_work *work, size_t start)
{
	while (work->at < work->nwords && work->words[work->at][0] != '-' &&
	       strcmp(work->words[work->at], "!") != 0)
		work->at++;
	if (!work->ext && !work->ext_failed)
		add_unknown(work, start); /* of no match; or of a jump to a chain */
	else if (!work->ext || !work->ext->is_nothing)
		work->ext_failed = true;
}

static void read_option(struct nd_ipt_work *work)
{
	size_t start = work->at;
	struct nd_ipt_arg arg = {.is_not = strcmp(work->words[start], "!") == 0};
	const char *name;

	work->at += arg.is_not;
	if (work->at == work->nwords) {
		add_unknown(work, start);
		return;
	}
	name = work->words[work->at++];
	arg.option = find_option(work->ext ? work->ext->options : NULL, name);
	if (arg.option) {
		read_own(work, &arg);
		return;
	}
	arg.option = work->is_behind_target ? NULL : find_option(general, name);
	if (arg.option) {
		read_general(work, &arg, start);
		return;
	}
	arg.option = find_implicit(work, name, start);
	if (arg.option)
		read_own(work, &arg);
	else
		skip_option(work, start);
}

static void end_rule(struct nd_ipt_work *work, struct nd_rrule *out)
{
	if (work->is_full)
		add_unknown(work, 0);
	if (work->is_unknown) {
		/* What the target does comes behind what is not known. */
		if (work->is_behind_target)
			work->nsteps = work->ntests;
		if (work->nsteps == ND_IPT_MAX_STEPS)
			work->nsteps--;
		nd_ipt_step(work, ND_DO_UNKNOWN)->unknown =
			nd_arena_strdup(work->arena, work->unknown, work->nunknown);
	} else if (work->chain) {
		struct nd_verdict *verdict = &nd_ipt_step(work, ND_DO_VERDICT)->verdict;

		verdict->kind = work->is_goto ? ND_V_GOTO : ND_V_JUMP;
		verdict->chain = work->chain;
	} else if (!work->is_behind_target) {
		nd_ipt_step(work, ND_DO_NOTHING);
	}
	out->nsteps = work->nsteps;
	out->steps = nd_arena_array(work->arena, work->nsteps, sizeof(*out->steps));
	memcpy(out->steps, work->steps, work->nsteps * sizeof(*out->steps));
}

void nd_ipt_work_rule(struct nd_ipt_work *work, const char *text, struct nd_rrule *out)
{
	work->proto = 0;
	work->is_goto = work->is_behind_target = false;
	work->ext_failed = work->is_full = work->is_unknown = false;
	work->ext = NULL;
	work->chain = NULL;
	work->ext_start = work->nargs = work->nsteps = work->ntests = work->nunknown = 0;
	if (!split(work, text) || work->nwords < 2 || strcmp(work->words[0], "-A") != 0) {
		work->is_unknown = true;
		work->nunknown = strnlen(text, sizeof(work->unknown));
		memcpy(work->unknown, text, work->nunknown);
	} else {
		for (work->at = 2; work->at < work->nwords;)
			read_option(work);
		end_ext(work);
	}
	end_rule(work, out);
}
