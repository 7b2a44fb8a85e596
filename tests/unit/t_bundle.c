#include "common/base.h"

#include "common/buf.h"
#include "common/text.h"
#include "plugin/evidence/bundle.h"
#include "plugin/evidence/layout.h"
#include "plugin/evidence/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

/* A sink that writes down what it gets, one line each. */
static int note_item(void *ctx, const struct nd_item *item, struct nd_err *err ND_UNUSED)
{
	nd_buf_printf(ctx, "%d %s %s %lld %zu [%.*s]\n", (int)item->kind,
		      item->node ? item->node : "-", item->name, (long long)item->taken_unix_s,
		      item->len, item->len < 80 ? (int)item->len : 80,
		      item->len ? item->bytes : "");
	return 0;
}

static int note_gap(void *ctx, const struct nd_gap *gap, struct nd_err *err ND_UNUSED)
{
	nd_buf_printf(ctx, "gap %s | %s | %s\n", gap->what, gap->where, gap->why);
	return 0;
}

static struct nd_sink note_sink(struct nd_buf *notes)
{
	return (struct nd_sink){.ctx = notes, .item = note_item, .gap = note_gap};
}

static char dir[] = "/tmp/nd-t-bundle-XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void emit_all(const struct nd_sink *sink)
{
	struct nd_err err = {0};
	const struct nd_item items[] = {
		{ND_ITEM_META, NULL, "cluster", "{\"a\":1}", 7, 1700000000},
		{ND_ITEM_API, NULL, "pods", "{\"items\":[]}", 12, 1700000001},
		{ND_ITEM_SECTION, "w1", "links", "[]", 2, 1700000002},
		{ND_ITEM_API, NULL, "pods", "{\"items\":[{}]}", 14, 1700000003},
		{ND_ITEM_SECTION, "../evil\x1b node", "iptables", "", 0, 1700000004},
		{ND_ITEM_HOST, NULL, "containers", "{}\n", 3, 1700000005},
	};

	for (size_t i = 0; i < ND_ARRAY_LEN(items); i++) {
		if (i == 2)
			assert_int_equal(nd_sink_gap(sink, "events", "api", &err, "forbidden"), 0);
		assert_int_equal(nd_sink_item(sink, &items[i], &err), 0);
	}
	assert_int_equal(nd_sink_gap(sink, "node report", "node/w2", &err, "late \"x\""), 0);
}

static void write_one(const char *path)
{
	struct nd_err err = {0};
	struct nd_bundle *bundle = nd_bundle_create(path, &err);

	assert_non_null(bundle);
	struct nd_sink sink = nd_bundle_sink(bundle);
	emit_all(&sink);
	assert_int_equal(nd_bundle_finish(bundle, &err), 0);
	nd_bundle_free(bundle);
}

static void roundtrip(void **state ND_UNUSED)
{
	nd_auto_buf struct nd_buf notes = {0};
	struct nd_sink sink = note_sink(&notes);
	struct nd_err err = {0};
	struct stat st;

	write_one(in_dir("a.tar.gz"));
	assert_int_equal(stat(in_dir("a.tar.gz"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_not_equal(access(in_dir("a.tar.gz.part"), F_OK), 0);
	assert_int_equal(nd_bundle_read(in_dir("a.tar.gz"), &sink, &err), 0);
	assert_string_equal(notes.data, "0 - cluster 1700000000 7 [{\"a\":1}]\n"
					"1 - pods 1700000001 12 [{\"items\":[]}]\n"
					"2 w1 links 1700000002 2 [[]]\n"
					"1 - pods 1700000003 14 [{\"items\":[{}]}]\n"
					"2 ../evil\x1b node iptables 1700000004 0 []\n"
					"3 - containers 1700000005 3 [{}\n]\n"
					"gap events | api | forbidden\n"
					"gap node report | node/w2 | late \"x\"\n");
}

static void file_get(const char *path, struct nd_buf *out)
{
	nd_auto_file FILE *f = fopen(path, "re");
	char block[4096];
	size_t n;

	assert_non_null(f);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		nd_buf_add(out, block, n);
}

static void same_in_same_out(void **state ND_UNUSED)
{
	nd_auto_buf struct nd_buf a = {0}, b = {0};

	write_one(in_dir("a.tar.gz"));
	file_get(in_dir("a.tar.gz"), &a);
	write_one(in_dir("b.tar.gz"));
	file_get(in_dir("b.tar.gz"), &b);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
}

static void unfinished_leaves_nothing(void **state ND_UNUSED)
{
	struct nd_err err = {0};
	struct nd_bundle *bundle = nd_bundle_create(in_dir("c.tar.gz"), &err);

	assert_non_null(bundle);
	struct nd_sink sink = nd_bundle_sink(bundle);
	emit_all(&sink);
	nd_bundle_free(bundle);
	assert_int_not_equal(access(in_dir("c.tar.gz"), F_OK), 0);
	assert_int_not_equal(access(in_dir("c.tar.gz.part"), F_OK), 0);
	assert_null(nd_bundle_create("/nonexistent/x.tar.gz", &err));
	assert_int_equal(err.code, ND_E_IO);
}

/* Every way to cut a bundle is noticed, or the cut took nothing but the padding behind the end. */
static void truncated(void **state ND_UNUSED)
{
	nd_auto_buf struct nd_buf whole = {0};

	write_one(in_dir("a.tar.gz"));
	file_get(in_dir("a.tar.gz"), &whole);
	for (size_t n = 0; n + 64 < whole.len; n++) {
		nd_auto_buf struct nd_buf notes = {0};
		struct nd_sink sink = note_sink(&notes);
		struct nd_err err = {0};

		assert_int_equal(nd_bundle_read_bytes(whole.data, n, &sink, &err), -1);
		assert_int_equal(err.code, ND_E_INPUT);
		assert_true(err.text[0] && !strchr(err.text, '\n'));
	}
}

/* A tar of one entry as told, then the gaps; gzip or not. */
struct evil {
	const char *path, *link;
	mode_t type;
	bool is_hardlink;
	size_t size_bytes; /* of zeros */
	const char *expect;
};

static void tar_add(struct archive *a, const struct evil *e)
{
	static const char zeros[1 << 16];
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, e->path);
	archive_entry_set_filetype(entry, e->type);
	archive_entry_set_perm(entry, 0644);
	archive_entry_set_size(entry, (la_int64_t)e->size_bytes);
	if (e->link && e->is_hardlink)
		archive_entry_set_hardlink(entry, e->link);
	else if (e->link)
		archive_entry_set_symlink(entry, e->link);
	assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
	for (size_t left = e->size_bytes; left > 0;) {
		size_t n = left < sizeof(zeros) ? left : sizeof(zeros);

		assert_int_equal(archive_write_data(a, zeros, n), (la_ssize_t)n);
		left -= n;
	}
	archive_entry_free(entry);
}

static void tar_make(const char *path, const struct evil *entries, size_t n, bool is_gzip)
{
	struct archive *a = archive_write_new();

	if (is_gzip)
		archive_write_add_filter_gzip(a);
	archive_write_set_format_pax_restricted(a);
	assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
	for (size_t i = 0; i < n; i++)
		tar_add(a, &entries[i]);
	archive_write_free(a);
}

static void refused(const char *path, const char *expect)
{
	nd_auto_buf struct nd_buf notes = {0};
	struct nd_sink sink = note_sink(&notes);
	struct nd_err err = {0};

	assert_int_equal(nd_bundle_read(path, &sink, &err), -1);
	if (err.code != ND_E_INPUT || !strstr(err.text, expect) || !strstr(err.text, path))
		fail_msg("code %d, \"%s\" lacks \"%s\"", (int)err.code, err.text, expect);
	for (const char *c = err.text; *c; c++)
		assert_true((unsigned char)*c >= ' ');
}

static void hostile_entries(void **state ND_UNUSED)
{
	const struct evil evils[] = {
		{"../etc/passwd", NULL, AE_IFREG, false, 3,
		 "entry 1 (../etc/passwd) has .. in its"},
		{"netdoctor/../../x", NULL, AE_IFREG, false, 3, "has .. in its path"},
		{"netdoctor/..", NULL, AE_IFREG, false, 3, "has .. in its path"},
		{"/etc/passwd", NULL, AE_IFREG, false, 3, "absolute"},
		{"netdoctor/host/x", "/etc/shadow", AE_IFLNK, false, 0, "is a link"},
		{"netdoctor/host/y", "netdoctor/host/z", AE_IFREG, true, 0, "is a link"},
		{"netdoctor/host/dev", NULL, AE_IFCHR, false, 0, "neither a file nor"},
		{"netdoctor/host/fifo", NULL, AE_IFIFO, false, 0, "neither a file nor"},
		{"netdoctor/host/big", NULL, AE_IFREG, false, (64u << 20) + 1,
		 "larger than 64 MiB"},
		{"a\x1b[31m\nb/../c", NULL, AE_IFREG, false, 0, "(a?[31m?b/../c) has .."},
		{"somebody/else", NULL, AE_IFREG, false, 3, "none of its 1 entries is evidence"},
		{"netdoctor/host/containers", NULL, AE_IFREG, false, 3, "gaps.json is missing"},
		{"netdoctor/gaps.json", NULL, AE_IFREG, false, 3, "is not JSON"},
	};

	for (size_t i = 0; i < ND_ARRAY_LEN(evils); i++)
		for (int is_gzip = 0; is_gzip < 2; is_gzip++) {
			tar_make(in_dir("evil.tar"), &evils[i], 1, is_gzip);
			refused(in_dir("evil.tar"), evils[i].expect);
		}
}

static void gzip_bomb(void **state ND_UNUSED)
{
	const struct evil part = {"netdoctor/host/x", NULL, AE_IFREG, false, 40u << 20, NULL};
	const struct evil parts[] = {part, part, part};

	tar_make(in_dir("bomb.tar.gz"), parts, 3, true);
	refused(in_dir("bomb.tar.gz"), "more than 200 to one");
}

static void not_an_archive(void **state ND_UNUSED)
{
	static const char *const contents[] = {"", "hello\n", "{\"items\":[]}", "\x1f\x8b\x08",
					       "PK\x03\x04"};

	for (size_t i = 0; i < ND_ARRAY_LEN(contents); i++) {
		FILE *f = fopen(in_dir("plain"), "we");

		assert_non_null(f);
		fputs(contents[i], f);
		fclose(f);
		refused(in_dir("plain"), "it is ");
	}
	struct nd_err err = {0};
	struct nd_sink none = {0};
	assert_int_equal(nd_bundle_read(in_dir("absent"), &none, &err), -1);
	assert_int_equal(err.code, ND_E_IO);
	assert_int_equal(nd_bundle_read(dir, &none, &err), -1);
}

static void layout(void **state ND_UNUSED)
{
	char path[ND_LAYOUT_MAX_PATH], long_name[300];
	struct nd_label label;
	struct nd_item item = {.kind = ND_ITEM_SECTION, .node = ".", .name = "a/b"};

	assert_true(nd_layout_path(&item, 1, path));
	assert_string_equal(path, "netdoctor/nodes/%2E/a%2Fb");
	assert_true(nd_layout_match(path, &label));
	assert_string_equal(label.node, ".");
	assert_string_equal(label.name, "a/b");
	item.name = "";
	assert_false(nd_layout_path(&item, 1, path));
	memset(long_name, '/', sizeof(long_name));
	long_name[255] = '\0';
	item.name = item.node = long_name;
	assert_true(nd_layout_path(&item, 1, path));
	assert_true(nd_layout_match(path, &label));
	assert_string_equal(label.name, long_name);
	long_name[255] = '/';
	long_name[256] = '\0';
	assert_false(nd_layout_path(&item, 1, path));
	assert_false(nd_layout_match("netdoctor/nodes/w1", &label));
	assert_false(nd_layout_match("netdoctor/nodes//links", &label));
	assert_false(nd_layout_match("netdoctor/nodes/w1/links/x", &label));
	assert_false(nd_layout_match("netdoctor/nodes/w1/%", &label));
	assert_false(nd_layout_match("netdoctor/nodes/w1/%4", &label));
	assert_false(nd_layout_match("netdoctor/nodes/w1/%00", &label));
	assert_false(nd_layout_match("netdoctor/api/.json", &label));
}

static void redacts(void **state ND_UNUSED)
{
	static const char in[] =
		"{\"kind\":\"List\",\"items\":[{\"metadata\":{\"name\":\"p\",\"managedFields\":[{"
		"\"x\":1}],"
		"\"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":\"S3CRET\","
		"\"my-token\":\"S3CRET\",\"a\":\"Bearer S3CRET\",\"b\":\"fine\"}},"
		"\"spec\":{\"containers\":[{\"name\":\"c\",\"env\":[{\"name\":\"E\",\"value\":"
		"\"S3CRET\"},"
		"{\"name\":\"F\",\"valueFrom\":{\"fieldRef\":{}}},{\"name\":\"G\",\"value\":\"\"}]}"
		"],"
		"\"template\":{\"spec\":{\"initContainers\":[{\"env\":[{\"name\":\"H\",\"value\":"
		"\"S3CRET\"}]}]"
		"}}}}]}";
	nd_auto_buf struct nd_buf out = {0};
	struct nd_err err = {0};

	assert_int_equal(nd_redact_list(in, sizeof(in) - 1, &out, &err), 0);
	assert_null(strstr(out.data, "S3CRET"));
	assert_null(strstr(out.data, "managedFields"));
	assert_non_null(strstr(out.data, "\"b\":\"fine\""));
	assert_non_null(strstr(out.data, "\"name\":\"E\",\"value\":\"REDACTED\""));
	assert_non_null(strstr(out.data, "\"fieldRef\":{}"));
	assert_non_null(strstr(out.data, "\"my-token\":\"REDACTED\""));
	assert_int_equal(nd_redact_list("<html>", 6, &out, &err), -1);
	assert_int_equal(nd_redact_list("", 0, &out, &err), -1);
	assert_int_equal(nd_redact_list(in, sizeof(in) - 2, &out, &err), -1);
}

/* What cannot be searched for secrets is left out, and the bundle says so. */
static void unredactable_is_a_gap(void **state ND_UNUSED)
{
	nd_auto_buf struct nd_buf notes = {0};
	struct nd_sink sink, into = note_sink(&notes);
	struct nd_err err = {0};
	struct nd_bundle *bundle = nd_bundle_create(in_dir("d.tar.gz"), &err);
	struct nd_item item = {.kind = ND_ITEM_API, .name = "pods", .bytes = "<html>", .len = 6};

	assert_non_null(bundle);
	sink = nd_bundle_sink(bundle);
	assert_int_equal(nd_sink_item(&sink, &item, &err), 0);
	assert_int_equal(nd_bundle_finish(bundle, &err), 0);
	nd_bundle_free(bundle);
	assert_int_equal(nd_bundle_read(in_dir("d.tar.gz"), &into, &err), 0);
	assert_string_equal(notes.data,
			    "gap pods | api | left out of the bundle: not a JSON object\n");
}

static int dir_make(void **state ND_UNUSED)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int dir_remove(void **state ND_UNUSED)
{
	static const char *const names[] = {"a.tar.gz", "b.tar.gz",    "d.tar.gz",
					    "evil.tar", "bomb.tar.gz", "plain"};

	for (size_t i = 0; i < ND_ARRAY_LEN(names); i++)
		unlink(in_dir(names[i]));
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roundtrip),
		cmocka_unit_test(same_in_same_out),
		cmocka_unit_test(unfinished_leaves_nothing),
		cmocka_unit_test(truncated),
		cmocka_unit_test(hostile_entries),
		cmocka_unit_test(gzip_bomb),
		cmocka_unit_test(not_an_archive),
		cmocka_unit_test(layout),
		cmocka_unit_test(redacts),
		cmocka_unit_test(unredactable_is_a_gap),
	};

	return cmocka_run_group_tests(tests, dir_make, dir_remove);
}
