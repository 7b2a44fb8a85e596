#include "common/base.h"
#include "plugin/verify/test.h"

static const char *is_moot(const struct nd_verify_run *run)
{
	return run->options->is_external ? NULL : "not asked for (--external)";
}

/* The addresses of --http have their own test. */
static void run(struct nd_verify_run *run)
{
	for (size_t i = 0; i < run->nflows; i++)
		if (nd_verify_flow_is_outside(&run->flows[i]))
			nd_verify_take(run, &run->flows[i]);
}

const struct nd_verify_test nd_verify_test_external = {
	.id = "external",
	.title = "External names",
	.what = "only with --external: cluster DNS resolves a name of the world for a pod of every "
		"node (addresses of the world are asked with --http)",
	.needs_probes = true,
	.is_moot = is_moot,
	.run = run,
	.nothing = "no pod that may ask cluster DNS",
};
