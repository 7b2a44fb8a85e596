/* net.c: what a walk asks a namespace again and again: names for people, sysctls. Kept, not made
 * anew. */
#include "common/base.h"

#include "plugin/walk/eval_run.h"
#include "plugin/walk/world.h"

#define FIRST_SLOTS 32 /* a power of two */
#define MAX_WHERES 32  /* there are not that many words */
#define KEY_MAX 128

struct kept_number {
	const char *dev, *name; /* dev NULL: name is the whole key; name NULL: free */
	bool is_there;
	int64_t number;
};
struct nd_net_kept {
	struct nd_arena *arena;
	struct {
		const char *what, *text;
	} wheres[MAX_WHERES];
	size_t nwheres;
	const char **routes;	     /* texts of space.routes; NULL: not made yet */
	struct kept_number *numbers; /* nslots, a hash table */
	size_t nslots, nused;
};

void nd_net_kept_new(struct nd_arena *arena, struct nd_net *net)
{
	net->kept = nd_arena_alloc(arena, sizeof(*net->kept));
	net->kept->arena = arena;
	net->kept->nslots = FIRST_SLOTS;
	net->kept->numbers = nd_arena_array(arena, FIRST_SLOTS, sizeof(*net->kept->numbers));
}

const char *nd_net_where(const struct nd_net *net, const char *what)
{
	struct nd_net_kept *kept = net->kept;
	const char *text;

	for (size_t i = 0; i < kept->nwheres; i++)
		if (nd_eq(kept->wheres[i].what, what))
			return kept->wheres[i].text;
	text = nd_arena_printf(kept->arena, "%s: %s", net->label, what);
	if (kept->nwheres < MAX_WHERES) {
		kept->wheres[kept->nwheres].what = what;
		kept->wheres[kept->nwheres++].text = text;
	}
	return text;
}

static const char *route_text(struct nd_arena *arena, const struct nd_route *route)
{
	char dst[ND_PREFIX_TEXT], gateway[ND_IP_TEXT];
	bool is_plain = nd_eq(route->type, "unicast");
	bool has_table = !nd_eq(route->table, "main") && !nd_eq(route->table, "local");

	return nd_arena_printf(
		arena, "%s%s%s%s%s%s%s%s%s", is_plain ? "" : route->type, is_plain ? "" : " ",
		route->dst.len == 0 ? "default" : nd_prefix_text(route->dst, dst),
		route->gateway.family ? " via " : "", nd_ip_text(route->gateway, gateway),
		route->dev ? " dev " : "", route->dev ? route->dev : "", has_table ? " table " : "",
		has_table ? route->table : "");
}

const char *nd_net_route_text(const struct nd_net *net, const struct nd_route *route)
{
	struct nd_net_kept *kept = net->kept;
	const char **text;

	if (!kept->routes)
		kept->routes =
			nd_arena_array(kept->arena, net->space.nroutes, sizeof(*kept->routes));
	text = &kept->routes[route - net->space.routes];
	if (!*text)
		*text = route_text(kept->arena, route);
	return *text;
}

/* ---- sysctls ---- */

static size_t slot_of(const struct kept_number *numbers, size_t n, const char *dev,
		      const char *name)
{
	uint64_t hash = nd_bytes_hash(name, strlen(name));
	size_t at = (size_t)(dev ? hash ^ nd_bytes_hash(dev, strlen(dev)) * 3 : hash) & (n - 1);

	while (numbers[at].name && !(nd_eq(numbers[at].name, name) &&
				     (dev ? nd_eq(numbers[at].dev, dev) : !numbers[at].dev)))
		at = (at + 1) & (n - 1);
	return at;
}

static void grow(struct nd_net_kept *kept)
{
	size_t n = kept->nslots * 2;
	struct kept_number *numbers = nd_arena_array(kept->arena, n, sizeof(*numbers));

	for (size_t i = 0; i < kept->nslots; i++) {
		const struct kept_number *old = &kept->numbers[i];

		if (old->name)
			numbers[slot_of(numbers, n, old->dev, old->name)] = *old;
	}
	kept->numbers = numbers;
	kept->nslots = n;
}

static void read_number(const struct nd_net *net, const char *key, struct kept_number *out)
{
	const char *value = nd_look_sysctl(net->host, key);

	out->is_there = value && nd_parse_i64(nd_str(value), INT32_MIN, INT32_MAX, &out->number);
}

static void read_conf(const struct nd_net *net, const char *dev, const char *name,
		      struct kept_number *out)
{
	const char *before = nd_eq(name, "disable_ipv6") ? "net.ipv6.conf." : "net.ipv4.conf.";
	char key[KEY_MAX];

	/* A name with a dot is written with a slash, as sysctl(8) does. */
	snprintf(key, sizeof(key), "%s%s.%s", before, dev, name);
	for (char *p = key + strlen(before); p < key + strlen(before) + strlen(dev); p++)
		if (p < key + sizeof(key) - 1 && *p == '.')
			*p = '/';
	read_number(net, key, out);
}

static const struct kept_number *find(const struct nd_net *net, const char *dev, const char *name)
{
	struct nd_net_kept *kept = net->kept;
	struct kept_number *found = &kept->numbers[slot_of(kept->numbers, kept->nslots, dev, name)];

	if (found->name)
		return found;
	if (kept->nused * 2 >= kept->nslots) {
		grow(kept);
		found = &kept->numbers[slot_of(kept->numbers, kept->nslots, dev, name)];
	}
	kept->nused++;
	found->name = nd_arena_strdup(kept->arena, name, strlen(name));
	found->dev = dev ? nd_arena_strdup(kept->arena, dev, strlen(dev)) : NULL;
	if (dev)
		read_conf(net, dev, name, found);
	else
		read_number(net, name, found);
	return found;
}

int64_t nd_net_sysctl(const struct nd_net *net, const char *key, int64_t fallback)
{
	const struct kept_number *found;

	if (net->inode)
		return fallback;
	found = find(net, NULL, key);
	return found->is_there ? found->number : fallback;
}

int64_t nd_net_conf(const struct nd_net *net, const char *dev, const char *name, int64_t fallback)
{
	const struct kept_number *found;

	if (net->inode)
		return fallback;
	found = find(net, dev, name);
	return found->is_there ? found->number : fallback;
}
