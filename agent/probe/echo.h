/* echo.h: ICMP echo over a raw socket, for icmp.c and pmtu.c; both families. */
#ifndef ND_AGENT_PROBE_ECHO_H
#define ND_AGENT_PROBE_ECHO_H

#include "common/base.h"

#include "agent/probe/probe.h"

enum { ND_ECHO_HEAD = 8 };

/*
 * A raw socket that hears nothing yet: an open one gets a copy of every ICMP message of its
 * namespace, and thousands may be waiting. Raw, because ping sockets depend on the namespace's
 * net.ipv4.ping_group_range.
 */
int nd_echo_open(struct nd_probe *p);
/* Connect, and let echo replies in; false: it has ended. */
bool nd_echo_start(struct nd_probes *all, struct nd_probe *p);
/* A request whose IP packet is of size bytes (at least 28 or 48). -1 with errno. */
int nd_echo_send(const struct nd_probe *p, uint16_t seq, uint32_t size);
/* Bytes of the IP packet of the next reply to one of ours; 0: none there now, or it has ended. */
uint32_t nd_echo_recv(struct nd_probes *all, struct nd_probe *p);
/* Was the packet in this error ours? */
bool nd_echo_is_ours(const struct nd_probe *p, const struct nd_probe_sockerr *e);
/* Bytes before the payload: IP and ICMP header. */
uint32_t nd_echo_overhead(const struct nd_probe *p);

#endif
