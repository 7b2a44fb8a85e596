/*
 * ipsets.h: the ipsets of the node's namespace, as `ipset save` would print them, so that no ipset
 * program is needed. Read before the sandbox closes (ip_set answers only CAP_NET_ADMIN, even for
 * reading: nfnetlink_rcv), made into text after it.
 *
 *	nd_ipsets_read(&agent);			between nd_sandbox_begin and nd_sandbox_enter
 *	nd_collector_ipsets.run(&agent, out, err)
 */
#ifndef ND_AGENT_COLLECT_IPSETS_H
#define ND_AGENT_COLLECT_IPSETS_H

#include "common/base.h"

#include "agent/agent.h"

/* Of one set; 65536 is what ipset allows without `maxelem`. A set with more is cut, and says so. */
#define ND_IPSETS_MAX_ELEMENTS 100000

/* Fills agent->ipsets, or agent->ipsets_err. A kernel without ip_set has none: it is not loaded. */
void nd_ipsets_read(struct nd_agent *agent);
/* The text of messages that are as nd_nl_dump leaves them. ND_E_INPUT: they are broken. */
int nd_ipsets_write(const struct nd_buf *raw, struct nd_buf *out, struct nd_err *err) ND_MUST_USE;

#endif
