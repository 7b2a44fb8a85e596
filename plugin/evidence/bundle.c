#include "common/base.h"

#include "common/arena.h"
#include "common/jsonw.h"
#include "common/text.h"
#include "plugin/evidence/bundle.h"
#include "plugin/evidence/layout.h"
#include "plugin/evidence/redact.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { ND_BUNDLE_MAX_ENTRY_BYTES = 64 << 20 };

struct pages {
	const char *name; /* of a resource */
	unsigned n;	  /* pages written */
};

struct nd_bundle {
	struct nd_arena arena;
	const char *path, *part_path;
	int fd;
	struct archive *archive; /* owned */
	bool is_finished;
	struct pages *pages; /* pages[npages]: one a resource, few */
	size_t npages;
	struct nd_buf redacted; /* reused from page to page */
	struct nd_buf gaps;	/* JSON so far */
	struct nd_jsonw gaps_json;
	int64_t newest_unix_s; /* of all items: the time of gaps.json, so that it is not "now" */
};

static int archive_fail(struct nd_bundle *bundle, struct nd_err *err)
{
	const char *text = archive_error_string(bundle->archive);

	return nd_err_set(err, ND_E_IO, "write %s: %s", bundle->part_path,
			  text ? text : "unknown error");
}

/* Level 4: 20 % larger than the default of 6, at half the time. No timestamp: same in, same out. */
static int archive_start(struct nd_bundle *bundle, struct nd_err *err)
{
	struct archive *a = bundle->archive;

	if (archive_write_add_filter_gzip(a) != ARCHIVE_OK ||
	    archive_write_set_filter_option(a, "gzip", "compression-level", "4") != ARCHIVE_OK ||
	    archive_write_set_filter_option(a, "gzip", "timestamp", NULL) != ARCHIVE_OK ||
	    archive_write_set_format_pax_restricted(a) != ARCHIVE_OK ||
	    archive_write_open_fd(a, bundle->fd) != ARCHIVE_OK)
		return archive_fail(bundle, err);
	return 0;
}

struct nd_bundle *nd_bundle_create(const char *path, struct nd_err *err)
{
	struct nd_bundle *bundle = calloc(1, sizeof(*bundle));

	if (!bundle)
		nd_out_of_memory(sizeof(*bundle));
	bundle->path = nd_arena_strdup(&bundle->arena, path, strlen(path));
	bundle->part_path = nd_arena_printf(&bundle->arena, "%s.part", path);
	bundle->redacted.max_bytes = ND_BUNDLE_MAX_ENTRY_BYTES;
	bundle->gaps_json.out = &bundle->gaps;
	nd_jsonw_begin(&bundle->gaps_json, NULL, '{');
	nd_jsonw_begin(&bundle->gaps_json, "gaps", '[');
	/* What an interrupted run left there is ours; O_EXCL: never through a link. */
	unlink(bundle->part_path);
	bundle->fd = open(bundle->part_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (bundle->fd < 0) {
		nd_err_sys(err, ND_E_IO, errno, "create %s", bundle->part_path);
		bundle->is_finished = true; /* nothing of ours to remove */
		nd_bundle_free(bundle);
		return NULL;
	}
	bundle->archive = archive_write_new();
	if (!bundle->archive)
		nd_out_of_memory(0);
	if (archive_start(bundle, err) < 0) {
		nd_bundle_free(bundle);
		return NULL;
	}
	return bundle;
}

static int entry_write(struct nd_bundle *bundle, const char *path, const char *p, size_t n,
		       int64_t unix_s, struct nd_err *err)
{
	struct archive_entry *entry = archive_entry_new();
	int rc = 0;

	if (!entry)
		nd_out_of_memory(0);
	archive_entry_set_pathname(entry, path);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0600);
	archive_entry_set_size(entry, (la_int64_t)n);
	archive_entry_set_mtime(entry, (time_t)unix_s, 0);
	if (archive_write_header(bundle->archive, entry) != ARCHIVE_OK ||
	    (n > 0 && archive_write_data(bundle->archive, p, n) != (la_ssize_t)n))
		rc = archive_fail(bundle, err);
	archive_entry_free(entry);
	return rc;
}

static unsigned page_next(struct nd_bundle *bundle, const char *name)
{
	for (size_t i = 0; i < bundle->npages; i++)
		if (nd_eq(bundle->pages[i].name, name))
			return ++bundle->pages[i].n;
	ND_ARENA_PUSH(&bundle->arena, bundle->pages, bundle->npages) = (struct pages){
		.name = nd_arena_strdup(&bundle->arena, name, strlen(name)),
		.n = 1,
	};
	return 1;
}

static int gap_take(void *ctx, const struct nd_gap *gap, struct nd_err *err ND_UNUSED)
{
	struct nd_bundle *bundle = ctx;

	nd_jsonw_begin(&bundle->gaps_json, NULL, '{');
	nd_jsonw_str(&bundle->gaps_json, "what", gap->what);
	nd_jsonw_str(&bundle->gaps_json, "where", gap->where);
	nd_jsonw_str(&bundle->gaps_json, "why", gap->why);
	nd_jsonw_end(&bundle->gaps_json, '}');
	return 0;
}

/* An item that a bundle must not or cannot carry is a gap there, never silently missing. */
static int item_refuse(struct nd_bundle *bundle, const struct nd_item *item, const char *why)
{
	char where[300], text[400];

	snprintf(where, sizeof(where), "%s%s",
		 item->node ? "node/" : item->kind == ND_ITEM_API ? "api" : "host",
		 item->node ? item->node : "");
	snprintf(text, sizeof(text), "left out of the bundle: %.300s", why);
	struct nd_gap gap = {.what = item->name, .where = where, .why = text};
	return gap_take(bundle, &gap, NULL);
}

static int item_take(void *ctx, const struct nd_item *item, struct nd_err *err)
{
	struct nd_bundle *bundle = ctx;
	const char *p = item->bytes;
	size_t n = item->len;
	char path[ND_LAYOUT_MAX_PATH];
	struct nd_err why = {0};

	if (item->kind == ND_ITEM_API) {
		bundle->redacted.len = 0;
		if (nd_redact_list(p, n, &bundle->redacted, &why) < 0)
			return item_refuse(bundle, item, why.text);
		p = bundle->redacted.data;
		n = bundle->redacted.len;
	}
	if (n > ND_BUNDLE_MAX_ENTRY_BYTES)
		return item_refuse(bundle, item, "it is larger than 64 MiB");
	unsigned page = item->kind == ND_ITEM_API ? page_next(bundle, item->name) : 1;
	if (!nd_layout_path(item, page, path))
		return item_refuse(bundle, item, "its name cannot be a file's");
	if (item->taken_unix_s > bundle->newest_unix_s)
		bundle->newest_unix_s = item->taken_unix_s;
	return entry_write(bundle, path, p, n, item->taken_unix_s, err);
}

struct nd_sink nd_bundle_sink(struct nd_bundle *bundle)
{
	return (struct nd_sink){.ctx = bundle, .item = item_take, .gap = gap_take};
}

int nd_bundle_finish(struct nd_bundle *bundle, struct nd_err *err)
{
	nd_jsonw_end(&bundle->gaps_json, ']');
	nd_jsonw_end(&bundle->gaps_json, '}');
	if (bundle->gaps.len > ND_BUNDLE_MAX_ENTRY_BYTES)
		return nd_err_set(err, ND_E_LIMIT, "write %s: more than 64 MiB of gaps",
				  bundle->part_path);
	if (entry_write(bundle, ND_LAYOUT_GAPS, bundle->gaps.data, bundle->gaps.len,
			bundle->newest_unix_s, err) < 0)
		return -1;
	if (archive_write_close(bundle->archive) != ARCHIVE_OK)
		return archive_fail(bundle, err);
	if (fsync(bundle->fd) < 0 && errno != EINVAL)
		return nd_err_sys(err, ND_E_IO, errno, "write %s", bundle->part_path);
	if (rename(bundle->part_path, bundle->path) < 0)
		return nd_err_sys(err, ND_E_IO, errno, "rename %s to %s", bundle->part_path,
				  bundle->path);
	bundle->is_finished = true;
	return 0;
}

void nd_bundle_free(struct nd_bundle *bundle)
{
	if (!bundle)
		return;
	if (bundle->archive)
		archive_write_free(bundle->archive);
	nd_close_fd(&bundle->fd);
	if (!bundle->is_finished)
		unlink(bundle->part_path);
	nd_buf_free(&bundle->redacted);
	nd_buf_free(&bundle->gaps);
	nd_arena_free(&bundle->arena);
	free(bundle);
}
