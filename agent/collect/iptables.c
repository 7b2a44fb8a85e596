#include "common/base.h"

#include "agent/collect/collect.h"
#include "agent/collect/ruleset.h"

/* Rules of one program behind a line that says whose they are; nothing where it has none. */
static void write_block(struct nd_buf *out, struct nd_ruleset_block *block)
{
	if (block->run.error[0])
		nd_buf_printf(out, "# netdoctor error backend=%s family=%d %s\n", block->backend,
			      block->family, block->run.error);
	if (!block->is_started || block->run.error[0] || block->run.out.len == 0)
		return;
	nd_buf_printf(out, "# netdoctor backend=%s family=%d\n", block->backend, block->family);
	nd_buf_add(out, block->run.out.data, block->run.out.len);
	if (block->run.out.data[block->run.out.len - 1] != '\n')
		nd_buf_puts(out, "\n");
	nd_buf_free(&block->run.out);
}

static int run(ND_UNUSED struct nd_agent *agent, struct nd_buf *out, struct nd_err *err)
{
	const char *first_error = NULL;
	bool is_any_good = false;

	nd_ruleset_finish_iptables();
	for (size_t i = 0; i < ND_RULESET_NBLOCKS; i++) {
		const struct nd_ruleset_block *block = &nd_ruleset.blocks[i];
		is_any_good |= block->is_known_empty || (block->is_started && !block->run.error[0]);
		if (!first_error && block->run.error[0])
			first_error = block->run.error;
	}
	if (!is_any_good)
		return nd_err_set(err, ND_E_IO, "%s",
				  first_error
					  ? first_error
					  : "no iptables-nft-save, iptables-legacy-save or "
					    "iptables-save in /usr/sbin, /usr/bin, /sbin, /bin");
	for (size_t i = 0; i < ND_RULESET_NBLOCKS; i++)
		write_block(out, &nd_ruleset.blocks[i]);
	return 0;
}

const struct nd_collector nd_collector_iptables = {.name = "iptables", .run = run};
