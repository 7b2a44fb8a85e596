/*
 * yaml.h: a YAML or JSON document as a small tree, for files a person wrote. Every scalar is its
 * text; the reader of the tree decides what it means. Knows nothing of kubeconfigs.
 *
 *	struct nd_yaml *root;
 *	if (nd_yaml_parse(&arena, p, len, "/root/.kube/config", &root, err) < 0) ...
 *	const struct nd_yaml *server = nd_yaml_get(root, "server");
 *
 * Anchors, aliases and "<<" work. Limits: 4 MiB, 64 levels, 200,000 nodes counted with every alias
 * written out (so aliases of aliases end early), no cycles.
 */
#ifndef ND_PLUGIN_KUBE_YAML_H
#define ND_PLUGIN_KUBE_YAML_H

#include "common/arena.h"
#include "common/err.h"
#include "common/jsonw.h"

#define ND_YAML_MAX_BYTES (4u << 20)
#define ND_YAML_MAX_DEPTH 64
#define ND_YAML_MAX_NODES 200000
#define ND_YAML_MAX_KEYS 2000 /* of one map */
#define ND_YAML_MAX_ANCHORS 1000

enum nd_yaml_kind { ND_YAML_SCALAR, ND_YAML_LIST, ND_YAML_MAP };

struct nd_yaml_pair {
	const char *key;
	const struct nd_yaml *value;
	bool is_merged; /* came with "<<": an own key replaces it */
};

struct nd_yaml {
	enum nd_yaml_kind kind;
	bool is_plain;		    /* SCALAR: not in quotes */
	bool is_open;		    /* while parsing: an alias to it would be a cycle */
	unsigned line;		    /* from 1 */
	unsigned depth;		    /* levels below and including this one */
	size_t nnodes;		    /* this and all below, aliases written out */
	const char *text;	    /* SCALAR: ends with NUL, has none inside */
	const struct nd_yaml **items; /* LIST: nitems */
	size_t nitems;
	struct nd_yaml_pair *pairs; /* MAP: npairs, in the order of the file, keys unique */
	size_t npairs;
};

/* The first document. *out is NULL for an empty one. name is only for errors ("name:line: ..."). */
int nd_yaml_parse(struct nd_arena *arena, const char *p, size_t len, const char *name,
		  struct nd_yaml **out, struct nd_err *err) ND_MUST_USE;

/* The value behind key; NULL when map is NULL, no map, or has no such key. */
const struct nd_yaml *nd_yaml_get(const struct nd_yaml *map, const char *key);
/* NULL, or a plain null. */
bool nd_yaml_is_null(const struct nd_yaml *node);
/* Write it as JSON; plain scalars get the type that YAML 1.2 gives them. */
void nd_yaml_json(const struct nd_yaml *node, const char *key, struct nd_jsonw *w);

#endif
