#include "common/base.h"
#include "plugin/probe/emit.h"

static uint32_t mix(uint32_t hash, const void *p, size_t n)
{
	const unsigned char *byte = p;

	for (size_t i = 0; i < n; i++)
		hash = (hash ^ byte[i]) * 16777619u; /* FNV-1a: the same in every run */
	return hash;
}

static uint32_t hash_of(const struct nd_probe *p)
{
	uint32_t hash = mix(2166136261u, &p->netns_inode, sizeof(p->netns_inode));

	hash = mix(hash, &p->kind, sizeof(p->kind));
	hash = mix(hash, p->ip.bytes, sizeof(p->ip.bytes));
	hash = mix(hash, &p->port, sizeof(p->port));
	return p->name ? mix(hash, p->name, strlen(p->name)) : hash;
}

static bool is_same(const struct nd_probe *a, const struct nd_probe *b)
{
	return a->netns_inode == b->netns_inode && a->kind == b->kind && nd_ip_eq(a->ip, b->ip) &&
	       a->port == b->port && a->is_aaaa == b->is_aaaa &&
	       (a->name == b->name || nd_eq(a->name, b->name));
}

void nd_emit_node(struct nd_emit *emit, const char *node, size_t max)
{
	if (max > ND_PROBE_MAX_A_NODE)
		ND_BUG("more probes than a node may have");
	emit->node = node;
	emit->first = emit->out->nprobes;
	emit->max = max;
	memset(emit->slots, 0, sizeof(emit->slots));
}

bool nd_emit_is_full(const struct nd_emit *emit)
{
	return emit->out->nprobes - emit->first >= emit->max;
}

bool nd_emit_add(struct nd_emit *emit, struct nd_probe probe)
{
	struct nd_probe_plan *out = emit->out;
	uint32_t slot = hash_of(&probe) % ND_EMIT_SLOTS;

	if (nd_emit_is_full(emit) || !probe.ip.family)
		return false;
	for (; emit->slots[slot]; slot = (slot + 1) % ND_EMIT_SLOTS)
		if (is_same(&out->probes[emit->first + emit->slots[slot] - 1], &probe))
			return false;
	probe.node = emit->node;
	emit->slots[slot] = (uint16_t)(out->nprobes - emit->first + 1);
	ND_ARENA_PUSH(emit->arena, out->probes, out->nprobes) = probe;
	return true;
}
