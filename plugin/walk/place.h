/*
 * place.h: what people name as a packet's source or destination.
 *
 *	pod/NS/NAME or NS/NAME, node/NAME, svc/NS/NAME, an address; a destination may end in :PORT
 *
 *	if (nd_place_find(&arena, cluster, "svc/shop/web:80", &place, err) < 0) ...
 */
#ifndef ND_PLUGIN_WALK_PLACE_H
#define ND_PLUGIN_WALK_PLACE_H

#include "common/err.h"
#include "plugin/model/look.h"

struct nd_place {
	const char *text;     /* for people: "pod shop/web-1 (10.244.1.5 on w1)" */
	struct nd_ip ip, ip6; /* family 0: has none */
	uint16_t port;	      /* 0: not said, and the service has none of that protocol */
	const struct nd_pod *pod;
	const struct nd_service *service;
	const struct nd_host *host; /* where it is, when its node has a report; or NULL */
	bool is_outside;	    /* an address of no pod, service or node range */
	uint64_t netns_inode;	    /* 0: the node's own namespace */
};

/* proto: "tcp", "udp", "icmp": picks a service's port. ND_E_USAGE: not a place; ND_E_NOT_FOUND. */
int nd_place_find(struct nd_arena *arena, const struct nd_cluster *cluster, const char *text,
		  const char *proto, struct nd_place *out, struct nd_err *err) ND_MUST_USE;
/* Can packets be sent from there? ND_E_NOT_FOUND says why not. */
int nd_place_is_source(const struct nd_place *place, struct nd_err *err) ND_MUST_USE;

#endif
