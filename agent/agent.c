#include "common/base.h"

#include "agent/agent.h"

#include <sys/socket.h>

void nd_agent_open(struct nd_agent *agent, bool wants_pods)
{
	bool has_diag;

	agent->raw.max_bytes = ND_NL_MAX_DUMP;
	/* On failure the fd is -1 and the reason is kept for the sections that needed it. */
	(void)!nd_nl_open(&agent->nl, NETLINK_ROUTE, &agent->nl_err);
	has_diag = nd_socksrc_has_diag(&agent->raw);
	(void)!nd_socksrc_open(&agent->socks, has_diag, &agent->socks_err);
	agent->ioctl_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!wants_pods)
		nd_err_set(&agent->pods_err, ND_E_NOT_FOUND, "pods were not asked for");
	else
		(void)!nd_podns_open(&agent->pods, &agent->arena, &agent->pods_err);
}

void nd_agent_close(struct nd_agent *agent)
{
	nd_nl_close(&agent->nl);
	nd_socksrc_close(&agent->socks);
	nd_close_fd(&agent->ioctl_fd);
	nd_podns_close(&agent->pods);
	nd_ifnames_free(&agent->names);
	nd_buf_free(&agent->ipsets);
	nd_buf_free(&agent->raw);
	nd_arena_free(&agent->arena);
}
