#include "common/base.h"

#include "agent/sys/offload.h"
#include "common/text.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>

#define NBLOCKS (ND_OFFLOAD_MAX_BITS / 32)

static const char *const key_names[ND_OFFLOAD_NKEYS] = {
	"tx-checksum", "rx-checksum", "tso", "gso", "gro", "tx-udp_tnl-segmentation",
};

/* Kernel: netdev_features_strings, net/ethtool/common.c. A key is on when any of its bits is. */
static const struct {
	const char *prefix;
	uint8_t key;
} rows[] = {
	{"tx-checksum-fcoe", 0xff}, /* storage, not IP */
	{"tx-checksum-", 0},
	{"rx-checksum", 1},
	{"tx-tcp", 2}, /* tx-tcp-segmentation, tx-tcp6-segmentation, ... */
	{"tx-generic-segmentation", 3},
	{"rx-gro", 4},
	{"tx-udp_tnl-segmentation", 5},
};

static uint8_t key_of(const char *feature)
{
	if (nd_eq(feature, "rx-gro-hw") || nd_eq(feature, "rx-gro-list"))
		return 0;
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++)
		if (nd_starts(feature, rows[i].prefix))
			return rows[i].key == 0xff ? 0 : (uint8_t)(rows[i].key + 1);
	return 0;
}

static bool ask(int fd, const char *ifname, void *command)
{
	struct ifreq request = {0};

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	request.ifr_data = command;
	return ioctl(fd, SIOCETHTOOL, &request) == 0;
}

void nd_offload_init(struct nd_offload *offload, int fd, const char *ifname)
{
	union {
		struct ethtool_sset_info head;
		uint8_t room[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)];
	} info = {.head = {.cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << ETH_SS_FEATURES}};
	nd_auto_free struct ethtool_gstrings *strings = NULL;
	uint32_t count;

	*offload = (struct nd_offload){0};
	if (fd < 0 || !ask(fd, ifname, &info) || !(info.head.sset_mask & 1ull << ETH_SS_FEATURES))
		return;
	memcpy(&count, info.room + sizeof(info.head), sizeof(count));
	if (count == 0 || count > ND_OFFLOAD_MAX_BITS)
		return;
	strings = calloc(1, sizeof(*strings) + ND_OFFLOAD_MAX_BITS * ETH_GSTRING_LEN);
	if (!strings)
		return;
	*strings = (struct ethtool_gstrings){
		.cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES, .len = count};
	if (!ask(fd, ifname, strings) || strings->len > count)
		return;
	for (uint32_t i = 0; i < strings->len; i++) {
		char name[ETH_GSTRING_LEN + 1] = {0};

		memcpy(name, strings->data + (size_t)i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
		offload->keys[i] = key_of(name);
	}
	offload->nbits = strings->len;
}

void nd_offload_write(const struct nd_offload *offload, int fd, const char *ifname,
		      struct nd_jsonw *w)
{
	union {
		struct ethtool_gfeatures head;
		uint8_t room[sizeof(struct ethtool_gfeatures) +
			     NBLOCKS * sizeof(struct ethtool_get_features_block)];
	} got = {.head = {.cmd = ETHTOOL_GFEATURES, .size = NBLOCKS}};
	bool is_on[ND_OFFLOAD_NKEYS] = {false}, is_known[ND_OFFLOAD_NKEYS] = {false};

	if (offload->nbits == 0 || !ask(fd, ifname, &got))
		return;
	for (uint32_t i = 0; i < offload->nbits; i++) {
		uint8_t key = offload->keys[i];

		if (!key)
			continue;
		is_known[key - 1] = true;
		if (got.head.features[i / 32].active & 1u << i % 32)
			is_on[key - 1] = true;
	}
	nd_jsonw_begin(w, "features", '{');
	for (size_t i = 0; i < ND_OFFLOAD_NKEYS; i++)
		if (is_known[i])
			nd_jsonw_bool(w, key_names[i], is_on[i]);
	nd_jsonw_end(w, '}');
}
