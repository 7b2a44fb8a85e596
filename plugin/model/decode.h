/*
 * decode.h: what the decoders of model/ share. Private to model/.
 *
 * A decoder takes one element of a list, keeps what cluster.h has, and returns NULL, or a short
 * reason why the element cannot be used. It never keeps pointers into the JSON: texts are copied
 * with nd_model_text (every text once) or nd_model_copy (texts that are unique anyway).
 */
#ifndef ND_PLUGIN_MODEL_DECODE_H
#define ND_PLUGIN_MODEL_DECODE_H

#include "plugin/evidence/item.h"
#include "plugin/model/cluster.h"
#include "plugin/model/index.h"
#include "plugin/model/json.h"
#include "plugin/model/scan.h"

#define ND_MODEL_MAX_GAPS 1000
#define ND_MODEL_MAX_TEXT (256u << 10) /* bytes of one text that is kept; more is cut */

struct nd_model {
	struct nd_cluster cluster;
	struct nd_index texts;	     /* every text once */
	struct nd_index hosts;	     /* node name -> position in cluster.hosts */
	uint32_t last_pages, gapped; /* bits of rows of resources.def */
	bool is_finished;
};

/* model.c */
const char *nd_model_text(struct nd_model *m, const char *text); /* NULL stays NULL */
const char *nd_model_textn(struct nd_model *m, struct nd_str text);
const char *nd_model_copy(struct nd_model *m, const char *text);
const char *nd_model_str(struct nd_model *m, const cJSON *object, const char *key);
void nd_model_gap(struct nd_model *m, const char *what, const char *where, const char *fmt, ...)
	ND_PRINTF(4, 5);
/* The host of a node, made when it is new. The address is good until the next call. */
struct nd_host *nd_model_host(struct nd_model *m, const char *node);
void *nd_model_array(struct nd_model *m, size_t count, size_t size_bytes); /* NULL for none */
/* An object of texts ("matchLabels", "data") as labels. */
struct nd_labels nd_model_labels(struct nd_model *m, const cJSON *object);

/*
 * Hand each element of the array in text (or in its member key) to decode. Returns NULL, or why
 * not all of it could be used. metadata (may be NULL) gets the bytes of the top member of that
 * name.
 */
typedef const char *nd_decode_fn(struct nd_model *m, void *ctx, const cJSON *element);
const char *nd_decode_list(struct nd_model *m, struct nd_str text, const char *key, void *ctx,
			   nd_decode_fn *decode, struct nd_str *metadata);

/* api.c and one file a kind */
const char *nd_decode_meta(struct nd_model *m, const cJSON *object, struct nd_meta *meta);
const char *nd_decode_node(struct nd_model *m, void *ctx, const cJSON *item);
const char *nd_decode_pod(struct nd_model *m, void *ctx, const cJSON *item);
const char *nd_decode_service(struct nd_model *m, void *ctx, const cJSON *item);
const char *nd_decode_slice(struct nd_model *m, void *ctx, const cJSON *item);
const char *nd_decode_daemonset(struct nd_model *m, void *ctx, const cJSON *item);
const char *nd_decode_deployment(struct nd_model *m, void *ctx, const cJSON *item);
const char *nd_decode_policy(struct nd_model *m, void *ctx, const cJSON *item);
const char *nd_decode_event(struct nd_model *m, void *ctx, const cJSON *item);
const char *nd_decode_configmap(struct nd_model *m, void *ctx, const cJSON *item);
const char *nd_decode_namespace(struct nd_model *m, void *ctx, const cJSON *item);
void nd_model_api_page(struct nd_model *m, const char *resource, struct nd_str page);
void nd_model_api_gap(struct nd_model *m, const char *resource);

/* The nodes' sections: one function a row of sections.def; returns NULL or why it is not whole. */
#define ND_SECTION(id, name, what)                                                                 \
	const char *nd_section_##id(struct nd_model *m, struct nd_host *host, struct nd_str text);
#include "common/sections.def"
#undef ND_SECTION

/* RFC 3339 in UTC, as the API server writes it: "2025-01-31T10:00:00Z", maybe with a fraction; 0:
 * not that. In api_event.c. */
int64_t nd_model_time(const char *text);
/* Section "probe" adds to what is there: what is sent again comes in a section of its own. */
const char *nd_model_probes(struct nd_model *m, struct nd_host *host, struct nd_str text);
/* Section "watch" adds to what is there, too. */
const char *nd_model_sightings(struct nd_model *m, struct nd_host *host, struct nd_str text);
/* The source of a probe or of a packet seen: 0 for "node", else an inode; false: neither. */
bool nd_model_source(const char *source, uint64_t *inode);

/* Arrays that stand in the host's own sections and in each pod's. */
struct nd_links_out {
	struct nd_link *items;
	size_t n;
	const char **lowers; /* nlowers == n: the name in "link", or NULL */
	size_t nlowers;
};
struct nd_addrs_out {
	struct nd_address *items;
	size_t n;
};
struct nd_routes_out {
	struct nd_route *items;
	size_t n;
};
struct nd_sockets_out {
	struct nd_socket *items;
	size_t n;
};
/* Turn the names of lower devices into numbers, once all links are there. */
void nd_links_settle(struct nd_model *m, struct nd_links_out *out);
const char *nd_decode_link(struct nd_model *m, void *links_out, const cJSON *element);
const char *nd_decode_addr(struct nd_model *m, void *addrs_out, const cJSON *element);
const char *nd_decode_route(struct nd_model *m, void *routes_out, const cJSON *element);
const char *nd_decode_socket(struct nd_model *m, void *sockets_out, const cJSON *element);

/* `docker ps -a` lines, META items. */
void nd_model_containers(struct nd_model *m, struct nd_str text);
void nd_model_meta_item(struct nd_model *m, const char *name, struct nd_str text);
/* Once all is there: nft tables that iptables-save could not show are native ones. */
void nd_nft_settle(struct nd_host *host);
/*
 * The API server's and the hosts' lists in the order that cluster.h says. May be called again when
 * more has come.
 */
void nd_model_sort(struct nd_model *m);

#endif
