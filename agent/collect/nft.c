#include "common/base.h"

#include "agent/collect/collect.h"
#include "agent/collect/ruleset.h"

static int run(ND_UNUSED struct nd_agent *agent, struct nd_buf *out, struct nd_err *err)
{
	nd_ruleset_finish_nft();
	if (nd_ruleset.nft.error[0])
		return nd_err_set(err, ND_E_IO, "%s", nd_ruleset.nft.error);
	if (nd_ruleset.nft.out.len == 0)
		return nd_err_set(err, ND_E_INPUT, "nft -j list ruleset printed nothing");
	/* Hand the bytes on instead of copying them: a ruleset may be tens of megabytes. */
	size_t max_bytes = out->max_bytes;
	nd_buf_free(out);
	*out = nd_ruleset.nft.out;
	out->max_bytes = max_bytes;
	nd_ruleset.nft.out = (struct nd_buf){0};
	return 0;
}

const struct nd_collector nd_collector_nft = {.name = "nft", .run = run};
