/* f_packet.c: a packet that somebody sent through a node. */
#include "common/base.h"

#include "common/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct nd_packet *packet)
{
	bool is_icmp = packet->what == ND_PACKET_ICMP;

	if (packet->what >= ND_PACKET_WHATS || !nd_packet_what_name(packet->what))
		abort();
	if ((packet->src.family != 4 && packet->src.family != 6) ||
	    packet->dst.family != packet->src.family ||
	    packet->vxlan_src.family != packet->vxlan_dst.family)
		abort();
	if (is_icmp != (packet->icmp_from.family != 0) ||
	    (is_icmp && packet->icmp_from.family != packet->src.family))
		abort();
	if (packet->what == ND_PACKET_UDP && packet->sport != ND_PORT_DNS &&
	    packet->dport != ND_PORT_DNS)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	nd_auto_free uint8_t *longer = malloc(size + 8);
	struct nd_packet packet, again;

	if (!nd_packet_parse(data, size, &packet))
		return 0;
	check(&packet);
	/* Of what was understood nothing changes with the bytes behind, but the ports of an ICMP
	 * error. */
	if (!longer)
		return 0;
	memcpy(longer, data, size);
	memset(longer + size, 0xff, 8);
	if (!nd_packet_parse(longer, size + 8, &again))
		abort();
	if (packet.what == ND_PACKET_ICMP) {
		again.sport = packet.sport;
		again.dport = packet.dport;
	}
	if (memcmp(&packet, &again, sizeof(packet)) != 0)
		abort();
	return 0;
}
