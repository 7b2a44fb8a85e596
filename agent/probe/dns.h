/* dns.h: what the two DNS probes share. */
#ifndef ND_AGENT_PROBE_DNS_H
#define ND_AGENT_PROBE_DNS_H

#include "common/base.h"

#include "agent/probe/probe.h"
#include "common/dns_msg.h"

size_t nd_dns_probe_query(const struct nd_probe *p, uint8_t msg[ND_DNS_MAX_QUERY]);
/* Ends the probe by what msg[n] says. */
void nd_dns_probe_reply(struct nd_probes *all, struct nd_probe *p, const uint8_t *msg, size_t n);

#endif
