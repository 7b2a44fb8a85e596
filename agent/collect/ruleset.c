#include "common/base.h"

#include "agent/collect/ruleset.h"
#include "agent/sys/procfs.h"
#include "common/text.h"

struct nd_ruleset nd_ruleset;

const char *const nd_ruleset_programs[] = {
	"iptables-nft-save", "ip6tables-nft-save", "iptables-legacy-save", "ip6tables-legacy-save",
	"iptables-save",     "ip6tables-save",	   "nft",		   NULL,
};

static const char *const nft_argv[] = {"nft", "-j", "list", "ruleset", NULL};

/*
 * Naming a table to iptables-legacy, or saving where none is there, would make the kernel create
 * it: look at the list of tables that exist first.
 */
bool nd_ruleset_has_legacy(int family)
{
	char names[256];
	const char *path =
		family == 6 ? "/proc/net/ip6_tables_names" : "/proc/net/ip_tables_names";

	return nd_procfs_read(path, names, sizeof(names)) > 0;
}

/* The program of one backend, or NULL: not here. */
static const char *pick_program(const char *backend, int family)
{
	char path[ND_RUN_PATH_MAX], real[4096];
	bool is_nft = nd_eq(backend, "nft");
	const char *own = is_nft ? (family == 6 ? "ip6tables-nft-save" : "iptables-nft-save")
				 : (family == 6 ? "ip6tables-legacy-save" : "iptables-legacy-save");
	const char *any = family == 6 ? "ip6tables-save" : "iptables-save";

	if (nd_run_find(own, path))
		return own;
	/* Before iptables 1.8 there is one program and it is the legacy one. */
	if (!nd_run_find(any, path) || !realpath(path, real))
		return NULL;
	return (strstr(real, "nft") != NULL) == is_nft ? any : NULL;
}

static void start_block(struct nd_ruleset_block *block, const char *backend, int family,
			size_t max_bytes, int (*prepare)(struct nd_err *err))
{
	bool is_legacy = nd_eq(backend, "legacy");

	*block = (struct nd_ruleset_block){.backend = backend, .family = family};
	if (is_legacy && !nd_ruleset_has_legacy(family))
		return;
	block->argv[0] = pick_program(backend, family);
	block->argv[1] = "-c";
	if (!block->argv[0]) {
		/* No nft variant is no error where legacy is what the node has; `nft` says more. */
		if (is_legacy)
			snprintf(block->run.error, sizeof(block->run.error),
				 "the kernel has legacy tables but no iptables-legacy-save is "
				 "installed to read them");
		return;
	}
	block->run.argv = block->argv;
	block->run.out.max_bytes = max_bytes;
	block->run.prepare = prepare;
	block->is_started = true;
	nd_run_start(&block->run);
}

void nd_ruleset_start(size_t iptables_max_bytes, size_t nft_max_bytes, int64_t deadline_us,
		      int (*prepare)(struct nd_err *err))
{
	struct nd_ruleset *set = &nd_ruleset;

	set->deadline_us = deadline_us;
	if (iptables_max_bytes > 0) {
		start_block(&set->blocks[0], "nft", 4, iptables_max_bytes, prepare);
		start_block(&set->blocks[1], "nft", 6, iptables_max_bytes, prepare);
		start_block(&set->blocks[2], "legacy", 4, iptables_max_bytes, prepare);
		start_block(&set->blocks[3], "legacy", 6, iptables_max_bytes, prepare);
	}
	if (nft_max_bytes > 0) {
		set->nft = (struct nd_run){.argv = nft_argv, .prepare = prepare};
		set->nft.out.max_bytes = nft_max_bytes;
		set->is_nft_started = true;
		nd_run_start(&set->nft);
	}
}

static size_t list_blocks(struct nd_run **runs)
{
	size_t n = 0;

	for (size_t i = 0; i < ND_RULESET_NBLOCKS; i++)
		if (nd_ruleset.blocks[i].is_started)
			runs[n++] = &nd_ruleset.blocks[i].run;
	return n;
}

void nd_ruleset_finish_iptables(void)
{
	struct nd_run *runs[ND_RULESET_NBLOCKS + 1];
	size_t n = list_blocks(runs), nwanted = n;

	if (nd_ruleset.is_nft_started)
		runs[n++] = &nd_ruleset.nft;
	nd_run_finish(runs, n, nwanted, nd_ruleset.deadline_us);
}

void nd_ruleset_finish_nft(void)
{
	struct nd_run *runs[ND_RULESET_NBLOCKS + 1];

	if (!nd_ruleset.is_nft_started)
		return;
	runs[0] = &nd_ruleset.nft;
	size_t n = 1 + list_blocks(runs + 1);
	nd_run_finish(runs, n, 1, nd_ruleset.deadline_us);
}

void nd_ruleset_stop(void)
{
	struct nd_run *runs[ND_RULESET_NBLOCKS];
	size_t n = list_blocks(runs);

	for (size_t i = 0; i < n; i++)
		nd_run_free(runs[i]);
	if (nd_ruleset.is_nft_started)
		nd_run_free(&nd_ruleset.nft);
}
