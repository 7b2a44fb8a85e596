#include "common/base.h"

#include "agent/sys/netns.h"
#include "agent/sys/podns.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* cgroup v1 has a line for each of about a dozen controllers, each with the whole path. */
#define CGROUP_BYTES 8192
#define UID_DASHED 36
#define UID_STATIC 32

struct scan {
	struct nd_podns_list *list;
	struct nd_arena *arena;
	int proc_fd;
	bool has_diag;
};

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_dash_place(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

/* The UID that s begins with; 0 or its length. */
static size_t uid_take(struct nd_str s, char dst[ND_POD_UID_MAX + 1])
{
	size_t n = 0;
	bool has_dashes = s.n > 8 && (s.p[8] == '-' || s.p[8] == '_');
	size_t want = has_dashes ? UID_DASHED : UID_STATIC;

	while (n < want && n < s.n) {
		if (has_dashes && is_dash_place(n)) {
			if (s.p[n] != '-' && s.p[n] != '_')
				return 0;
			dst[n++] = '-';
		} else if (is_hex(s.p[n])) {
			dst[n] = (char)tolower((unsigned char)s.p[n]);
			n++;
		} else {
			return 0;
		}
	}
	dst[n] = '\0';
	return n == want ? n : 0;
}

/* ".../kubepods/burstable/pod<uid>/<container>" or ".../kubepods-burstable-pod<uid>.slice/..." */
static bool line_uid(struct nd_str line, char dst[ND_POD_UID_MAX + 1])
{
	const char *p = line.n ? memmem(line.p, line.n, "kubepods", 8) : NULL;
	const char *end = line.p + line.n;

	if (!p)
		return false;
	for (p += 8; (p = memmem(p, (size_t)(end - p), "pod", 3)); p += 3) {
		struct nd_str rest = {p + 3, (size_t)(end - p) - 3};
		size_t n;

		if (p[-1] != '/' && p[-1] != '-')
			continue;
		n = uid_take(rest, dst);
		if (n && (n == rest.n || rest.p[n] == '/' || rest.p[n] == '.'))
			return true;
	}
	return false;
}

bool nd_podns_uid(struct nd_str cgroup, char dst[ND_POD_UID_MAX + 1])
{
	struct nd_str line;

	while (nd_str_line(&cgroup, &line))
		if (line_uid(line, dst))
			return true;
	return false;
}

/* Is this a process of a pod, and of which? */
static bool process_uid(int proc_fd, const char *pid, char dst[ND_POD_UID_MAX + 1])
{
	char path[32], text[CGROUP_BYTES];
	nd_auto_fd int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%.10s/cgroup", pid);
	fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false; /* it has ended */
	n = read(fd, text, sizeof(text));
	return n > 0 && nd_podns_uid((struct nd_str){text, (size_t)n}, dst);
}

static struct nd_podns *find(struct nd_podns_list *list, uint64_t inode)
{
	for (size_t i = list->nitems; i > 0; i--) /* processes of one pod stand close together */
		if (list->items[i - 1].inode == inode)
			return &list->items[i - 1];
	return NULL;
}

/* NULL: the process has ended, or there are too many. */
static struct nd_podns *add(struct scan *scan, const char *path, int pid, uint64_t inode)
{
	struct nd_podns ns = {.pid = pid, .inode = inode, .fd = -1, .nl.fd = -1};
	struct nd_podns_list *list = scan->list;
	struct stat st;

	ns.is_host_network = inode == list->own_inode;
	ns.socks.diag.fd = -1;
	for (int i = 0; i < ND_SOCK_NPROTOS; i++)
		ns.socks.proc_fds[i] = -1;
	if (list->nitems >= ND_PODNS_MAX) {
		list->is_cut = true;
		return NULL;
	}
	if (!ns.is_host_network) {
		ns.fd = openat(scan->proc_fd, path, O_RDONLY | O_CLOEXEC);
		if (ns.fd < 0) {
			if (errno == ENOENT || errno == ESRCH)
				return NULL;
			ns.error = nd_arena_printf(scan->arena, "open /proc/%s: %s", path,
						   strerror(errno));
		} else if (fstat(ns.fd, &st) < 0 || st.st_ino != inode) {
			nd_close_fd(&ns.fd); /* another process got this id in between */
			return NULL;
		}
	}
	ND_ARENA_PUSH(scan->arena, list->items, list->nitems) = ns;
	return &list->items[list->nitems - 1];
}

static void uid_add(struct scan *scan, struct nd_podns *ns, const char *uid)
{
	for (size_t i = ns->nuids; i > 0; i--)
		if (nd_eq(ns->uids[i - 1], uid))
			return;
	if (ns->nuids >= ND_PODNS_MAX_UIDS) {
		scan->list->is_cut = true;
		return;
	}
	ND_ARENA_PUSH(scan->arena, ns->uids, ns->nuids) =
		nd_arena_strdup(scan->arena, uid, strlen(uid));
}

static void process_take(struct scan *scan, const char *pid_text)
{
	char uid[ND_POD_UID_MAX + 1], path[32];
	struct nd_podns *ns;
	struct stat st;
	uint64_t pid;

	if (!nd_parse_u64(nd_str(pid_text), INT32_MAX, &pid) ||
	    !process_uid(scan->proc_fd, pid_text, uid))
		return;
	snprintf(path, sizeof(path), "%.10s/ns/net", pid_text);
	if (fstatat(scan->proc_fd, path, &st, 0) < 0)
		return; /* it has ended; a zombie has no namespace either */
	ns = find(scan->list, st.st_ino);
	if (!ns)
		ns = add(scan, path, (int)pid, st.st_ino);
	if (ns)
		uid_add(scan, ns, uid);
}

static void sockets_open(struct scan *scan, struct nd_podns *ns)
{
	struct nd_err err = {0};

	if (ns->fd < 0)
		return;
	if (nd_netns_enter(ns->fd, &err) < 0 || nd_nl_open(&ns->nl, NETLINK_ROUTE, &err) < 0 ||
	    nd_socksrc_open(&ns->socks, scan->has_diag, &err) < 0) {
		nd_nl_close(&ns->nl);
		ns->error = nd_arena_strdup(scan->arena, err.text, strlen(err.text));
	}
}

static bool scan_has_diag(void)
{
	struct nd_buf raw = {.max_bytes = ND_NL_MAX_DUMP};
	bool has = nd_socksrc_has_diag(&raw);

	nd_buf_free(&raw);
	return has;
}

int nd_podns_open(struct nd_podns_list *list, struct nd_arena *arena, struct nd_err *err)
{
	struct scan scan = {.list = list, .arena = arena};
	nd_auto_fd int own_fd = -1;
	struct dirent *entry;
	DIR *proc;

	*list = (struct nd_podns_list){0};
	if (nd_netns_own(&own_fd, &list->own_inode, err) < 0)
		return -1;
	proc = opendir("/proc");
	if (!proc)
		return nd_err_sys(err, ND_E_IO, errno, "open /proc");
	scan.proc_fd = dirfd(proc);
	while ((entry = readdir(proc)))
		if (isdigit((unsigned char)entry->d_name[0]))
			process_take(&scan, entry->d_name);
	closedir(proc);
	scan.has_diag = list->nitems > 0 && scan_has_diag();
	for (size_t i = 0; i < list->nitems; i++)
		sockets_open(&scan, &list->items[i]);
	if (list->nitems && nd_netns_enter(own_fd, err) < 0)
		ND_BUG("cannot return to the node's network namespace");
	return 0;
}

void nd_podns_close(struct nd_podns_list *list)
{
	for (size_t i = 0; i < list->nitems; i++) {
		nd_close_fd(&list->items[i].fd);
		nd_nl_close(&list->items[i].nl);
		nd_socksrc_close(&list->items[i].socks);
	}
	list->nitems = 0;
}
