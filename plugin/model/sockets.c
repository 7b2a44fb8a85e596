#include "common/base.h"

#include "plugin/model/decode.h"

const char *nd_decode_socket(struct nd_model *m, void *sockets_out, const cJSON *element)
{
	struct nd_sockets_out *out = sockets_out;
	const char *proto = nd_json_str(element, "proto");
	int64_t port = nd_json_int(element, "port", 0, UINT16_MAX, -1);
	struct nd_socket sock = {.ip = nd_json_ip(element, "addr")};

	if (!proto || !sock.ip.family || port < 0)
		return "a socket cannot be read";
	sock.is_udp = nd_starts(proto, "udp");
	sock.family = nd_ends(proto, "6") ? 6 : 4;
	sock.port = (uint16_t)port;
	ND_ARENA_PUSH(&m->cluster.arena, out->items, out->n) = sock;
	return NULL;
}

const char *nd_section_sockets(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	struct nd_sockets_out out = {0};
	const char *why = nd_decode_list(m, text, "sockets", &out, nd_decode_socket, NULL);

	host->sockets = out.items;
	host->nsockets = out.n;
	return why;
}
