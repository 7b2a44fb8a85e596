#include "common/base.h"

#include "agent/collect/ruleset.h"
#include "agent/sys/procfs.h"
#include "common/text.h"

struct nd_ruleset nd_ruleset;

const char *const nd_ruleset_programs[] = {
	"iptables-nft-save", "ip6tables-nft-save", "iptables-legacy-save", "ip6tables-legacy-save",
	"iptables-save",     "ip6tables-save",	   "nft",		   NULL,
};

/*
 * nft needs 18 MiB and 90 ms for kube-proxy's 1,500 rules of 500 services, iptables-nft-save a
 * quarter of both, and it shows the same rules: tables larger than this are left to it.
 */
enum { BIG_TABLE = 64 };

static struct nd_nftables tables; /* the children's argv point into it */

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

static bool has_nft_tables(int family)
{
	for (size_t i = 0; i < tables.n; i++)
		if (nd_nftables_is_iptables(&tables.tables[i]) &&
		    nd_eq(tables.tables[i].family, family == 6 ? "ip6" : "ip"))
			return true;
	return false;
}

static void start_block(struct nd_ruleset_block *block, const char *backend, int family,
			size_t max_bytes, bool has_tables, int (*prepare)(struct nd_err *err))
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
	if (!is_legacy && has_tables && !has_nft_tables(family) && !nd_ruleset_has_legacy(family)) {
		block->is_known_empty = true;
		return;
	}
	block->run.argv = block->argv;
	block->run.out.max_bytes = max_bytes;
	block->run.prepare = prepare;
	block->is_started = true;
	nd_run_start(&block->run);
}

/* Fill one nft run; table NULL: everything. */
static void add_nft(const struct nd_nftables_table *table)
{
	struct nd_ruleset_nft *nft = &nd_ruleset.nft[nd_ruleset.nnft++];
	const char *const all[7] = {"nft", "-j", "list", "ruleset"};
	const char *const one[7] = {"nft", "-j", "list", "table", table ? table->family : NULL,
				    table ? table->name : NULL};

	memcpy(nft->argv, table ? one : all, sizeof(nft->argv));
}

/* Whether this table needs no nft, because a program that runs already shows all of it. */
static bool is_shown(struct nd_nl *nl, const struct nd_nftables_table *table)
{
	const struct nd_ruleset_block *block =
		&nd_ruleset.blocks[nd_eq(table->family, "ip6") ? 1 : 0];

	/* The kernel has a name but once; the room for them does not depend on that. */
	if (nd_ruleset.nleft_out[block->family == 6] == ND_RULESET_MAX_LEFT_OUT)
		return false;
	return table->use > BIG_TABLE && nd_nftables_is_iptables(table) && block->is_started &&
	       !block->run.error[0] && nd_nftables_is_plain(nl, table);
}

/* The runs without big tables of iptables; false: ask for everything after all. */
static bool plan_nft(struct nd_nl *nl)
{
	struct nd_ruleset *set = &nd_ruleset;

	for (size_t i = 0; i < tables.n; i++) {
		const struct nd_nftables_table *table = &tables.tables[i];

		if (is_shown(nl, table)) {
			size_t is_6 = nd_eq(table->family, "ip6");
			set->left_out[is_6][set->nleft_out[is_6]++] = table;
			continue;
		}
		if (set->nnft == ND_RULESET_MAX_NFT || !table->family || !table->name[0])
			return false;
		add_nft(table);
	}
	return set->nleft_out[0] + set->nleft_out[1] > 0 || tables.n == 0;
}

static void start_nft(struct nd_nl *nl, bool has_tables, size_t max_bytes,
		      int (*prepare)(struct nd_err *err))
{
	struct nd_ruleset *set = &nd_ruleset;

	if (!has_tables || !plan_nft(nl)) {
		set->nnft = 0;
		set->nleft_out[0] = set->nleft_out[1] = 0;
		add_nft(NULL);
	}
	for (size_t i = 0; i < set->nnft; i++) {
		set->nft[i].run = (struct nd_run){.argv = set->nft[i].argv, .prepare = prepare};
		set->nft[i].run.out.max_bytes = max_bytes;
		nd_run_start(&set->nft[i].run);
	}
}

void nd_ruleset_start(size_t iptables_max_bytes, size_t nft_max_bytes, int64_t deadline_us,
		      int (*prepare)(struct nd_err *err))
{
	struct nd_ruleset *set = &nd_ruleset;
	struct nd_nl nl = {.fd = -1};
	struct nd_err ignored = {0};

	set->deadline_us = deadline_us;
	if (iptables_max_bytes == 0 && nft_max_bytes == 0)
		return;
	/* Without the list of tables every program is asked for all it has. */
	bool has_tables = nd_nl_open(&nl, NETLINK_NETFILTER, &ignored) == 0 &&
			  nd_nftables_list(&nl, &tables, &ignored) == 0;
	if (iptables_max_bytes > 0) {
		start_block(&set->blocks[0], "nft", 4, iptables_max_bytes, has_tables, prepare);
		start_block(&set->blocks[1], "nft", 6, iptables_max_bytes, has_tables, prepare);
		start_block(&set->blocks[2], "legacy", 4, iptables_max_bytes, has_tables, prepare);
		start_block(&set->blocks[3], "legacy", 6, iptables_max_bytes, has_tables, prepare);
	}
	if (nft_max_bytes > 0)
		start_nft(&nl, has_tables, nft_max_bytes, prepare);
	nd_nl_close(&nl);
}

static size_t list_blocks(struct nd_run **runs)
{
	size_t n = 0;

	for (size_t i = 0; i < ND_RULESET_NBLOCKS; i++)
		if (nd_ruleset.blocks[i].is_started)
			runs[n++] = &nd_ruleset.blocks[i].run;
	return n;
}

static size_t list_nft(struct nd_run **runs)
{
	for (size_t i = 0; i < nd_ruleset.nnft; i++)
		runs[i] = &nd_ruleset.nft[i].run;
	return nd_ruleset.nnft;
}

/* "*nat" begins what is shown of it; a table with anything foreign is named in a remark. */
static bool has_table(const struct nd_run *run, const char *name)
{
	char begin[16], remark[32];

	if (run->out.len == 0)
		return false;
	snprintf(begin, sizeof(begin), "\n*%.12s\n", name);
	snprintf(remark, sizeof(remark), "# Table `%.12s' ", name);
	return strstr(run->out.data, begin) && !strstr(run->out.data, remark);
}

/* What nft was not asked for must be in what iptables-nft-save said, or it is a gap. */
static void check_left_out(void)
{
	struct nd_ruleset *set = &nd_ruleset;

	for (size_t i = 0; i < 2; i++) {
		const struct nd_ruleset_block *block = &set->blocks[i];

		for (size_t j = 0; j < set->nleft_out[i]; j++) {
			const char *name = set->left_out[i][j]->name;
			const char *why = block->run.error;
			if (why[0] || !has_table(&block->run, name))
				snprintf(set->left_out_error, sizeof(set->left_out_error),
					 "table %s was left to %s: %.150s", name, block->argv[0],
					 why[0] ? why : "does not show it whole");
		}
		set->nleft_out[i] = 0; /* once: the text is given away after this */
	}
}

void nd_ruleset_finish_iptables(void)
{
	struct nd_run *runs[ND_RULESET_NBLOCKS + ND_RULESET_MAX_NFT];
	size_t nwanted = list_blocks(runs);

	nd_run_finish(runs, nwanted + list_nft(runs + nwanted), nwanted, nd_ruleset.deadline_us);
	check_left_out();
}

void nd_ruleset_finish_nft(void)
{
	struct nd_run *runs[ND_RULESET_NBLOCKS + ND_RULESET_MAX_NFT];
	size_t nwanted = list_nft(runs);

	nd_run_finish(runs, nwanted + list_blocks(runs + nwanted), nwanted, nd_ruleset.deadline_us);
}

void nd_ruleset_stop(void)
{
	struct nd_run *runs[ND_RULESET_NBLOCKS + ND_RULESET_MAX_NFT];
	size_t n = list_blocks(runs);

	n += list_nft(runs + n);
	for (size_t i = 0; i < n; i++)
		nd_run_free(runs[i]);
}
