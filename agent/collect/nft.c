#include "common/base.h"

#include "agent/collect/collect.h"
#include "agent/collect/ruleset.h"

/* Hand the bytes on instead of copying them: a ruleset may be tens of megabytes. */
static void move_only(struct nd_buf *out)
{
	size_t max_bytes = out->max_bytes;

	nd_buf_free(out);
	*out = nd_ruleset.nft[0].run.out;
	out->max_bytes = max_bytes;
	nd_ruleset.nft[0].run.out = (struct nd_buf){0};
}

/* The elements of one document {"nftables": [...]} behind those of the others. */
static int append(struct nd_buf *out, const struct nd_ruleset_nft *nft, bool is_first,
		  struct nd_err *err)
{
	const char *first = strchr(nft->run.out.data, '[');
	const char *last = strrchr(nft->run.out.data, ']');

	if (!first || !last || last <= first)
		return nd_err_set(err, ND_E_INPUT, "nft -j list table %s %s printed no list",
				  nft->argv[4], nft->argv[5]);
	if (!is_first)
		nd_buf_puts(out, ", ");
	nd_buf_add(out, first + 1, (size_t)(last - first - 1)); /* the caller sees out->is_over */
	return 0;
}

static int run(ND_UNUSED struct nd_agent *agent, struct nd_buf *out, struct nd_err *err)
{
	struct nd_ruleset *set = &nd_ruleset;

	nd_ruleset_finish_nft();
	nd_ruleset_finish_iptables();
	if (set->left_out_error[0])
		return nd_err_set(err, ND_E_IO, "%s", set->left_out_error);
	for (size_t i = 0; i < set->nnft; i++) {
		if (set->nft[i].run.error[0])
			return nd_err_set(err, ND_E_IO, "%s", set->nft[i].run.error);
		if (set->nft[i].run.out.len == 0)
			return nd_err_set(err, ND_E_INPUT, "nft -j list printed nothing");
	}
	if (set->nnft == 1) {
		move_only(out);
		return 0;
	}
	nd_buf_puts(out, "{\"nftables\": [");
	for (size_t i = 0; i < set->nnft; i++) {
		if (append(out, &set->nft[i], i == 0, err) < 0)
			return -1;
		nd_buf_free(&set->nft[i].run.out);
	}
	nd_buf_puts(out, "]}\n");
	return 0;
}

const struct nd_collector nd_collector_nft = {.name = "nft", .run = run};
