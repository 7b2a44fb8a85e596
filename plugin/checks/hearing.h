/*
 * hearing.h: does a pod listen where a service sends to? From its network namespace's sockets.
 */
#ifndef ND_PLUGIN_CHECKS_HEARING_H
#define ND_PLUGIN_CHECKS_HEARING_H

#include "plugin/model/look.h"

/* UNKNOWN: the namespace could not be read, or shows no socket at all (gVisor's is empty). */
enum nd_hearing { ND_HEARING_UNKNOWN, ND_HEARS, ND_HEARS_LOOPBACK_ONLY, ND_HEARS_OTHER_PORT };

/* other gets one port it listens on instead, with ND_HEARS_OTHER_PORT. */
enum nd_hearing nd_hearing_of(const struct nd_cluster *cluster, const struct nd_endpoint *endpoint,
			      bool is_udp, uint16_t port, uint16_t *other);
/* Every ready endpoint was looked at, and none listens on the target port. */
bool nd_hearing_is_deaf(const struct nd_cluster *cluster, const struct nd_service *service,
			const struct nd_service_port *port);

#endif
