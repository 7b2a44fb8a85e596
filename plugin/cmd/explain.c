#include "common/base.h"
#include "plugin/checks/check.h"
#include "plugin/cmd/cmd.h"

static const char *const layers[] = {
	[ND_LAYER_HOST] = "host",	 [ND_LAYER_NODE] = "node",
	[ND_LAYER_KERNEL] = "kernel",	 [ND_LAYER_IPTABLES] = "iptables and nftables",
	[ND_LAYER_CNI] = "CNI",		 [ND_LAYER_ROUTES] = "routes",
	[ND_LAYER_PROXY] = "kube-proxy", [ND_LAYER_SERVICE] = "services",
	[ND_LAYER_DNS] = "DNS",		 [ND_LAYER_POLICY] = "NetworkPolicy",
	[ND_LAYER_IMAGE] = "images",	 [ND_LAYER_EXTERNAL] = "external access",
};

static void list(struct nd_buf *out)
{
	for (size_t i = 0; i < nd_nchecks; i++)
		nd_buf_printf(out, "%-26s %s\n", nd_checks[i]->id, nd_checks[i]->title);
}

static void explain(const struct nd_check *check, struct nd_buf *out)
{
	nd_buf_printf(out, "%s: %s\n\n%s\n\nlayer     %s\n", check->id, check->title, check->why,
		      layers[check->layer]);
	if (check->fix)
		nd_buf_printf(out, "fix       %s\n", check->fix);
	for (size_t i = 0; i < ND_ARRAY_LEN(check->explains) && check->explains[i].id; i++)
		nd_buf_printf(out, "%-9s %s%s\n", i ? "" : "explains", check->explains[i].id,
			      check->explains[i].reach == ND_SAME_NODE ? " on the same node" : "");
	nd_buf_printf(out, "source    %s\n", check->source);
}

static int run(const struct nd_args *args, struct nd_buf *out, struct nd_err *err)
{
	if (args->nwords == 0) {
		list(out);
		return ND_EXIT_OK;
	}
	for (size_t i = 0; i < args->nwords; i++) {
		const struct nd_check *check = nd_check_find(args->words[i]);
		if (!check)
			return nd_err_set(err, ND_E_USAGE,
					  "no finding %s (`explain` alone lists them)",
					  args->words[i]);
		if (i)
			nd_buf_puts(out, "\n");
		explain(check, out);
	}
	return ND_EXIT_OK;
}

const struct nd_cmd nd_cmd_explain = {
	.name = "explain",
	.usage = "explain [ID...]",
	.help = "what a finding means and what to do",
	.run = run,
};
