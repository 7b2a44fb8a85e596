#include "common/base.h"

#include "plugin/walk/ipt_rule.h"

struct nd_rstep *nd_ipt_step(struct nd_ipt_work *work, enum nd_step_kind kind)
{
	struct nd_rstep *step = &work->steps[work->nsteps];

	if (work->nsteps == ND_IPT_MAX_STEPS)
		work->is_full = true;
	else
		work->nsteps++;
	memset(step, 0, sizeof(*step));
	step->kind = kind;
	return step;
}

const struct nd_load *nd_ipt_plain(const struct nd_ipt_work *work, enum nd_field field)
{
	return &work->plain[field];
}

const struct nd_load *nd_ipt_load(struct nd_ipt_work *work, struct nd_load load)
{
	struct nd_load *copy = nd_arena_alloc(work->arena, sizeof(*copy));

	*copy = load;
	copy->family = work->plain[load.field].family;
	return copy;
}

static void put_number(struct nd_value *value, uint64_t number, uint8_t nbytes)
{
	value->n = nbytes;
	for (uint8_t i = nbytes; i-- > 0; number >>= 8)
		value->bytes[i] = (uint8_t)number;
}

struct nd_value nd_ipt_value(uint64_t number, uint8_t nbytes)
{
	struct nd_value value = {0};

	put_number(&value, number, nbytes);
	return value;
}

static struct nd_rstep *add_test(struct nd_ipt_work *work, const struct nd_load *load,
				 enum nd_test_op op)
{
	struct nd_rstep *step = nd_ipt_step(work, ND_DO_TEST);

	step->loads = load;
	step->nloads = 1;
	step->op = op;
	return step;
}

struct nd_rstep *nd_ipt_test(struct nd_ipt_work *work, const struct nd_load *load,
			     enum nd_test_op op, uint64_t lo, uint8_t nbytes)
{
	struct nd_rstep *step = add_test(work, load, op);

	put_number(&step->lo, lo, nbytes);
	return step;
}

void nd_ipt_test_range(struct nd_ipt_work *work, const struct nd_load *load, bool is_not,
		       uint64_t lo, uint64_t hi, uint8_t nbytes)
{
	struct nd_rstep *step;

	if (lo == hi) {
		nd_ipt_test(work, load, is_not ? ND_NE : ND_EQ, lo, nbytes);
		return;
	}
	step = add_test(work, load, is_not ? ND_NOT_RANGE : ND_RANGE);
	put_number(&step->lo, lo, nbytes);
	put_number(&step->hi, hi, nbytes);
}

void nd_ipt_test_masked(struct nd_ipt_work *work, enum nd_field field, bool is_not, uint32_t number,
			uint32_t mask, uint8_t nbytes)
{
	uint32_t all = nbytes == 4 ? UINT32_MAX : (1u << (8 * nbytes)) - 1;
	const struct nd_load *load = nd_ipt_plain(work, field);

	if ((mask & all) != all) {
		struct nd_load masked = {.field = field, .has_mask = true};
		struct nd_value bytes = nd_ipt_value(mask, nbytes);

		memcpy(masked.mask, bytes.bytes, nbytes);
		load = nd_ipt_load(work, masked);
	}
	nd_ipt_test(work, load, is_not ? ND_NE : ND_EQ, number, nbytes);
}

/* "8", "255.0.0.0", "ffff::": false when it is none of them. */
static bool parse_mask(const struct nd_ipt_work *work, const char *text, uint8_t mask[16])
{
	uint8_t bits = work->family == 6 ? 128 : 32;
	struct nd_ip ip;
	uint32_t len;

	memset(mask, 0, 16);
	if (nd_ipt_ip(work, nd_str(text), &ip)) {
		memcpy(mask, ip.bytes, bits / 8);
		return true;
	}
	if (!nd_ipt_number(nd_str(text), bits, &len))
		return false;
	for (uint32_t i = 0; i < len; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return true;
}

static bool is_all_of(const uint8_t *bytes, size_t n, uint8_t byte)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i] != byte)
			return false;
	return true;
}

bool nd_ipt_test_prefix(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	struct nd_str text = nd_str(arg->values[0]);
	const char *slash = memchr(text.p, '/', text.n);
	uint8_t nbytes = work->family == 6 ? 16 : 4;
	struct nd_load load = {.field = arg->option->field, .arg = arg->option->arg};
	struct nd_ip ip;
	struct nd_rstep *step;

	memset(load.mask, 0xff, nbytes);
	if (slash) {
		text.n = (size_t)(slash - text.p);
		if (!parse_mask(work, slash + 1, load.mask))
			return false;
	}
	if (!nd_ipt_ip(work, text, &ip))
		return false;
	load.has_mask = !is_all_of(load.mask, nbytes, 0xff);
	/* Everything; but not for a connection, which may not be there. */
	if (is_all_of(load.mask, nbytes, 0) && !arg->is_not && load.field <= ND_F_DADDR)
		return true;
	if (!load.has_mask)
		memset(load.mask, 0, nbytes);
	step = add_test(work,
			load.has_mask || load.arg ? nd_ipt_load(work, load)
						  : nd_ipt_plain(work, load.field),
			arg->is_not ? ND_NE : ND_EQ);
	step->lo.n = nbytes;
	/* xtables masks the address when the rule is read. */
	for (uint8_t i = 0; i < nbytes; i++)
		step->lo.bytes[i] = load.has_mask ? ip.bytes[i] & load.mask[i] : ip.bytes[i];
	return true;
}

bool nd_ipt_test_device(struct nd_ipt_work *work, const struct nd_ipt_arg *arg)
{
	const struct nd_load *load = nd_ipt_plain(work, arg->option->field);
	const char *name = arg->values[0];
	size_t n = strlen(name);
	bool is_prefix = n && name[n - 1] == '+';
	struct nd_rstep *step;

	if (n == 0 || n > 15)
		return false;
	if (nd_eq(name, "+")) {
		if (arg->is_not)
			nd_ipt_test_never(work);
		return true;
	}
	if (is_prefix)
		step = add_test(work, load, arg->is_not ? ND_NOT_PREFIX : ND_PREFIX);
	else
		step = add_test(work, load, arg->is_not ? ND_NE : ND_EQ);
	memcpy(step->lo.bytes, name, is_prefix ? n - 1 : n);
	step->lo.n = is_prefix ? (uint8_t)(n - 1) : 16;
	return true;
}

/* Every packet has a family, and none has 0. */
void nd_ipt_test_never(struct nd_ipt_work *work)
{
	nd_ipt_test(work, nd_ipt_plain(work, ND_F_NFPROTO), ND_EQ, 0, 1);
}

void nd_ipt_test_set(struct nd_ipt_work *work, const struct nd_load *loads, uint8_t nloads,
		     bool is_not, const struct nd_rset *set)
{
	struct nd_rstep *step = add_test(work, loads, is_not ? ND_NOT_IN : ND_IN);

	step->nloads = nloads;
	step->set = set;
}

const struct nd_ipt_arg *nd_ipt_arg_find(const struct nd_ipt_work *work, const char *name)
{
	for (size_t i = 0; i < work->nargs; i++)
		if (strcmp(work->args[i].option->name, name) == 0)
			return &work->args[i];
	return NULL;
}
