#include "common/base.h"

#include "agent/collect/collect.h"
#include "agent/sys/dirlist.h"
#include "agent/sys/procfs.h"
#include "common/addr.h"
#include "common/jsonw.h"
#include "common/text.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define CONF_DIR "/etc/cni/net.d"
#define BIN_DIR "/opt/cni/bin"
enum { CONF_MAX_BYTES = 64 << 10, MAX_PATH = 768 };

/* Where the host-local plugin keeps one file an address; the second is kindnet's dataDir. */
static const char *const lease_dirs[] = {"/var/lib/cni/networks", "/run/cni-ipam-state"};

static bool is_plain(const char *path, struct stat *st)
{
	return stat(path, st) == 0 && S_ISREG(st->st_mode);
}

/* Only what a container runtime would load: libcni reads these three extensions. */
static bool is_conf_name(const char *name)
{
	return nd_ends(name, ".conf") || nd_ends(name, ".conflist") || nd_ends(name, ".json");
}

static void write_conf(struct nd_jsonw *w, const char *name)
{
	char path[MAX_PATH];
	struct stat st;
	struct nd_err why = {0};
	nd_auto_buf struct nd_buf content = {.max_bytes = CONF_MAX_BYTES};

	snprintf(path, sizeof(path), CONF_DIR "/%s", name);
	if (!is_plain(path, &st))
		return;
	nd_jsonw_begin(w, NULL, '{');
	nd_jsonw_str(w, "name", name);
	if (is_conf_name(name)) {
		if (nd_procfs_load(path, &content, &why) < 0)
			nd_jsonw_str(w, "error", why.text);
		else
			nd_jsonw_strn(w, "content", content.data ? content.data : "", content.len);
	}
	nd_jsonw_end(w, '}');
}

static void write_bin(struct nd_jsonw *w, const char *name)
{
	char path[MAX_PATH], mode[16];
	unsigned char head[20] = {0};
	struct stat st;

	snprintf(path, sizeof(path), BIN_DIR "/%s", name);
	if (!is_plain(path, &st))
		return;
	nd_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd >= 0 ? read(fd, head, sizeof(head)) : -1;
	bool is_elf = n == (ssize_t)sizeof(head) && memcmp(head, ELFMAG, SELFMAG) == 0;
	unsigned machine = 0;
	if (is_elf) /* e_machine, in the byte order the file says */
		machine = head[EI_DATA] == ELFDATA2MSB ? (unsigned)(head[18] << 8 | head[19])
						       : (unsigned)(head[19] << 8 | head[18]);
	snprintf(mode, sizeof(mode), "%04o", (unsigned)(st.st_mode & 07777));
	nd_jsonw_begin(w, NULL, '{');
	nd_jsonw_str(w, "name", name);
	nd_jsonw_str(w, "mode", mode);
	nd_jsonw_int(w, "size", st.st_size);
	nd_jsonw_uint(w, "elf_machine", machine);
	nd_jsonw_bool(w, "is_script", n >= 2 && head[0] == '#' && head[1] == '!');
	nd_jsonw_end(w, '}');
}

/* "dir", "dir_exists" and the array of what write makes of its names. */
static int write_dir(struct nd_jsonw *w, struct nd_arena *arena, const char *key, const char *path,
		     void (*write)(struct nd_jsonw *w, const char *name), struct nd_err *err)
{
	char dir_key[32], exists_key[32];
	struct nd_dirlist list;
	struct nd_err why = {0};

	snprintf(dir_key, sizeof(dir_key), "%s_dir", key);
	snprintf(exists_key, sizeof(exists_key), "%s_dir_exists", key);
	int rc = nd_dirlist_read(path, &list, arena, &why);
	if (rc < 0 && why.code != ND_E_NOT_FOUND) {
		if (err)
			*err = why;
		return -1;
	}
	nd_jsonw_str(w, dir_key, path);
	nd_jsonw_bool(w, exists_key, rc == 0);
	nd_jsonw_begin(w, key, '[');
	for (size_t i = 0; rc == 0 && i < list.nnames; i++)
		write(w, list.names[i]);
	nd_jsonw_end(w, ']');
	return 0;
}

struct range {
	struct nd_ip first, last;
	size_t count;
};

static void range_add(struct range *range, struct nd_ip ip)
{
	if (range->count++ == 0) {
		range->first = range->last = ip;
		return;
	}
	if (memcmp(ip.bytes, range->first.bytes, sizeof(ip.bytes)) < 0)
		range->first = ip;
	if (memcmp(ip.bytes, range->last.bytes, sizeof(ip.bytes)) > 0)
		range->last = ip;
}

/* Files named like an address are leases; lock and last_reserved_ip.0 are not. */
static void write_network(struct nd_jsonw *w, struct nd_arena *arena, const char *dir,
			  const char *network)
{
	char path[MAX_PATH], first[ND_IP_TEXT], last[ND_IP_TEXT], text[2 * ND_IP_TEXT + 1];
	struct nd_dirlist list;
	struct nd_err none = {0};
	struct nd_ip ip;
	struct range v4 = {.count = 0}, v6 = {.count = 0};

	snprintf(path, sizeof(path), "%s/%s", dir, network);
	if (nd_dirlist_read(path, &list, arena, &none) < 0)
		return; /* a file beside the networks */
	for (size_t i = 0; i < list.nnames; i++)
		if (nd_ip_parse(list.names[i], &ip))
			range_add(ip.family == 4 ? &v4 : &v6, ip);
	nd_jsonw_begin(w, NULL, '{');
	nd_jsonw_str(w, "network", network);
	nd_jsonw_uint(w, "count", v4.count + v6.count);
	const struct range *range = v4.count > 0 ? &v4 : &v6;
	if (range->count > 0) {
		snprintf(text, sizeof(text), "%s-%s", nd_ip_text(range->first, first),
			 nd_ip_text(range->last, last));
		nd_jsonw_str(w, "range_used", text);
	}
	nd_jsonw_end(w, '}');
}

static void write_leases(struct nd_jsonw *w, struct nd_arena *arena)
{
	struct nd_dirlist list;
	struct nd_err none = {0};

	nd_jsonw_begin(w, "leases", '[');
	for (size_t d = 0; d < ND_ARRAY_LEN(lease_dirs); d++) {
		if (nd_dirlist_read(lease_dirs[d], &list, arena, &none) < 0)
			continue;
		for (size_t i = 0; i < list.nnames; i++)
			write_network(w, arena, lease_dirs[d], list.names[i]);
	}
	nd_jsonw_end(w, ']');
}

static int run(struct nd_agent *agent, struct nd_buf *out, struct nd_err *err)
{
	struct nd_jsonw w = {.out = out};

	nd_jsonw_begin(&w, NULL, '{');
	if (write_dir(&w, &agent->arena, "conf", CONF_DIR, write_conf, err) < 0 ||
	    write_dir(&w, &agent->arena, "bin", BIN_DIR, write_bin, err) < 0)
		return -1;
	write_leases(&w, &agent->arena);
	nd_jsonw_end(&w, '}');
	nd_buf_puts(out, "\n");
	return 0;
}

const struct nd_collector nd_collector_cni = {.name = "cni", .run = run};
