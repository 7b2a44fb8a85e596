#include "common/base.h"

#include "agent/collect/collect.h"
#include "agent/sys/dirlist.h"
#include "agent/sys/podns.h"
#include "agent/sys/procfs.h"
#include "common/jsonw.h"
#include "common/text.h"

#include <sys/stat.h>

static const struct unit {
	const char *name;
	const char *comm; /* of its main process */
} units[] = {
	{"kubelet", "kubelet"},
	{"containerd", "containerd"},
	{"crio", "crio"},
	{"docker", "dockerd"},
};
enum { NUNITS = ND_ARRAY_LEN(units), MAX_PIDS = 64 };

static const char *const bin_dirs[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
				       "/usr/bin",	  "/sbin",	    "/bin",
				       "/opt/bin"};
static const char *const unit_dirs[] = {"/etc/systemd/system", "/usr/lib/systemd/system",
					"/lib/systemd/system", "/run/systemd/system"};

struct found {
	int pids[MAX_PIDS];
	size_t npids;
	uint64_t first_start; /* clock ticks after boot, of the oldest */
};

static bool exists_in(const char *const *dirs, size_t ndirs, const char *name, const char *suffix)
{
	char path[256];
	struct stat st;

	for (size_t i = 0; i < ndirs; i++) {
		snprintf(path, sizeof(path), "%s/%s%s", dirs[i], name, suffix);
		if (stat(path, &st) == 0)
			return true;
	}
	return false;
}

static bool is_installed(const struct unit *unit)
{
	return exists_in(bin_dirs, ND_ARRAY_LEN(bin_dirs), unit->comm, "") ||
	       exists_in(unit_dirs, ND_ARRAY_LEN(unit_dirs), unit->name, ".service");
}

/*
 * A process of this system and not of a container on it: a container runtime inside a container
 * (kind on a host with Docker) has more than one number in NSpid, a pod has its UID in its cgroup.
 */
static bool is_ours(int pid)
{
	char path[64], text[8192], uid[ND_POD_UID_MAX + 1];
	struct nd_str rest, line, word;
	int nnumbers = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	ssize_t n = nd_procfs_read(path, text, sizeof(text));
	rest = (struct nd_str){text, n > 0 ? (size_t)n : 0};
	while (nd_str_line(&rest, &line)) {
		if (!nd_str_starts(line, "NSpid:"))
			continue;
		nd_str_word(&line, &word);
		while (nd_str_word(&line, &word))
			nnumbers++;
		break;
	}
	if (nnumbers > 1)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	n = nd_procfs_read(path, text, sizeof(text));
	return n < 0 || !nd_podns_uid((struct nd_str){text, (size_t)n}, uid);
}

/* /proc/PID/stat: the name in parentheses may hold anything; start time is the 20th word behind. */
static uint64_t start_ticks(int pid)
{
	char path[64], text[2048];
	struct nd_str rest, word = {0};
	uint64_t ticks = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (nd_procfs_read(path, text, sizeof(text)) < 0)
		return 0;
	const char *p = strrchr(text, ')');
	if (!p)
		return 0;
	rest = nd_str(p + 1);
	for (int i = 0; i < 20; i++)
		if (!nd_str_word(&rest, &word))
			return 0;
	return nd_parse_u64(word, UINT64_MAX, &ticks) ? ticks : 0;
}

static void look_at(int pid, struct found found[NUNITS])
{
	char path[64], comm[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	if (nd_procfs_line(path, comm, sizeof(comm)) <= 0)
		return;
	for (size_t i = 0; i < NUNITS; i++) {
		struct found *of = &found[i];
		if (of->npids == MAX_PIDS || !nd_eq(comm, units[i].comm) ||
		    !is_ours(pid))
			continue;
		uint64_t start = start_ticks(pid);
		if (of->npids == 0 || start < of->first_start)
			of->first_start = start;
		of->pids[of->npids++] = pid;
	}
}

static int look_at_all(struct nd_arena *arena, struct found found[NUNITS], struct nd_err *err)
{
	struct nd_dirlist list;
	uint64_t pid = 0;

	if (nd_dirlist_read("/proc", &list, arena, err) < 0)
		return -1;
	for (size_t i = 0; i < list.nnames; i++)
		if (nd_parse_u64(nd_str(list.names[i]), INT32_MAX, &pid))
			look_at((int)pid, found);
	return 0;
}

static void write_unit(struct nd_jsonw *w, const struct unit *unit, const struct found *found,
		       uint64_t uptime_s)
{
	long hz = sysconf(_SC_CLK_TCK);

	nd_jsonw_begin(w, NULL, '{');
	nd_jsonw_str(w, "unit", unit->name);
	nd_jsonw_begin(w, "pids", '[');
	for (size_t i = 0; i < found->npids; i++)
		nd_jsonw_int(w, NULL, found->pids[i]);
	nd_jsonw_end(w, ']');
	nd_jsonw_bool(w, "is_installed", is_installed(unit));
	if (found->npids > 0 && hz > 0) {
		uint64_t started_s = found->first_start / (uint64_t)hz;
		nd_jsonw_uint(w, "uptime_s", uptime_s > started_s ? uptime_s - started_s : 0);
	}
	nd_jsonw_end(w, '}');
}

static int run(struct nd_agent *agent, struct nd_buf *out, struct nd_err *err)
{
	char text[128];
	struct found found[NUNITS] = {0};
	struct nd_jsonw w = {.out = out};

	if (look_at_all(&agent->arena, found, err) < 0)
		return -1;
	uint64_t uptime_s = nd_procfs_line("/proc/uptime", text, sizeof(text)) > 0
				    ? strtoull(text, NULL, 10)
				    : 0;
	nd_jsonw_begin(&w, NULL, '[');
	for (size_t i = 0; i < NUNITS; i++)
		write_unit(&w, &units[i], &found[i], uptime_s);
	nd_jsonw_end(&w, ']');
	nd_buf_puts(out, "\n");
	return 0;
}

const struct nd_collector nd_collector_units = {.name = "units", .run = run};
