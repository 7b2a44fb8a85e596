#include "common/base.h"
#include "common/buf.h"
#include "plugin/model/json.h"
#include "plugin/verify/baseline.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define MAX_FILE_BYTES (64 << 20)
#define MAX_PAIRS 500000
#define MAX_NODE 253 /* RFC 1123 subdomain */

static bool is_node(const char *name)
{
	size_t n = name ? strlen(name) : 0;
	for (size_t i = 0; i < n; i++)
		if (!((name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') ||
		      name[i] == '-' || name[i] == '.'))
			return false;
	return n >= 1 && n <= MAX_NODE;
}

/* Not there is 0; there and no such number is an error. */
static bool read_number(const cJSON *object, const char *key, int64_t max, int64_t *out)
{
	const cJSON *value = nd_json_get(object, key);
	*out = 0;
	return !value || nd_json_number(value, 1, max, out);
}

/* NULL, or what is wrong. */
static const char *read_pair(struct nd_arena *arena, const cJSON *object,
			     struct nd_baseline_pair *out)
{
	const char *from = nd_json_str(object, "from"), *to = nd_json_str(object, "to");
	if (!is_node(from) || !is_node(to))
		return "wanted from and to, names of nodes";
	if (!read_number(object, "icmp_us", INT32_MAX, &out->icmp_us) ||
	    !read_number(object, "tcp_us", INT32_MAX, &out->tcp_us) ||
	    !read_number(object, "dns_us", INT32_MAX, &out->dns_us))
		return "icmp_us, tcp_us, dns_us: wanted a number of microseconds";
	if (!read_number(object, "bytes_per_s", INT64_C(1) << 52, &out->bytes_per_s))
		return "bytes_per_s: wanted a number";
	if (!read_number(object, "mtu_bytes", 65535, &out->mtu_bytes))
		return "mtu_bytes: wanted a number, 1 to 65535";
	out->from = nd_arena_strdup(arena, from, strlen(from));
	out->to = nd_arena_strdup(arena, to, strlen(to));
	return NULL;
}

static int by_nodes(const void *pa, const void *pb)
{
	const struct nd_baseline_pair *a = pa, *b = pb;
	int order = strcmp(a->from, b->from);
	return order ? order : strcmp(a->to, b->to);
}

static int settle(struct nd_baseline *b, struct nd_err *err)
{
	if (b->npairs)
		qsort(b->pairs, b->npairs, sizeof(*b->pairs), by_nodes);
	for (size_t i = 1; i < b->npairs; i++)
		if (by_nodes(&b->pairs[i - 1], &b->pairs[i]) == 0)
			return nd_err_set(err, ND_E_INPUT, "pairs: %.100s to %.100s comes twice",
					  b->pairs[i].from, b->pairs[i].to);
	return 0;
}

static int read_json(struct nd_arena *arena, const cJSON *root, struct nd_baseline *out,
		     struct nd_err *err)
{
	const cJSON *pairs = nd_json_get(root, "pairs");
	if (!nd_eq(nd_json_str(root, "kind"), "Baseline") ||
	    !nd_eq(nd_json_str(root, "apiVersion"), "netdoctor/v1alpha1"))
		return nd_err_set(err, ND_E_INPUT, "kind: wanted Baseline of netdoctor/v1alpha1");
	if (!cJSON_IsArray(pairs))
		return nd_err_set(err, ND_E_INPUT, "pairs: wanted a list");
	for (const cJSON *p = pairs->child; p; p = p->next) {
		struct nd_baseline_pair pair = {0};
		const char *why = read_pair(arena, p, &pair);
		if (why)
			return nd_err_set(err, ND_E_INPUT, "pairs[%zu]: %s", out->npairs, why);
		if (out->npairs == MAX_PAIRS)
			return nd_err_set(err, ND_E_LIMIT, "pairs: more than %d", MAX_PAIRS);
		ND_ARENA_PUSH(arena, out->pairs, out->npairs) = pair;
	}
	return settle(out, err);
}

int nd_baseline_parse(struct nd_arena *arena, struct nd_str text, struct nd_baseline *out,
		      struct nd_err *err)
{
	nd_auto_json cJSON *root = nd_json_parse(text);
	*out = (struct nd_baseline){0};
	if (!root)
		return nd_err_set(err, ND_E_INPUT, "it is not JSON");
	return read_json(arena, root, out, err);
}

static int read_file(int fd, struct nd_buf *out, struct nd_err *err)
{
	for (;;) {
		char *room = nd_buf_room(out, 65536);
		if (!room)
			return nd_err_set(err, ND_E_LIMIT, "it is larger than %d MiB",
					  MAX_FILE_BYTES >> 20);
		ssize_t n = read(fd, room, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return nd_err_sys(err, ND_E_IO, errno, "read it");
		if (n == 0)
			return 0;
		out->len += (size_t)n;
	}
}

int nd_baseline_read(struct nd_arena *arena, const char *path, struct nd_baseline *out,
		     struct nd_err *err)
{
	nd_auto_buf struct nd_buf text = {.max_bytes = MAX_FILE_BYTES};
	struct stat st;
	/* Without O_NONBLOCK a FIFO would wait for ever. */
	nd_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return nd_err_sys(err, ND_E_IO, errno, "open %s", path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return nd_err_set(err, ND_E_INPUT, "%s: it is no file", path);
	if (read_file(fd, &text, err) < 0 ||
	    nd_baseline_parse(arena, (struct nd_str){text.data, text.len}, out, err) < 0)
		return nd_err_wrap(err, "%s", path);
	return 0;
}
