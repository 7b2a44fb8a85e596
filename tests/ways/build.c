/* build.c: a laboratory in the kernel, one run of each tool a namespace. */
#include "common/base.h"

#include "tests/ways/ways.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

static ND_NORETURN void fail(const char *what)
{
	fprintf(stderr, "ways: cannot %s: %m\n", what);
	exit(2);
}

void space_enter(int fd)
{
	if (setns(fd, CLONE_NEWNET) < 0)
		fail("enter a network namespace");
}

int space_home(void)
{
	static int home = -1;

	if (home < 0)
		home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return home;
}

static void space_make(struct space *space)
{
	struct stat st;

	if (unshare(CLONE_NEWNET) < 0)
		fail("make a network namespace (root?)");
	space->fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (space->fd < 0 || fstat(space->fd, &st) < 0)
		fail("open a network namespace");
	space->inode = st.st_ino;
}

/* "KEY VALUE": one that this kernel lacks is passed over. */
static void write_sysctl(const char *line, size_t n)
{
	nd_auto_free char *text = strndup(line, n), *path = NULL;
	char *space = text ? strchr(text, ' ') : NULL;
	nd_auto_fd int fd = -1;

	if (!space)
		return;
	*space = 0;
	if (asprintf(&path, "/proc/sys/%s", text) < 0)
		return;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, space + 1, strlen(space + 1)) < 0)
		return;
}

static void write_sysctls(const char *text)
{
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, "\n");

		write_sysctl(p, n);
		p += n + (p[n] == '\n');
	}
}

/* "@3" at the end of a line of ip is the namespace of space 3. */
static void name_spaces(const struct lab *lab, const char *text, size_t n, struct nd_buf *out)
{
	for (const char *p = text; p < text + n; p++)
		if (*p == '@' && p[1] >= '0' && p[1] <= '9')
			nd_buf_printf(out, "/proc/%d/fd/%d", getpid(), lab->spaces[*++p - '0'].fd);
		else
			nd_buf_add(out, p, 1);
}

/* A batch of ip is of one family: lines that begin with "-6 " come last, without it. */
static bool run_ip(const struct lab *lab, const char *text, struct nd_buf *errors)
{
	static const char *const argv[2][6] = {{"ip", "-force", "-batch", "-", NULL},
					       {"ip", "-6", "-force", "-batch", "-", NULL}};
	bool ok = true;

	for (int six = 0; six < 2; six++) {
		nd_auto_buf struct nd_buf input = {0};

		for (const char *p = text; *p;) {
			size_t n = strcspn(p, "\n");
			bool is_six = strncmp(p, "-6 ", 3) == 0;

			n += p[n] == '\n';
			if (is_six == (six == 1))
				name_spaces(lab, is_six ? p + 3 : p, is_six ? n - 3 : n, &input);
			p += n;
		}
		if (input.len)
			ok &= child_run(argv[six], input.data, input.len, errors) == 0;
	}
	return ok;
}

static bool run_tool(const struct lab *lab, enum tool tool, const char *text, struct nd_buf *errors)
{
	static const char *const argv[TOOL_DEAF][4] = {
		[TOOL_BRIDGE] = {"bridge", "-force", "-batch", "-"},
		[TOOL_IPT4] = {"iptables-nft-restore", "--noflush"},
		[TOOL_IPT6] = {"ip6tables-nft-restore", "--noflush"},
		[TOOL_LEGACY] = {"iptables-legacy-restore", "--noflush"},
		[TOOL_NFT] = {"nft", "-f", "-"},
	};
	const char *args[5] = {argv[tool][0], argv[tool][1], argv[tool][2], argv[tool][3], NULL};

	if (tool == TOOL_SYSCTL)
		write_sysctls(text);
	else if (tool == TOOL_IP)
		return run_ip(lab, text, errors);
	else
		return child_run(args, text, strlen(text), errors) == 0;
	return true;
}

bool step_run(struct lab *lab, const struct step *step, struct nd_buf *errors)
{
	nd_auto_buf struct nd_buf text = {0};
	bool ok;

	if (step->tool == TOOL_DEAF)
		return true;
	nd_buf_printf(&text, "%s\n", step->text);
	if (step->tool >= TOOL_IPT4 && step->tool <= TOOL_LEGACY)
		nd_buf_puts(&text, "COMMIT\n");
	space_enter(lab->spaces[step->space].fd);
	ok = run_tool(lab, step->tool, text.data, errors);
	space_enter(space_home());
	return ok;
}

static bool build_space(struct lab *lab, int s, enum tool first, enum tool last,
			struct nd_buf *errors)
{
	bool ok = true;

	space_enter(lab->spaces[s].fd);
	for (enum tool tool = first; tool <= last; tool++)
		if (lab->spaces[s].text[tool].len)
			ok &= run_tool(lab, tool, lab->spaces[s].text[tool].data, errors);
	space_enter(space_home());
	return ok;
}

/* A change that the kernel refuses is none. */
static void mutate(struct lab *lab)
{
	for (size_t i = 0; i < lab->nmutations; i++) {
		struct mutation *m = &lab->mutations[i];

		for (size_t k = 0; k < m->nsteps && !m->is_off; k++) {
			nd_auto_buf struct nd_buf errors = {0};

			if (!step_run(lab, &m->steps[k], &errors) && getenv("WAYS_VERBOSE"))
				fprintf(stderr, "ways: seed %llu: %s\n%s",
					(unsigned long long)lab->seed, m->steps[k].text,
					errors.data ? errors.data : "");
		}
		lab->is_slow |= m->is_slow && !m->is_off;
	}
}

bool lab_build(struct lab *lab, struct nd_buf *errors)
{
	bool ok = true;

	space_home();
	for (int s = 0; s < lab->nspaces; s++)
		space_make(&lab->spaces[s]);
	space_enter(space_home());
	/* u makes the nodes' devices, they make those of their pods. */
	for (int s = 0; s < lab->nspaces; s++)
		ok &= build_space(lab, s, TOOL_SYSCTL, TOOL_SYSCTL, errors);
	ok &= build_space(lab, 0, TOOL_IP, TOOL_IP, errors);
	for (int n = 0; n < lab->nnodes; n++)
		ok &= build_space(lab, lab->nodes[n].space, TOOL_IP, TOOL_NFT, errors);
	for (int p = 0; p < lab->npods; p++)
		ok &= build_space(lab, lab->pods[p].space, TOOL_IP, TOOL_NFT, errors);
	lab->is_slow = false;
	nodes_start(lab);
	mutate(lab);
	listeners_open(lab);
	if (lab->is_slow)
		usleep(1100 * 1000);
	return ok;
}

void lab_forget(struct lab *lab)
{
	static const char text[] = "neigh flush nud reachable nud stale nud delay nud probe nud "
				   "incomplete nud failed\n"
				   "-6 neigh flush nud reachable nud stale nud delay nud probe nud "
				   "incomplete nud failed\n";
	nd_auto_buf struct nd_buf errors = {0};

	for (int s = 0; s < lab->nspaces; s++)
		step_run(lab, &(struct step){s, TOOL_IP, text}, &errors);
}

void lab_free(struct lab *lab)
{
	nodes_stop(lab);
	for (int s = 0; s < lab->nspaces; s++) {
		nd_close_fd(&lab->spaces[s].fd);
		for (int t = 0; t < TOOL_DEAF; t++)
			nd_buf_free(&lab->spaces[s].text[t]);
	}
	nd_arena_free(&lab->arena);
}
