#include "common/base.h"

#include "plugin/model/decode.h"

#define MAX_UIDS 1024

/* The lists of one pod: as nd_decode_list, but on parsed JSON. */
static const char *decode_array(struct nd_model *m, const cJSON *array, void *ctx,
				nd_decode_fn *decode)
{
	const char *why = NULL, *bad;
	const cJSON *element;

	if (!cJSON_IsArray(array))
		return array ? "a list of a pod is not an array" : NULL;
	cJSON_ArrayForEach(element, array) {
		bad = decode(m, ctx, element);
		if (bad && !why)
			why = bad;
	}
	return why;
}

static void decode_uids(struct nd_model *m, const cJSON *uids, struct nd_podns *podns)
{
	size_t n = nd_json_count(uids, MAX_UIDS);
	const cJSON *uid;

	podns->uids = nd_model_array(m, n, sizeof(*podns->uids));
	if (n == 0)
		return;
	cJSON_ArrayForEach(uid, uids) {
		if (nd_json_text(uid) && podns->nuids < n)
			podns->uids[podns->nuids++] = nd_model_text(m, nd_json_text(uid));
	}
}

static const char *decode_lists(struct nd_model *m, const cJSON *element, struct nd_podns *podns)
{
	struct nd_links_out links = {0};
	struct nd_addrs_out addrs = {0};
	struct nd_routes_out routes = {0};
	struct nd_sockets_out sockets = {0};
	const char *why[] = {
		decode_array(m, nd_json_get(element, "links"), &links, nd_decode_link),
		decode_array(m, nd_json_get(element, "addrs"), &addrs, nd_decode_addr),
		decode_array(m, nd_json_get(element, "routes"), &routes, nd_decode_route),
		decode_array(m, nd_json_get(element, "sockets"), &sockets, nd_decode_socket)};

	nd_links_settle(m, &links);
	podns->links = links.items;
	podns->nlinks = links.n;
	podns->addrs = addrs.items;
	podns->naddrs = addrs.n;
	podns->routes = routes.items;
	podns->nroutes = routes.n;
	podns->sockets = sockets.items;
	podns->nsockets = sockets.n;
	for (size_t i = 0; i < ND_ARRAY_LEN(why); i++)
		if (why[i])
			return why[i];
	return NULL;
}

static const char *decode_pod(struct nd_model *m, void *ctx, const cJSON *element)
{
	struct nd_host *host = ctx;
	struct nd_podns podns = {.error = nd_model_str(m, element, "error")};
	const char *why;

	decode_uids(m, nd_json_get(element, "uids"), &podns);
	podns.inode = (uint64_t)nd_json_int(element, "netns_inode", 0, INT64_MAX, 0);
	podns.is_host_network = nd_json_bool(element, "is_host_network", false);
	why = decode_lists(m, element, &podns);
	ND_ARENA_PUSH(&m->cluster.arena, host->podns, host->npodns) = podns;
	return why;
}

const char *nd_section_pods(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	host->podns = NULL;
	host->npodns = 0;
	return nd_decode_list(m, text, "pods", host, decode_pod, NULL);
}
