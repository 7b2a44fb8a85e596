#include "common/base.h"

#include "common/buf.h"
#include "common/sha256.h"
#include "common/text.h"
#include "plugin/node/agent_bin.h"

#include <errno.h>
#include <limits.h>

/* Where `make install` puts the agents; the Makefile may say otherwise. */
#ifndef ND_LIBDIR
#define ND_LIBDIR "/usr/local/lib/kubectl-netdoctor"
#endif

enum { ND_AGENT_MAX_BYTES = 16 << 20 };

static const struct {
	const char *machine, *arch;
} arches[] = {
	{"x86_64", "amd64"},
	{"aarch64", "arm64"},
};

/* The directory of our own executable, where a release puts the agents too; false: unknown. */
static bool own_dir(char dst[PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", dst, PATH_MAX - 1);

	if (n <= 0)
		return false;
	dst[n] = '\0';
	char *slash = strrchr(dst, '/');
	if (slash)
		*slash = '\0';
	return slash != NULL;
}

static int file_read(const char *path, struct nd_buf *out, struct nd_err *err)
{
	nd_auto_file FILE *f = fopen(path, "re");
	char block[64 << 10];
	size_t n;

	if (!f)
		return nd_err_sys(err, ND_E_NOT_FOUND, errno, "open %s", path);
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		if (nd_buf_add(out, block, n) < 0)
			return nd_err_set(err, ND_E_LIMIT, "%s is larger than %d bytes", path,
					  ND_AGENT_MAX_BYTES);
	if (ferror(f))
		return nd_err_sys(err, ND_E_IO, errno, "read %s", path);
	if (out->len == 0)
		return nd_err_set(err, ND_E_INPUT, "%s is empty", path);
	return 0;
}

/* The first place that has the file; without one, the error of the last place. */
static int agent_read(const char *arch, struct nd_buf *out, struct nd_err *err)
{
	const char *override = getenv("NETDOCTOR_AGENT_DIR");
	char own[PATH_MAX], path[PATH_MAX + 64];
	const char *dirs[2];
	size_t ndirs = 0;
	struct nd_err why;

	if (override && override[0]) {
		dirs[ndirs++] = override;
	} else {
		if (own_dir(own))
			dirs[ndirs++] = own;
		dirs[ndirs++] = ND_LIBDIR;
	}
	for (size_t i = 0; i < ndirs; i++) {
		snprintf(path, sizeof(path), "%s/netdoctor-agent-%s", dirs[i], arch);
		if (file_read(path, out, &why) == 0)
			return 0;
		if (why.code != ND_E_NOT_FOUND || i + 1 == ndirs)
			break;
	}
	if (err)
		*err = why;
	return -1;
}

int nd_agent_bin_load(struct nd_arena *arena, const char *machine, struct nd_agent_bin *out,
		      struct nd_err *err)
{
	nd_auto_buf struct nd_buf bytes = {.max_bytes = ND_AGENT_MAX_BYTES};
	const char *arch = NULL;

	for (size_t i = 0; i < ND_ARRAY_LEN(arches); i++)
		if (nd_eq(arches[i].machine, machine))
			arch = arches[i].arch;
	if (!arch)
		return nd_err_set(err, ND_E_NOT_FOUND, "there is no agent for machine %s", machine);
	if (agent_read(arch, &bytes, err) < 0)
		return nd_err_wrap(err, "load the agent for %s", machine);
	out->bytes = nd_arena_strdup(arena, bytes.data, bytes.len);
	out->len = bytes.len;
	nd_sha256_hex(out->bytes, out->len, out->sha256);
	return 0;
}
