#include "common/base.h"

#include "plugin/model/decode.h"

static uint64_t counter(const cJSON *stats, const char *direction, const char *name)
{
	return (uint64_t)nd_json_int(nd_json_get(stats, direction), name, 0, INT64_MAX, 0);
}

static void decode_stats(const cJSON *element, struct nd_link *link)
{
	const cJSON *stats = nd_json_get(element, "stats64");

	link->rx_packets = counter(stats, "rx", "packets");
	link->tx_packets = counter(stats, "tx", "packets");
	link->rx_dropped = counter(stats, "rx", "dropped");
	link->tx_dropped = counter(stats, "tx", "dropped");
	link->rx_errors = counter(stats, "rx", "errors");
	link->tx_errors = counter(stats, "tx", "errors");
}

static void decode_info(struct nd_model *m, const cJSON *info, struct nd_link *link)
{
	const cJSON *data = nd_json_get(info, "info_data");
	const cJSON *hairpin = nd_json_at(info, "info_slave_data", "hairpin", NULL);

	link->kind = nd_model_str(m, info, "info_kind");
	link->slave_kind = nd_model_str(m, info, "info_slave_kind");
	link->has_hairpin = cJSON_IsBool(hairpin);
	link->is_hairpin = cJSON_IsTrue(hairpin);
	if (!nd_eq(link->kind, "vxlan"))
		return;
	link->vxlan_id = (uint32_t)nd_json_int(data, "id", 0, 0xffffff, 0);
	link->vxlan_local = nd_json_ip(data, "local");
	if (!link->vxlan_local.family)
		link->vxlan_local = nd_json_ip(data, "local6");
	link->vxlan_port = (uint16_t)nd_json_int(data, "port", 0, UINT16_MAX, 0);
}

const char *nd_decode_link(struct nd_model *m, void *links_out, const cJSON *element)
{
	struct nd_links_out *out = links_out;
	const cJSON *flags = nd_json_get(element, "flags");
	struct nd_link link = {.name = nd_model_str(m, element, "ifname"), .link_netnsid = -1};

	if (!link.name || !link.name[0])
		return "a link has no ifname";
	link.ifindex = (uint32_t)nd_json_int(element, "ifindex", 0, INT32_MAX, 0);
	link.master = nd_model_str(m, element, "master");
	link.mac = nd_model_str(m, element, "address");
	link.operstate = nd_model_str(m, element, "operstate");
	link.is_up = nd_json_has(flags, "UP");
	link.is_lower_up = nd_json_has(flags, "LOWER_UP");
	link.mtu_bytes = (uint32_t)nd_json_int(element, "mtu", 0, UINT32_MAX, 0);
	link.link_ifindex = (uint32_t)nd_json_int(element, "link_index", 0, INT32_MAX, 0);
	link.link_netnsid = (int32_t)nd_json_int(element, "link_netnsid", -1, INT32_MAX, -1);
	decode_info(m, nd_json_get(element, "linkinfo"), &link);
	decode_stats(element, &link);
	ND_ARENA_PUSH(&m->cluster.arena, out->items, out->n) = link;
	ND_ARENA_PUSH(&m->cluster.arena, out->lowers, out->nlowers) =
		nd_model_str(m, element, "link");
	return NULL;
}

void nd_links_settle(struct nd_model *m, struct nd_links_out *out)
{
	struct nd_index names = {0};

	for (size_t i = 0; i < out->n; i++) {
		struct nd_str name = nd_str(out->items[i].name);

		if (!nd_index_slot(&names, name))
			nd_index_put(&names, &m->cluster.arena, name, out->items[i].ifindex);
	}
	for (size_t i = 0; i < out->n; i++) {
		uint32_t ifindex;

		if (out->lowers[i] && !out->items[i].link_ifindex &&
		    nd_index_find(&names, nd_str(out->lowers[i]), &ifindex))
			out->items[i].link_ifindex = ifindex;
	}
}

const char *nd_section_links(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	struct nd_links_out out = {0};
	const char *why = nd_decode_list(m, text, "links", &out, nd_decode_link, NULL);

	nd_links_settle(m, &out);
	host->links = out.items;
	host->nlinks = out.n;
	return why;
}

const char *nd_decode_addr(struct nd_model *m, void *addrs_out, const cJSON *element)
{
	struct nd_addrs_out *out = addrs_out;
	const cJSON *infos = nd_json_get(element, "addr_info"), *info;
	const char *dev = nd_model_str(m, element, "ifname");
	uint32_t ifindex = (uint32_t)nd_json_int(element, "ifindex", 0, INT32_MAX, 0);

	if (!dev)
		return "an element of addrs has no ifname";
	if (!cJSON_IsArray(infos))
		return NULL;
	cJSON_ArrayForEach(info, infos) {
		struct nd_ip ip = nd_json_ip(info, "local");
		int64_t max = ip.family == 4 ? 32 : 128;
		int64_t len = nd_json_int(info, "prefixlen", 0, max, -1);

		if (!ip.family || len < 0)
			return "an address cannot be read";
		ND_ARENA_PUSH(&m->cluster.arena, out->items, out->n) =
			(struct nd_address){.ifindex = ifindex,
					    .dev = dev,
					    .prefix = {.ip = ip, .len = (uint8_t)len},
					    .scope = nd_model_str(m, info, "scope")};
	}
	return NULL;
}

const char *nd_section_addrs(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	struct nd_addrs_out out = {0};
	const char *why = nd_decode_list(m, text, "addrs", &out, nd_decode_addr, NULL);

	host->addrs = out.items;
	host->naddrs = out.n;
	return why;
}
