/*
 * target.h: what people name to be probed: svc/NS/NAME:PORT/PATH, http://ADDRESS:PORT/PATH,
 *ADDRESS:PORT/PATH.
 *
 *	if (nd_target_parse(&arena, "svc/shop/web:80/healthz", &target, err) < 0) ... ND_E_USAGE
 *	if (nd_target_resolve(cluster, &target, false, &get, err) < 0) ...
 */
#ifndef ND_PLUGIN_PROBE_TARGET_H
#define ND_PLUGIN_PROBE_TARGET_H

#include "common/err.h"
#include "plugin/probe/plan.h"

struct nd_target {
	const char *text;	  /* as given */
	const char *ns, *service; /* or NULL: an address */
	const char *port_name;	  /* of the service, or NULL: port */
	struct nd_ip ip;
	uint16_t port;
	const char *path; /* nd_probe_name_is_ok */
};

int nd_target_parse(struct nd_arena *arena, const char *text, struct nd_target *out,
		    struct nd_err *err) ND_MUST_USE;
/*
 * ND_E_USAGE: an address that is no pod's, service's or node's, and is_external is false.
 * ND_E_NOT_FOUND: no such service or port, or it has no ClusterIP.
 */
int nd_target_resolve(const struct nd_cluster *cluster, const struct nd_target *target,
		      bool is_external, struct nd_probe_get *out, struct nd_err *err) ND_MUST_USE;

#endif
