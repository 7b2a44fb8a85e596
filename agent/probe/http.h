/* http.h: what the two HTTP probes share: the request, and where the status line ends. */
#ifndef ND_AGENT_PROBE_HTTP_H
#define ND_AGENT_PROBE_HTTP_H

#include "common/base.h"

#include "agent/probe/probe.h"

#define ND_HTTP_MAX_HEAD (16u << 10) /* bytes of status line and header */

int nd_http_open(struct nd_probe *p);
void nd_http_start(struct nd_probes *all, struct nd_probe *p);
/* The connection is made: send the request. */
void nd_http_ask(struct nd_probes *all, struct nd_probe *p);
/* The status of a complete status line; 0: not complete yet, -1: not HTTP/1. */
int nd_http_status(const struct nd_buf *in);

#endif
