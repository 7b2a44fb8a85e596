#include "common/base.h"

#include "agent/collect/collect.h"

static int run(struct nd_agent *agent, struct nd_buf *out, struct nd_err *err)
{
	struct nd_jsonw w = {.out = out};

	if (agent->socks_err.code != ND_E_NONE) {
		*err = agent->socks_err;
		return -1;
	}
	return nd_socksrc_write(&agent->socks, &agent->raw, &w, NULL, err);
}

const struct nd_collector nd_collector_sockets = {.name = "sockets", .run = run};
