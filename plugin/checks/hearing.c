#include "common/base.h"
#include "plugin/checks/hearing.h"
#include "plugin/checks/service.h"

static bool is_loopback(struct nd_ip ip)
{
	static const uint8_t one[16] = {[15] = 1};
	return ip.family == 4 ? ip.bytes[0] == 127
			      : ip.family == 6 && memcmp(ip.bytes, one, 16) == 0;
}

static enum nd_hearing hears(const struct nd_socket *sockets, size_t n, bool is_udp, uint16_t port,
			     uint16_t *other)
{
	enum nd_hearing got = ND_HEARING_UNKNOWN;
	for (size_t i = 0; i < n; i++) {
		if (sockets[i].is_udp != is_udp)
			continue;
		if (sockets[i].port == port && !is_loopback(sockets[i].ip))
			return ND_HEARS;
		if (sockets[i].port == port) {
			got = ND_HEARS_LOOPBACK_ONLY;
		} else if (!is_loopback(sockets[i].ip) && got != ND_HEARS_LOOPBACK_ONLY) {
			got = ND_HEARS_OTHER_PORT;
			*other = sockets[i].port;
		}
	}
	return got;
}

enum nd_hearing nd_hearing_of(const struct nd_cluster *cluster, const struct nd_endpoint *e,
			      bool is_udp, uint16_t port, uint16_t *other)
{
	const struct nd_pod *pod =
		e->pod_name ? nd_look_pod(cluster, e->pod_ns, e->pod_name) : NULL;
	const struct nd_host *host = pod && pod->node ? nd_look_host(cluster, pod->node) : NULL;
	/* hostNetwork pods share the node's sockets, where "another port" proves nothing. */
	if (!nd_host_has(host, ND_SECTION_pods) || pod->is_host_network)
		return ND_HEARING_UNKNOWN;
	const struct nd_podns *ns = nd_look_podns(host, pod->meta.uid);
	return ns && !ns->error && !ns->is_host_network
		       ? hears(ns->sockets, ns->nsockets, is_udp, port, other)
		       : ND_HEARING_UNKNOWN;
}

bool nd_hearing_is_deaf(const struct nd_cluster *cluster, const struct nd_service *service,
			const struct nd_service_port *port)
{
	size_t nslices, nready = 0;
	uint16_t other;
	const struct nd_slice *slices = nd_look_slices(cluster, service, &nslices);
	for (size_t i = 0; i < nslices; i++)
		for (size_t k = 0; k < slices[i].nports; k++) {
			const struct nd_slice_port *sp = &slices[i].ports[k];
			if (!nd_eq(sp->name ? sp->name : "", port->name ? port->name : "") ||
			    !nd_eq(sp->protocol, port->protocol))
				continue;
			for (size_t e = 0; e < slices[i].nendpoints; e++) {
				const struct nd_endpoint *end = &slices[i].endpoints[e];
				if (!end->is_ready || end->is_terminating)
					continue;
				enum nd_hearing got =
					nd_hearing_of(cluster, end, nd_eq(port->protocol, "UDP"),
						      sp->port, &other);
				if (got == ND_HEARS || got == ND_HEARING_UNKNOWN)
					return false;
				nready++;
			}
		}
	return nready > 0;
}
