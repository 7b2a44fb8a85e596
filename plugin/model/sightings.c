#include "common/base.h"

#include "plugin/model/decode.h"

/* Of one host, over all its sections; docs/wire.md allows 4096 a section. */
#define MAX_SIGHTINGS 8192

static bool decode_what(const char *text, enum nd_sighting_what *what)
{
	static const char *const names[] = {
		[ND_SEEN_SYN] = "SYN", [ND_SEEN_SYN_ACK] = "SYN-ACK", [ND_SEEN_RST] = "RST",
		[ND_SEEN_UDP] = "UDP", [ND_SEEN_ICMP] = "ICMP",
	};

	for (size_t i = 0; i < ND_ARRAY_LEN(names); i++)
		if (nd_eq(text, names[i])) {
			*what = (enum nd_sighting_what)i;
			return true;
		}
	return false;
}

static const char *decode_sighting(struct nd_model *m, void *ctx, const cJSON *element)
{
	struct nd_host *host = ctx;
	const char *direction = nd_json_str(element, "direction");
	struct nd_sighting s = {
		.dev = nd_model_str(m, element, "ifname"),
		.is_out = nd_eq(direction, "out"),
		.src = nd_json_ip(element, "src"),
		.dst = nd_json_ip(element, "dst"),
		.sport = (uint16_t)nd_json_int(element, "sport", 0, 65535, 0),
		.dport = (uint16_t)nd_json_int(element, "dport", 0, 65535, 0),
		.icmp_from = nd_json_ip(element, "from"),
		.icmp_type = (uint8_t)nd_json_int(element, "icmp_type", 0, 255, 0),
		.icmp_code = (uint8_t)nd_json_int(element, "icmp_code", 0, 255, 0),
		.vxlan_src = nd_json_ip(element, "vxlan_src"),
		.vxlan_dst = nd_json_ip(element, "vxlan_dst"),
		.count = (uint32_t)nd_json_int(element, "count", 1, UINT32_MAX, 1),
		.us = nd_json_int(element, "us", 0, INT64_MAX, 0),
	};

	if (host->nsightings >= MAX_SIGHTINGS)
		return "more packets were seen than are kept";
	if (!s.dev || (!s.is_out && !nd_eq(direction, "in")))
		return "a packet was seen on no interface or in no direction";
	if (!decode_what(nd_json_str(element, "what"), &s.what))
		return "a packet of an unknown kind was seen";
	if (!nd_model_source(nd_json_str(element, "source"), &s.netns_inode) || !s.src.family ||
	    s.src.family != s.dst.family)
		return "a packet was seen in no namespace or has no addresses";
	ND_ARENA_PUSH(&m->cluster.arena, host->sightings, host->nsightings) = s;
	return NULL;
}

const char *nd_model_sightings(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	return nd_decode_list(m, text, NULL, host, decode_sighting, NULL);
}
