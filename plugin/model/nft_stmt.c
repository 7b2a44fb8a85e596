#include "common/base.h"

#include "plugin/model/nft_parts.h"

/* ---- match ---- */
static const struct match_op {
	const char *text;
	enum nd_test_op plain, range, set; /* set ND_EQ: cannot be asked of a set */
} operators[] = {
	{"==", ND_EQ, ND_RANGE, ND_IN},	  {"!=", ND_NE, ND_NOT_RANGE, ND_NOT_IN},
	{"<", ND_LT, ND_EQ, ND_EQ},	  {"<=", ND_LE, ND_EQ, ND_EQ},
	{">", ND_GT, ND_EQ, ND_EQ},	  {">=", ND_GE, ND_EQ, ND_EQ},
	{"in", ND_ANY_BIT, ND_EQ, ND_IN}, {"!", ND_NO_BIT, ND_EQ, ND_EQ},
};

static const struct match_op *find_op(const char *text)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(operators); i++)
		if (nd_eq(operators[i].text, text ? text : "=="))
			return &operators[i];
	return NULL;
}

/* The bits of a test for bits are all among those that the walk knows. */
static bool has_known_bits(const struct nd_nft_kind *kind, const struct nd_value *value)
{
	uint8_t known[4];

	if (!kind->known_bits)
		return true;
	nd_nft_number(kind->known_bits, kind->width, known);
	for (uint8_t i = 0; i < kind->width; i++)
		if (value->bytes[i] & ~known[i])
			return false;
	return true;
}

/* fib ... oif missing, exists: nft prints false and true. */
static bool presence_test(const struct nd_nft_left *left, const struct match_op *op,
			  const cJSON *right, struct nd_rstep *test)
{
	if (left->kinds.at[0]->form != ND_NFT_PRESENCE || !cJSON_IsBool(right) ||
	    (op->plain != ND_EQ && op->plain != ND_NE))
		return false;
	test->op = cJSON_IsTrue(right) == (op->plain == ND_EQ) ? ND_NE : ND_EQ;
	test->lo.n = left->kinds.at[0]->width;
	return true;
}

static bool wildcard_test(const struct nd_nft_left *left, const struct match_op *op,
			  const cJSON *right, struct nd_rstep *test)
{
	int n = left->kinds.at[0]->form == ND_NFT_IFNAME ? nd_nft_wildcard(right) : -1;

	if (n < 0 || (op->plain != ND_EQ && op->plain != ND_NE))
		return false;
	test->op = op->plain == ND_EQ ? ND_PREFIX : ND_NOT_PREFIX;
	test->lo.n = (uint8_t)n;
	memcpy(test->lo.bytes, nd_json_text(right), (size_t)n);
	return true;
}

/* A value, a prefix or a range. */
static bool span_test(const struct nd_nft_left *left, const struct match_op *op, const cJSON *right,
		      struct nd_rstep *test)
{
	const struct nd_nft_kind *kind = left->kinds.at[0];
	bool is_bits = op->plain == ND_ANY_BIT || op->plain == ND_NO_BIT;

	if (!nd_nft_span(kind, right, test->lo.bytes, test->hi.bytes))
		return false;
	test->lo.n = test->hi.n = kind->width;
	test->op = op->plain;
	if (memcmp(test->lo.bytes, test->hi.bytes, kind->width) != 0) {
		test->op = op->range;
		return op->range != ND_EQ && nd_nft_is_whole(left);
	}
	if (is_bits)
		return kind->form == ND_NFT_NUMBER && has_known_bits(kind, &test->lo);
	if (op->plain != ND_EQ && op->plain != ND_NE && kind->form != ND_NFT_NUMBER &&
	    kind->form != ND_NFT_ADDR)
		return false;
	return nd_nft_is_whole(left);
}

static bool concat_test(const struct nd_nft_left *left, const struct match_op *op,
			const cJSON *right, struct nd_rstep *test)
{
	const cJSON *list = nd_json_get(right, "concat"), *part = list ? list->child : NULL;

	if (op->plain != ND_EQ && op->plain != ND_NE)
		return false;
	test->op = op->plain;
	for (uint8_t i = 0; i < left->kinds.n; i++, part = part->next) {
		if (!nd_nft_constant(left->kinds.at[i], part, test->lo.bytes + test->lo.n))
			return false;
		test->lo.n = (uint8_t)(test->lo.n + left->kinds.at[i]->width);
	}
	return !part && nd_nft_is_whole(left);
}

static bool set_test(struct nd_nft_build *build, const struct nd_nft_left *left,
		     const struct match_op *op, const cJSON *right, struct nd_rstep *test)
{
	const struct nd_nft_def plain = {0};
	const struct nd_nft_def *def;

	if (op->set == ND_EQ || !nd_nft_is_whole(left))
		return false;
	def = nd_nft_set_of(build, right, &left->kinds, &plain);
	if (!def)
		return false;
	test->op = op->set;
	test->set = def->set;
	return true;
}

static bool is_set(const cJSON *right)
{
	const char *name = nd_json_text(right);

	return (name && name[0] == '@') || nd_json_get(right, "set");
}

static bool do_match(struct nd_nft_build *build, const char *name, const cJSON *match)
{
	const cJSON *right = nd_json_get(match, "right");
	const struct match_op *op = find_op(nd_json_str(match, "op"));
	struct nd_rstep test = {.kind = ND_DO_TEST};
	struct nd_nft_left left;
	bool is_known;

	(void)name;
	if (!nd_nft_left(build, nd_json_get(match, "left"), &left) || !op || !right)
		return false;
	if (is_set(right))
		is_known = set_test(build, &left, op, right, &test);
	else if (left.kinds.n > 1)
		is_known = concat_test(&left, op, right, &test);
	else
		is_known = presence_test(&left, op, right, &test) ||
			   wildcard_test(&left, op, right, &test) ||
			   span_test(&left, op, right, &test);
	if (!is_known)
		return false;
	nd_nft_use(build, &test, &left);
	*nd_nft_step(build, ND_DO_TEST) = test;
	if (test.op == ND_EQ && left.kinds.n == 1 && !left.loads[0].has_mask) {
		if (left.loads[0].field == ND_F_L4PROTO)
			build->l4proto = test.lo.bytes[0];
		else if (left.loads[0].field == ND_F_NFPROTO)
			build->nfproto = test.lo.bytes[0];
	}
	return true;
}

/* ---- verdicts ---- */
static const struct {
	const char *name;
	enum nd_verdict_kind kind;
} verdicts[] = {
	{"accept", ND_V_ACCEPT},     {"drop", ND_V_DROP}, {"return", ND_V_RETURN},
	{"continue", ND_V_CONTINUE}, {"jump", ND_V_JUMP}, {"goto", ND_V_GOTO},
};

static bool simple_verdict(struct nd_nft_build *build, const char *name, const cJSON *value,
			   struct nd_verdict *out)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(verdicts); i++) {
		if (strcmp(verdicts[i].name, name) != 0)
			continue;
		*out = (struct nd_verdict){.kind = verdicts[i].kind};
		if (out->kind != ND_V_JUMP && out->kind != ND_V_GOTO)
			return true;
		const char *target = nd_json_str(value, "target");

		out->chain = target ? nd_nft_text_once(build->compiler, target) : NULL;
		return target != NULL;
	}
	return false;
}

bool nd_nft_verdict(struct nd_nft_build *build, const cJSON *stmt, struct nd_verdict *out)
{
	const cJSON *value = cJSON_IsObject(stmt) ? stmt->child : NULL;

	return value && value->string && simple_verdict(build, value->string, value, out);
}

static bool do_verdict(struct nd_nft_build *build, const char *name, const cJSON *value)
{
	struct nd_verdict verdict;

	if (!simple_verdict(build, name, value, &verdict))
		return false;
	nd_nft_step(build, ND_DO_VERDICT)->verdict = verdict;
	return true;
}

static bool has_flag(const cJSON *object, const char *flag)
{
	const cJSON *flags = nd_json_get(object, "flags");

	return nd_eq(nd_json_text(flags), flag) || nd_json_has(flags, flag);
}

/* Of several queues the first: they lead to the same program. */
static bool do_queue(struct nd_nft_build *build, const char *name, const cJSON *value)
{
	const cJSON *num = nd_json_get(value, "num"), *range = nd_json_get(num, "range");
	int64_t queue = 0;

	(void)name;
	if (num && !nd_json_number(range ? range->child : num, 0, UINT16_MAX, &queue))
		return false;
	nd_nft_step(build, ND_DO_VERDICT)->verdict =
		(struct nd_verdict){.kind = ND_V_QUEUE,
				    .queue = (uint16_t)queue,
				    .has_bypass = has_flag(value, "bypass")};
	return true;
}

/* What iptables calls the answers of nft. "icmpx-": ICMP or ICMPv6 as the packet is. */
static const struct {
	const char *type, *expr, *word;
	uint8_t family, proto; /* that the packet must have */
} rejects[] = {
	{"tcp reset", NULL, "tcp-reset", 0, 6},
	{"icmp", "net-unreachable", "icmp-net-unreachable", 4, 0},
	{"icmp", "host-unreachable", "icmp-host-unreachable", 4, 0},
	{"icmp", "prot-unreachable", "icmp-proto-unreachable", 4, 0},
	{"icmp", "port-unreachable", "icmp-port-unreachable", 4, 0},
	{"icmp", "net-prohibited", "icmp-net-prohibited", 4, 0},
	{"icmp", "host-prohibited", "icmp-host-prohibited", 4, 0},
	{"icmp", "admin-prohibited", "icmp-admin-prohibited", 4, 0},
	{"icmpv6", "no-route", "icmp6-no-route", 6, 0},
	{"icmpv6", "admin-prohibited", "icmp6-adm-prohibited", 6, 0},
	{"icmpv6", "addr-unreachable", "icmp6-addr-unreachable", 6, 0},
	{"icmpv6", "port-unreachable", "icmp6-port-unreachable", 6, 0},
	{"icmpv6", "policy-fail", "icmp6-policy-fail", 6, 0},
	{"icmpv6", "reject-route", "icmp6-reject-route", 6, 0},
	{"icmpx", "no-route", "icmpx-no-route", 0, 0},
	{"icmpx", "port-unreachable", "icmpx-port-unreachable", 0, 0},
	{"icmpx", "host-unreachable", "icmpx-host-unreachable", 0, 0},
	{"icmpx", "admin-prohibited", "icmpx-admin-prohibited", 0, 0},
};

static bool do_reject(struct nd_nft_build *build, const char *name, const cJSON *value)
{
	const char *type = nd_json_str(value, "type"), *expr = nd_json_str(value, "expr");

	(void)name;
	if (!type) {
		type = nd_eq(build->family, "ip")    ? "icmp"
		       : nd_eq(build->family, "ip6") ? "icmpv6"
						     : "icmpx";
		expr = "port-unreachable";
	}
	for (size_t i = 0; i < ND_ARRAY_LEN(rejects); i++) {
		if (!nd_eq(rejects[i].type, type) ||
		    (rejects[i].expr && !nd_eq(rejects[i].expr, expr)))
			continue;
		if (rejects[i].family)
			nd_nft_need_family(build, rejects[i].family);
		if (rejects[i].proto)
			nd_nft_need_proto(build, rejects[i].proto);
		nd_nft_step(build, ND_DO_VERDICT)->verdict =
			(struct nd_verdict){.kind = ND_V_REJECT, .reject_with = rejects[i].word};
		return true;
	}
	return false;
}

static bool do_vmap(struct nd_nft_build *build, const char *name, const cJSON *value)
{
	const struct nd_nft_def vmap = {.is_map = true, .has_verdicts = true};
	const struct nd_nft_def *def;
	struct nd_nft_left left;

	(void)name;
	if (!nd_nft_left(build, nd_json_get(value, "key"), &left) || !nd_nft_is_whole(&left))
		return false;
	def = nd_nft_set_of(build, nd_json_get(value, "data"), &left.kinds, &vmap);
	if (!def)
		return false;
	struct nd_rstep *step = nd_nft_step(build, ND_DO_VMAP);

	nd_nft_use(build, step, &left);
	step->set = def->set;
	return true;
}

/* ---- the others ---- */
static bool do_counter(struct nd_nft_build *build, const char *name, const cJSON *value)
{
	(void)build, (void)name, (void)value; /* the rule itself says it */
	return true;
}

static bool do_nothing(struct nd_nft_build *build, const char *name, const cJSON *value)
{
	(void)name, (void)value;
	nd_nft_step(build, ND_DO_NOTHING);
	return true;
}

/* A named limit, {"limit": "name"}, may be one that is passed above the rate. */
static bool do_limit(struct nd_nft_build *build, const char *name, const cJSON *value)
{
	(void)name;
	if (!cJSON_IsObject(value))
		return false;
	nd_nft_step(build, ND_DO_LIMIT)->value = nd_json_bool(value, "inv", false);
	return true;
}

/* An element is added for later packets; statements with it (a limit) decide about this one. */
static bool do_set(struct nd_nft_build *build, const char *name, const cJSON *value)
{
	if (nd_json_get(value, "stmt"))
		return false;
	return do_nothing(build, name, value);
}

/* A SYN is answered in place of the server, an ACK is swallowed: neither goes on. */
static bool do_synproxy(struct nd_nft_build *build, const char *name, const cJSON *value)
{
	(void)name, (void)value;
	nd_nft_need_proto(build, 6);
	nd_nft_step(build, ND_DO_VERDICT)->verdict.kind = ND_V_STOLEN;
	return true;
}

static bool do_fwd(struct nd_nft_build *build, const char *name, const cJSON *value)
{
	(void)name, (void)value;
	nd_nft_step(build, ND_DO_VERDICT)->verdict.kind = ND_V_STOLEN;
	return true;
}

static bool do_notrack(struct nd_nft_build *build, const char *name, const cJSON *value)
{
	(void)name, (void)value;
	nd_nft_step(build, ND_DO_NOTRACK);
	return true;
}

static bool do_mangle(struct nd_nft_build *build, const char *name, const cJSON *value)
{
	(void)name;
	return nd_nft_do_mangle(build, value);
}

/* What iptables-nft could not say in words of nft; of that only comments are harmless. */
static bool do_xt(struct nd_nft_build *build, const char *name, const cJSON *value)
{
	return nd_eq(nd_json_str(value, "type"), "match") &&
	       nd_eq(nd_json_str(value, "name"), "comment") && do_nothing(build, name, value);
}

/* Not here, so not known: quota, meter, ct count, tproxy, secmark, tunnel ... */
static const struct stmt {
	const char *name;
	bool (*run)(struct nd_nft_build *build, const char *name, const cJSON *value);
} stmts[] = {
	{"match", do_match},
	{"counter", do_counter},
	{"accept", do_verdict},
	{"drop", do_verdict},
	{"jump", do_verdict},
	{"goto", do_verdict},
	{"return", do_verdict},
	{"continue", do_verdict},
	{"vmap", do_vmap},
	{"mangle", do_mangle},
	{"dnat", nd_nft_do_nat},
	{"snat", nd_nft_do_nat},
	{"masquerade", nd_nft_do_nat},
	{"redirect", nd_nft_do_nat},
	{"reject", do_reject},
	{"queue", do_queue},
	{"notrack", do_notrack},
	{"limit", do_limit},
	{"log", do_nothing},
	{"comment", do_counter},
	{"last", do_nothing},
	{"set", do_set},
	{"map", do_set},
	{"flow", do_nothing},
	{"dup", do_nothing},
	{"fwd", do_fwd},
	{"synproxy", do_synproxy},
	{"ct helper", do_nothing},
	{"ct timeout", do_nothing},
	{"ct expectation", do_nothing},
	{"reset", do_nothing},
	{"xt", do_xt},
};

void nd_nft_stmt(struct nd_nft_build *build, const cJSON *stmt)
{
	const cJSON *value = cJSON_IsObject(stmt) ? stmt->child : NULL;
	const char *name = value && value->string ? value->string : "";

	for (size_t i = 0; i < ND_ARRAY_LEN(stmts); i++)
		if (strcmp(stmts[i].name, name) == 0 && stmts[i].run(build, name, value))
			return;
	nd_nft_unknown(build, stmt);
}
