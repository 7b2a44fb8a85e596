#include "common/base.h"

#include "plugin/model/decode.h"

/* "node" is the node's own namespace, anything else an inode. */
bool nd_model_source(const char *source, uint64_t *inode)
{
	*inode = 0;
	if (nd_eq(source, "node"))
		return true;
	return source && nd_parse_u64(nd_str(source), UINT64_MAX, inode) && *inode != 0;
}

static const char *decode_probe(struct nd_model *m, void *ctx, const cJSON *element)
{
	struct nd_host *host = ctx;
	struct nd_probe_result r = {
		.ip = nd_json_ip(element, "addr"),
		.port = (uint16_t)nd_json_int(element, "port", 0, 65535, 0),
		.name = nd_model_str(m, element, "name"),
		.is_aaaa = nd_eq(nd_json_str(element, "type"), "AAAA"),
		.us = nd_json_int(element, "us", 0, INT64_MAX, 0),
		.err_number = (int32_t)nd_json_int(element, "errno", 0, INT32_MAX, 0),
		.status = (int32_t)nd_json_int(element, "status", 0, INT32_MAX, 0),
		.rcode = (int32_t)nd_json_int(element, "rcode", 0, INT32_MAX, 0),
		.answers = (int32_t)nd_json_int(element, "answers", 0, INT32_MAX, 0),
		.bytes = nd_json_int(element, "bytes", 0, INT64_MAX, 0),
		.mtu_bytes = (uint32_t)nd_json_int(element, "mtu", 0, UINT32_MAX, 0),
		.hop = nd_json_ip(element, "hop"),
	};

	if (!nd_probe_kind_find(nd_str(nd_json_str(element, "kind")), &r.kind))
		return "a probe is of an unknown kind";
	if (!nd_probe_outcome_find(nd_str(nd_json_str(element, "outcome")), &r.outcome))
		return "a probe has an unknown outcome";
	if (!nd_model_source(nd_json_str(element, "source"), &r.netns_inode) || !r.ip.family)
		return "a probe has no source or no address";
	ND_ARENA_PUSH(&m->cluster.arena, host->probes, host->nprobes) = r;
	return NULL;
}

const char *nd_model_probes(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	return nd_decode_list(m, text, NULL, host, decode_probe, NULL);
}
