/* ipset_book.c: ipsets by name, and their elements by hash. */
#include "common/base.h"

#include "common/text.h"
#include "plugin/model/look.h"
#include "plugin/walk/ipset_index.h"

#define MAX_NAME 31 /* bytes; kernel: IPSET_MAXNAMELEN with its NUL */

struct name {
	const char *text;
	size_t n;
	bool is_matched;
	struct nd_ipset_index *index; /* NULL: of a rule only */
};

struct nd_ipset_book {
	struct nd_arena *arena;
	const struct nd_host *host;
	struct name *names; /* nnames, a power of two; open addressing; text NULL: free */
	size_t nnames, nused;
	bool has_matched; /* the rules were looked through */
};

/* ---- names ---- */

static struct name *slot_of(struct nd_ipset_book *book, const char *text, size_t n)
{
	size_t at = nd_bytes_hash(text, n) & (book->nnames - 1);

	while (book->names[at].text &&
	       (book->names[at].n != n || memcmp(book->names[at].text, text, n) != 0))
		at = (at + 1) & (book->nnames - 1);
	return &book->names[at];
}

struct nd_ipset_book *nd_ipset_book_new(struct nd_arena *arena, const struct nd_host *host)
{
	struct nd_ipset_book *book;
	struct nd_ipset_index *all;

	if (!nd_host_has(host, ND_SECTION_ipsets))
		return NULL;
	book = nd_arena_alloc(arena, sizeof(*book));
	book->arena = arena;
	book->host = host;
	for (book->nnames = 16; book->nnames < host->nipsets * 2;)
		book->nnames *= 2;
	book->names = nd_arena_array(arena, book->nnames, sizeof(*book->names));
	all = host->nipsets ? nd_arena_array(arena, host->nipsets, sizeof(*all)) : NULL;
	for (size_t i = 0; i < host->nipsets; i++) {
		const char *text = host->ipsets[i].name;
		struct name *name = slot_of(book, text, strlen(text));

		all[i].set = &host->ipsets[i];
		*name = (struct name){.text = text, .n = strlen(text), .index = &all[i]};
	}
	return book;
}

/* ---- elements ---- */

static uint32_t *slot_of_key(const struct nd_ipset_index *index, const uint8_t *key)
{
	const struct nd_ipset *set = index->set;
	size_t at = nd_bytes_hash(key, index->key_bytes) & (index->nslots - 1);

	while (index->slots[at]) {
		const uint8_t *other =
			set->elements + (size_t)(index->slots[at] - 1) * set->stride + 1;

		if (memcmp(other, key, index->key_bytes) == 0)
			break;
		at = (at + 1) & (index->nslots - 1);
	}
	return &index->slots[at];
}

uint32_t nd_ipset_first(const struct nd_ipset_index *index, const uint8_t *key)
{
	return index->set->nelements ? *slot_of_key(index, key) : 0;
}

/* Where the lengths of networks stand in an element; how many there are. */
static size_t net_places(const struct nd_ipset *set, size_t places[2])
{
	size_t width = set->family == 6 ? 16 : 4, at = 1, n = 0;

	for (size_t i = 0; i < set->nparts; i++) {
		if (set->parts[i] == ND_IPSET_NET && n < 2)
			places[n++] = at;
		at += set->parts[i] == ND_IPSET_IP    ? width
		      : set->parts[i] == ND_IPSET_NET ? width + 1
						      : 3;
	}
	return n;
}

static void take_nets(struct nd_ipset_index *index)
{
	const struct nd_ipset *set = index->set;
	bool has[2][ND_IPSET_MAX_NETS] = {{false}};
	size_t places[2], nplaces = net_places(set, places);

	for (size_t i = 0; i < set->nelements; i++)
		for (size_t k = 0; k < nplaces; k++)
			has[k][set->elements[i * set->stride + places[k]]] = true;
	for (size_t k = 0; k < nplaces; k++)
		for (size_t bits = ND_IPSET_MAX_NETS; bits-- > 0;)
			if (has[k][bits])
				index->nets[k][index->nnets[k]++] = (uint8_t)bits;
}

static void take_elements(struct nd_arena *arena, struct nd_ipset_index *index)
{
	const struct nd_ipset *set = index->set;

	index->key_bytes = set->stride - 1u;
	if (set->parts[set->nparts - 1] == ND_IPSET_IFACE)
		index->key_bytes -= 16;
	if (set->parts[set->nparts - 1] == ND_IPSET_MAC)
		index->key_bytes -= 6;
	if (set->nelements == 0)
		return;
	for (index->nslots = 16; index->nslots < set->nelements * 2;)
		index->nslots *= 2;
	index->slots = nd_arena_array(arena, index->nslots, sizeof(*index->slots));
	index->next = nd_arena_array(arena, set->nelements, sizeof(*index->next));
	for (size_t i = 0; i < set->nelements; i++) {
		uint32_t *slot = slot_of_key(index, set->elements + i * set->stride + 1);

		index->next[i] = *slot;
		*slot = (uint32_t)i + 1;
	}
	take_nets(index);
}

static const struct nd_ipset_index *make_ready(struct nd_ipset_book *book,
					       struct nd_ipset_index *index)
{
	const struct nd_ipset *set = index->set;

	if (index->is_ready)
		return index;
	index->is_ready = true;
	if (set->nparts && set->parts[0] != ND_IPSET_SET && !set->unknown &&
	    set->nelements < UINT32_MAX)
		take_elements(book->arena, index);
	if (set->nmembers)
		index->members =
			nd_arena_array(book->arena, set->nmembers, sizeof(*index->members));
	for (size_t i = 0; i < set->nmembers; i++) {
		const char *member = set->members[i];
		struct nd_ipset_index *other = slot_of(book, member, strlen(member))->index;

		/* The kernel takes no list into a list. */
		if (other && other->set->parts[0] != ND_IPSET_SET)
			index->members[i] = make_ready(book, other);
	}
	return index;
}

const struct nd_ipset_index *nd_ipset_book_find(struct nd_ipset_book *book, const char *name)
{
	struct nd_ipset_index *index = book ? slot_of(book, name, strlen(name))->index : NULL;

	return index ? make_ready(book, index) : NULL;
}

/* ---- which sets do rules look at? ---- */

static void take_matched(struct nd_ipset_book *book, const char *text)
{
	static const char option[] = "--match-set ";

	for (text = strstr(text, option); text; text = strstr(text, option)) {
		struct name *name;
		size_t n;

		text += sizeof(option) - 1;
		n = strcspn(text, " ");
		if (n == 0 || n > MAX_NAME)
			continue;
		name = slot_of(book, text, n);
		name->is_matched |= name->index != NULL;
	}
}

static void take_rules(struct nd_ipset_book *book, const struct nd_ipt *ipt)
{
	for (size_t t = 0; t < ipt->ntables; t++)
		for (size_t c = 0; c < ipt->tables[t].nchains; c++)
			for (size_t i = 0; i < ipt->tables[t].chains[c].nrules; i++)
				take_matched(book, ipt->tables[t].chains[c].rules[i].text);
}

bool nd_ipset_book_is_matched(struct nd_ipset_book *book, const char *name)
{
	const struct nd_host *host = book->host;

	if (!book->has_matched) {
		book->has_matched = true;
		for (size_t i = 0; i < ND_IPT_BACKENDS; i++) {
			take_rules(book, &host->ipt[i]);
			take_rules(book, &host->ipt6[i]);
		}
		for (size_t i = 0; i < host->nipsets; i++) {
			const struct nd_ipset *set = &host->ipsets[i];

			if (!slot_of(book, set->name, strlen(set->name))->is_matched)
				continue;
			for (size_t k = 0; k < set->nmembers; k++) {
				const char *member = set->members[k];

				slot_of(book, member, strlen(member))->is_matched |=
					slot_of(book, member, strlen(member))->index != NULL;
			}
		}
	}
	return slot_of(book, name, strlen(name))->is_matched;
}
