#include "common/base.h"

#include "plugin/model/build.h"
#include "plugin/model/decode.h"

static const struct section {
	const char *name;
	uint32_t bit;
	const char *(*decode)(struct nd_model *m, struct nd_host *host, struct nd_str text);
} sections[] = {
#define ND_SECTION(id, name, what) {name, 1u << ND_SECTION_##id, nd_section_##id},
#include "common/sections.def"
#undef ND_SECTION
};
_Static_assert(ND_SECTIONS <= 32, "nd_host.have has 32 bits");

static const struct section *find_section(const char *name)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(sections); i++)
		if (nd_eq(sections[i].name, name))
			return &sections[i];
	return NULL;
}

static void section_gap(struct nd_model *m, const struct nd_item *item, const char *why)
{
	char where[300];

	snprintf(where, sizeof(where), "node/%s", item->node);
	nd_model_gap(m, item->name, where, "%s", why);
}

static void take_meta(struct nd_model *m, const struct nd_item *item)
{
	nd_model_meta_item(m, item->name, (struct nd_str){item->bytes, item->len});
}

static void take_api(struct nd_model *m, const struct nd_item *item)
{
	nd_model_api_page(m, item->name, (struct nd_str){item->bytes, item->len});
}

/* "probe", and "probe-2" of the second round: they add to what is there. */
static bool is_of(const char *name, const char *section)
{
	size_t n = strlen(section);

	return nd_starts(name, section) && (name[n] == '\0' || name[n] == '-');
}

static const char *take_probes(struct nd_model *m, const struct nd_item *item, struct nd_host *host)
{
	size_t n = host->nprobes;
	const char *why = nd_model_probes(m, host, (struct nd_str){item->bytes, item->len});

	for (; n < host->nprobes; n++)
		host->probes[n].is_second = !nd_eq(item->name, "probe");
	return why;
}

static const char *take_watch(struct nd_model *m, const struct nd_item *item, struct nd_host *host)
{
	const char *why = nd_model_sightings(m, host, (struct nd_str){item->bytes, item->len});

	host->has_watched = !why;
	return why;
}

static void take_section(struct nd_model *m, const struct nd_item *item)
{
	const struct section *section = find_section(item->name);
	bool is_probe = is_of(item->name, "probe"), is_watch = is_of(item->name, "watch");

	if (!item->node || !item->node[0]) {
		nd_model_gap(m, item->name, "nodes", "a section names no node");
		return;
	}
	if (!section && !is_probe && !is_watch) {
		section_gap(m, item, "no such section is known");
		return;
	}
	struct nd_host *host = nd_model_host(m, item->node);
	struct nd_str text = {item->bytes, item->len};
	const char *why = is_probe   ? take_probes(m, item, host)
			  : is_watch ? take_watch(m, item, host)
				     : section->decode(m, host, text);

	/* Half a section is not to be read as "there is no more": its bit stays off. */
	if (why)
		section_gap(m, item, why);
	if (is_probe || is_watch)
		return;
	host->have = why ? host->have & ~section->bit : host->have | section->bit;
}

static void take_host(struct nd_model *m, const struct nd_item *item)
{
	if (nd_eq(item->name, "containers"))
		nd_model_containers(m, (struct nd_str){item->bytes, item->len});
}

static void (*const takers[])(struct nd_model *m, const struct nd_item *item) = {
	[ND_ITEM_META] = take_meta,
	[ND_ITEM_API] = take_api,
	[ND_ITEM_SECTION] = take_section,
	[ND_ITEM_HOST] = take_host,
};
_Static_assert(ND_ARRAY_LEN(takers) == ND_ITEM_KINDS, "each kind of item has its decoder");

static int take_item(void *ctx, const struct nd_item *item, struct nd_err *err)
{
	struct nd_model *m = ctx;

	(void)err;
	m->is_finished = false;
	if (item->kind < ND_ITEM_KINDS && item->name)
		takers[item->kind](m, item);
	return 0;
}

static int take_gap(void *ctx, const struct nd_gap *gap, struct nd_err *err)
{
	struct nd_model *m = ctx;

	(void)err;
	m->is_finished = false;
	nd_model_gap(m, gap->what, gap->where, "%s", gap->why ? gap->why : "");
	if (gap->what)
		nd_model_api_gap(m, gap->what);
	return 0;
}

struct nd_model *nd_model_new(void)
{
	struct nd_model *m = calloc(1, sizeof(*m));

	if (!m)
		nd_out_of_memory(sizeof(*m));
	return m;
}

struct nd_sink nd_model_sink(struct nd_model *model)
{
	return (struct nd_sink){.ctx = model, .item = take_item, .gap = take_gap};
}

/* Some namespace could not be watched, or not all was written down: what is missing is unknown. */
static void settle_watch(struct nd_cluster *cluster)
{
	for (size_t i = 0; i < cluster->ngaps; i++) {
		const struct nd_known_gap *gap = &cluster->gaps[i];

		for (size_t j = 0; is_of(gap->what, "watch") && j < cluster->nhosts; j++)
			if (nd_starts(gap->where, "node/") &&
			    nd_eq(gap->where + 5, cluster->hosts[j].node))
				cluster->hosts[j].has_watched = false;
	}
}

const struct nd_cluster *nd_model_finish(struct nd_model *model)
{
	if (model->is_finished)
		return &model->cluster;
	model->is_finished = true;
	model->cluster.have_resources = model->last_pages & ~model->gapped;
	for (size_t i = 0; i < model->cluster.nhosts; i++)
		nd_nft_settle(&model->cluster.hosts[i]);
	settle_watch(&model->cluster);
	nd_model_sort(model);
	return &model->cluster;
}

void nd_model_free(struct nd_model *model)
{
	if (!model)
		return;
	nd_arena_free(&model->cluster.arena);
	free(model);
}
