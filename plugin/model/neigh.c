#include "common/base.h"

#include "plugin/model/decode.h"

static const char *decode_neigh(struct nd_model *m, void *ctx, const cJSON *element)
{
	struct nd_host *host = ctx;
	const cJSON *state = nd_json_get(element, "state");
	struct nd_neigh neigh = {.ip = nd_json_ip(element, "dst")};

	if (!neigh.ip.family)
		return "a neighbour has no address that can be read";
	neigh.dev = nd_model_str(m, element, "dev");
	neigh.mac = nd_model_str(m, element, "lladdr");
	neigh.is_failed = nd_json_has(state, "FAILED");
	neigh.is_permanent = nd_json_has(state, "PERMANENT");
	ND_ARENA_PUSH(&m->cluster.arena, host->neigh, host->nneigh) = neigh;
	return NULL;
}

const char *nd_section_neigh(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	host->neigh = NULL;
	host->nneigh = 0;
	return nd_decode_list(m, text, "neigh", host, decode_neigh, NULL);
}

static const char *decode_fdb(struct nd_model *m, void *ctx, const cJSON *element)
{
	struct nd_host *host = ctx;
	struct nd_fdb fdb = {.mac = nd_model_str(m, element, "mac"),
			     .dev = nd_model_str(m, element, "ifname"),
			     .dst = nd_json_ip(element, "dst"),
			     .is_permanent =
				     nd_eq(nd_json_str(element, "state"), "permanent"),
			     .is_self = nd_json_has(nd_json_get(element, "flags"), "self")};

	if (!fdb.mac)
		return "a forwarding entry has no mac";
	ND_ARENA_PUSH(&m->cluster.arena, host->fdb, host->nfdb) = fdb;
	return NULL;
}

const char *nd_section_fdb(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	host->fdb = NULL;
	host->nfdb = 0;
	return nd_decode_list(m, text, "fdb", host, decode_fdb, NULL);
}
