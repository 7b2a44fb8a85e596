#include "common/base.h"

#include "common/buf.h"
#include "common/text.h"
#include "plugin/evidence/bundle.h"
#include "plugin/evidence/layout.h"

#include <archive.h>
#include <archive_entry.h>
#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>

#define MIB ((uint64_t)1 << 20)
#define ND_BUNDLE_MAX_ENTRIES 200000u
#define ND_BUNDLE_MAX_ENTRY_BYTES (64 * MIB)
#define ND_BUNDLE_MAX_TOTAL_BYTES (4096 * MIB)
/* JSON of a cluster shrinks 10 to 40 times; deflate can do 1,032. Small bundles are free. */
#define ND_BUNDLE_MAX_RATIO 200
#define ND_BUNDLE_RATIO_FROM_BYTES (64 * MIB)

struct reader {
	struct archive *archive;
	const struct nd_sink *sink;
	struct nd_buf data; /* of the entry at hand */
	unsigned nentries, nitems;
	bool has_gaps;
	char name[200]; /* of the entry at hand, safe for a terminal */
};

static int archive_fail(struct reader *r, struct nd_err *err)
{
	const char *text = archive_error_string(r->archive);

	if (r->nentries == 0)
		return nd_err_set(err, ND_E_INPUT, "it is not a tar or tar.gz archive: %s",
				  text ? text : "unknown format");
	return nd_err_set(err, ND_E_INPUT, "after entry %u (%s): %s", r->nentries, r->name,
			  text ? text : "the archive is damaged");
}

static int entry_refuse(struct reader *r, struct nd_err *err, const char *why)
{
	return nd_err_set(err, ND_E_INPUT, "entry %u (%s) %s", r->nentries, r->name, why);
}

/* Before anything else is believed: how much came out of how little. */
static int expansion_check(struct reader *r, struct nd_err *err)
{
	int64_t got = archive_filter_bytes(r->archive, 0);
	int64_t read = archive_filter_bytes(r->archive, -1);

	if (got < 0 || read < 0)
		return 0;
	if ((uint64_t)got > ND_BUNDLE_MAX_TOTAL_BYTES)
		return entry_refuse(r, err, "takes the bundle beyond 4 GiB");
	if ((uint64_t)got > ND_BUNDLE_RATIO_FROM_BYTES && got / ND_BUNDLE_MAX_RATIO > read)
		return nd_err_set(
			err, ND_E_INPUT,
			"entry %u (%s): %lld bytes came out of %lld, more than %d to one; "
			"this is no bundle",
			r->nentries, r->name, (long long)got, (long long)read, ND_BUNDLE_MAX_RATIO);
	return 0;
}

static bool has_dotdot(const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.')
			return true;
		path += n + (path[n] == '/');
	}
	return false;
}

/* 1: a file to read, 0: a directory, -1: refused. */
static int entry_check(struct reader *r, struct archive_entry *entry, struct nd_err *err)
{
	const char *path = archive_entry_pathname(entry);

	nd_text_safe(r->name, sizeof(r->name), path ? path : "?");
	if (!path || !path[0])
		return entry_refuse(r, err, "has no readable name");
	if (++r->nentries > ND_BUNDLE_MAX_ENTRIES)
		return entry_refuse(r, err, "is one too many: at most 200000");
	if (path[0] == '/')
		return entry_refuse(r, err, "has an absolute path");
	if (has_dotdot(path))
		return entry_refuse(r, err, "has .. in its path");
	if (archive_entry_hardlink(entry) || archive_entry_symlink(entry))
		return entry_refuse(r, err, "is a link");
	if (archive_entry_filetype(entry) == AE_IFDIR)
		return 0;
	if (archive_entry_filetype(entry) != AE_IFREG)
		return entry_refuse(r, err, "is neither a file nor a directory");
	if (archive_entry_sparse_count(entry) > 0)
		return entry_refuse(r, err, "is a sparse file");
	if (archive_entry_size(entry) < 0 ||
	    (uint64_t)archive_entry_size(entry) > ND_BUNDLE_MAX_ENTRY_BYTES)
		return entry_refuse(r, err, "is larger than 64 MiB");
	return 1;
}

/*
 * The whole entry into r->data. Read even when nobody wants it: skipping would inflate it too,
 * but out of our sight.
 */
static int entry_read(struct reader *r, struct nd_err *err)
{
	enum { BLOCK = 128 << 10 };

	r->data.len = 0;
	for (;;) {
		char *dst = nd_buf_room(&r->data, BLOCK);

		if (!dst)
			return entry_refuse(r, err, "is larger than 64 MiB");
		la_ssize_t got = archive_read_data(r->archive, dst, BLOCK);
		if (got < 0)
			return archive_fail(r, err);
		if (got == 0)
			return 0;
		r->data.len += (size_t)got;
		if (expansion_check(r, err) < 0)
			return -1;
	}
}

static const char *text_of(const cJSON *object, const char *key)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, key);

	return cJSON_IsString(value) ? value->valuestring : NULL;
}

static int gaps_emit(struct reader *r, const cJSON *root, struct nd_err *err)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "gaps"), *gap;

	if (!cJSON_IsArray(list))
		return entry_refuse(r, err, "has no list of gaps");
	cJSON_ArrayForEach(gap, list)
	{
		const char *what = text_of(gap, "what"), *where = text_of(gap, "where");
		const char *why = text_of(gap, "why");

		if (!what || !where || !why)
			return entry_refuse(r, err, "has a gap without what, where and why");
		if (nd_sink_gap(r->sink, what, where, err, "%s", why) < 0)
			return -1;
	}
	return 0;
}

static int gaps_take(struct reader *r, struct nd_err *err)
{
	cJSON *root = cJSON_ParseWithLength(r->data.data, r->data.len);
	int rc = root ? gaps_emit(r, root, err) : entry_refuse(r, err, "is not JSON");

	cJSON_Delete(root);
	r->has_gaps = true;
	return rc;
}

static int entry_take(struct reader *r, struct archive_entry *entry, struct nd_err *err)
{
	struct nd_label label;
	int rc = entry_check(r, entry, err);

	if (rc <= 0)
		return rc;
	if (entry_read(r, err) < 0)
		return -1;
	const char *path = archive_entry_pathname(entry);
	while (nd_starts(path, "./"))
		path += 2;
	if (nd_eq(path, ND_LAYOUT_GAPS))
		return gaps_take(r, err);
	if (!nd_layout_match(path, &label))
		return 0; /* of a later version, or somebody's notes */
	struct nd_item item = {
		.kind = label.kind,
		.node = label.node[0] ? label.node : NULL,
		.name = label.name,
		.bytes = r->data.data,
		.len = r->data.len,
		.taken_unix_s = archive_entry_mtime(entry),
	};
	r->nitems++;
	return nd_sink_item(r->sink, &item, err);
}

static int entries_take(struct reader *r, struct nd_err *err)
{
	struct archive_entry *entry;

	for (;;) {
		int rc = archive_read_next_header(r->archive, &entry);

		if (rc == ARCHIVE_EOF)
			break;
		if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN)
			return archive_fail(r, err);
		if (expansion_check(r, err) < 0 || entry_take(r, entry, err) < 0)
			return -1;
	}
	if (r->nentries == 0)
		return nd_err_set(err, ND_E_INPUT, "it is empty");
	if (r->nitems == 0 && !r->has_gaps)
		return nd_err_set(err, ND_E_INPUT,
				  "none of its %u entries is evidence (netdoctor/...)",
				  r->nentries);
	/* A tar cut between two entries looks whole; ours ends with its gaps. */
	if (!r->has_gaps)
		return nd_err_set(err, ND_E_INPUT,
				  "it is cut after entry %u (%s): " ND_LAYOUT_GAPS " is missing",
				  r->nentries, r->name);
	return 0;
}

/* The formats we write, and no other of libarchive's dozens: less to attack. */
static struct archive *archive_make(void)
{
	struct archive *a = archive_read_new();

	if (!a)
		nd_out_of_memory(0);
	archive_read_support_filter_gzip(a);
	archive_read_support_format_tar(a);
	return a;
}

/* opened is what archive_read_open_* said. Ends the archive. */
static int archive_take(struct archive *archive, int opened, const struct nd_sink *sink,
			struct nd_err *err)
{
	struct reader r = {.archive = archive, .sink = sink, .data = {0}};
	int rc;

	r.data.max_bytes = ND_BUNDLE_MAX_ENTRY_BYTES + MIB;
	rc = opened == ARCHIVE_OK ? entries_take(&r, err) : archive_fail(&r, err);
	nd_buf_free(&r.data);
	archive_read_free(archive);
	return rc;
}

int nd_bundle_read_bytes(const void *p, size_t len, const struct nd_sink *sink, struct nd_err *err)
{
	struct archive *a;

	if (len == 0)
		return nd_err_set(err, ND_E_INPUT, "it is empty");
	a = archive_make();
	return archive_take(a, archive_read_open_memory(a, p, len), sink, err);
}

int nd_bundle_read(const char *path, const struct nd_sink *sink, struct nd_err *err)
{
	bool is_stdin = nd_eq(path, "-");
	nd_auto_fd int fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
				     : open(path, O_RDONLY | O_CLOEXEC);
	struct archive *a;

	if (is_stdin)
		path = "standard input";
	if (fd < 0)
		return nd_err_sys(err, ND_E_IO, errno, "open bundle %s", path);
	a = archive_make();
	if (archive_take(a, archive_read_open_fd(a, fd, 64 << 10), sink, err) < 0)
		return nd_err_wrap(err, "read bundle %s", path);
	return 0;
}
