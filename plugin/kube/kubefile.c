#include "common/base.h"

#include "common/buf.h"
#include "common/text.h"
#include "plugin/kube/kubefile.h"

#include <errno.h>
#include <fcntl.h>

enum { ND_KUBEFILE_MAX_ENTRIES = 4000 }; /* names are looked up one by one */

int nd_kubefile_read(struct nd_arena *arena, const char *path, size_t max_bytes, struct nd_str *out,
		     struct nd_err *err)
{
	nd_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	nd_auto_buf struct nd_buf buf = {.max_bytes = max_bytes + 1};

	if (fd < 0)
		return nd_err_sys(err, ND_E_CONFIG, errno, "open %s", path);
	for (;;) {
		char chunk[16384];
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return nd_err_sys(err, ND_E_CONFIG, errno, "read %s", path);
		if (n == 0)
			break;
		if (nd_buf_add(&buf, chunk, (size_t)n) < 0 || buf.len > max_bytes)
			return nd_err_set(err, ND_E_LIMIT, "%s: larger than %zu bytes", path,
					  max_bytes);
	}
	*out = (struct nd_str){nd_arena_strdup(arena, buf.data ? buf.data : "", buf.len), buf.len};
	return 0;
}

static int fail_at(const char *path, const struct nd_yaml *node, struct nd_err *err,
		   const char *what, const char *which)
{
	return nd_err_set(err, ND_E_CONFIG, "%s:%u: %s%s", path, node ? node->line : 1, what,
			  which);
}

int nd_kubefile_text(const struct nd_kubefile_entry *entry, const struct nd_yaml *map,
		     const char *key, const char **out, struct nd_err *err)
{
	const struct nd_yaml *node = nd_yaml_get(map, key);

	*out = NULL;
	if (nd_yaml_is_null(node))
		return 0;
	if (node->kind != ND_YAML_SCALAR)
		return fail_at(entry->path, node, err, "a text is wanted for ", key);
	if (node->text[0] != '\0')
		*out = node->text;
	return 0;
}

const struct nd_kubefile_entry *nd_kubefile_find(const struct nd_kubefile_list *list,
						 const char *name)
{
	for (size_t i = 0; name && i < list->nentries; i++)
		if (strcmp(list->entries[i].name, name) == 0)
			return &list->entries[i];
	return NULL;
}

/* One element of clusters, users or contexts, e.g. {name: x, cluster: {...}}. */
static int entry_read(struct nd_arena *arena, const struct nd_yaml *node, const char *body_key,
		      const char *path, struct nd_kubefile_list *own, struct nd_err *err)
{
	struct nd_kubefile_entry entry = {.path = path, .name = ""};
	const struct nd_yaml *body;

	if (nd_yaml_is_null(node))
		return 0;
	if (node->kind != ND_YAML_MAP)
		return fail_at(path, node, err, "a map is wanted in the list of ", body_key);
	if (nd_kubefile_text(&entry, node, "name", &entry.name, err) < 0)
		return -1;
	entry.name = entry.name ? entry.name : "";
	body = nd_yaml_get(node, body_key);
	if (!nd_yaml_is_null(body) && body->kind != ND_YAML_MAP)
		return fail_at(path, body, err, "a map is wanted for ", body_key);
	entry.body = nd_yaml_is_null(body) ? NULL : body;
	if (nd_kubefile_find(own, entry.name)) {
		char safe[128];

		nd_text_safe(safe, sizeof(safe), entry.name);
		return fail_at(path, node, err, "duplicate name in list: ", safe);
	}
	if (own->nentries >= ND_KUBEFILE_MAX_ENTRIES)
		return nd_err_set(err, ND_E_LIMIT, "%s: more than %d entries", path,
				  ND_KUBEFILE_MAX_ENTRIES);
	ND_ARENA_PUSH(arena, own->entries, own->nentries) = entry;
	return 0;
}

/* The first file that defines a name wins entirely: entries are never mixed. */
static int list_merge(struct nd_arena *arena, const struct nd_yaml *root, const char *key,
		      const char *body_key, const char *path, struct nd_kubefile_list *all,
		      struct nd_err *err)
{
	const struct nd_yaml *list = nd_yaml_get(root, key);
	struct nd_kubefile_list own = {0};

	if (nd_yaml_is_null(list))
		return 0;
	if (list->kind != ND_YAML_LIST)
		return fail_at(path, list, err, "a list is wanted for ", key);
	for (size_t i = 0; i < list->nitems; i++)
		if (entry_read(arena, list->items[i], body_key, path, &own, err) < 0)
			return -1;
	for (size_t i = 0; i < own.nentries; i++)
		if (!nd_kubefile_find(all, own.entries[i].name))
			ND_ARENA_PUSH(arena, all->entries, all->nentries) = own.entries[i];
	return 0;
}

static int check_version(const struct nd_kubefile_entry *file, const struct nd_yaml *root,
			 struct nd_err *err)
{
	const char *version, *kind;
	char safe[64];

	if (nd_kubefile_text(file, root, "apiVersion", &version, err) < 0 ||
	    nd_kubefile_text(file, root, "kind", &kind, err) < 0)
		return -1;
	if (version && strcmp(version, "v1") != 0)
		return fail_at(file->path, nd_yaml_get(root, "apiVersion"), err,
			       "apiVersion v1 is wanted, not ",
			       nd_text_safe(safe, sizeof(safe), version));
	if (kind && strcmp(kind, "Config") != 0)
		return fail_at(file->path, nd_yaml_get(root, "kind"), err,
			       "kind Config is wanted, not ",
			       nd_text_safe(safe, sizeof(safe), kind));
	return 0;
}

int nd_kubefile_parse(struct nd_arena *arena, const char *p, size_t len, const char *path,
		      struct nd_kubefile *out, struct nd_err *err)
{
	struct nd_kubefile_entry file = {.path = path};
	struct nd_yaml *root = NULL;
	const char *current;

	if (nd_yaml_parse(arena, p, len, path, &root, err) < 0)
		return -1;
	out->nread++;
	if (nd_yaml_is_null(root))
		return 0;
	if (root->kind != ND_YAML_MAP)
		return fail_at(path, root, err, "not a kubeconfig: ", "a map is wanted");
	if (check_version(&file, root, err) < 0 ||
	    nd_kubefile_text(&file, root, "current-context", &current, err) < 0)
		return -1;
	if (!out->current_context)
		out->current_context = current;
	if (list_merge(arena, root, "clusters", "cluster", path, &out->clusters, err) < 0 ||
	    list_merge(arena, root, "users", "user", path, &out->users, err) < 0 ||
	    list_merge(arena, root, "contexts", "context", path, &out->contexts, err) < 0)
		return -1;
	return 0;
}

static int file_merge(struct nd_arena *arena, const char *path, bool must_exist,
		      struct nd_kubefile *out, struct nd_err *err)
{
	struct nd_err why = {0};
	struct nd_str bytes;

	if (path[0] != '/') {
		nd_auto_free char *cwd = getcwd(NULL, 0);

		if (!cwd)
			return nd_err_sys(err, ND_E_CONFIG, errno, "find the working directory");
		path = nd_arena_printf(arena, "%s/%s", cwd, path);
	}
	if (nd_kubefile_read(arena, path, ND_YAML_MAX_BYTES, &bytes, &why) < 0) {
		if (!must_exist && why.sys_errno == ENOENT)
			return 0;
		if (err)
			*err = why;
		return nd_err_wrap(err, "load kubeconfig");
	}
	if (nd_kubefile_parse(arena, bytes.p, bytes.n, path, out, err) < 0)
		return nd_err_wrap(err, "load kubeconfig");
	return 0;
}

static bool was_listed(const char *list, const char *at, size_t n)
{
	while (list < at) {
		size_t have = strcspn(list, ":");

		if (have == n && memcmp(list, at, n) == 0)
			return true;
		list += have + 1;
	}
	return false;
}

static int env_merge(struct nd_arena *arena, const char *list, struct nd_kubefile *out,
		     struct nd_err *err)
{
	for (const char *at = list; *at;) {
		size_t n = strcspn(at, ":");

		if (n > 0 && !was_listed(list, at, n) &&
		    file_merge(arena, nd_arena_strdup(arena, at, n), false, out, err) < 0)
			return -1;
		at += n + (at[n] == ':');
	}
	return 0;
}

int nd_kubefile_load(struct nd_arena *arena, const char *explicit_path, struct nd_kubefile *out,
		     struct nd_err *err)
{
	const char *env = getenv("KUBECONFIG"), *home = getenv("HOME");

	*out = (struct nd_kubefile){0};
	if (explicit_path && explicit_path[0]) {
		out->looked_in = explicit_path;
		return file_merge(arena, explicit_path, true, out, err);
	}
	if (env && env[0]) {
		out->looked_in = nd_arena_printf(arena, "$KUBECONFIG (%s)", env);
		return env_merge(arena, env, out, err);
	}
	/* $HOME only, never the password file: what kubectl does */
	const char *path = nd_arena_printf(arena, "%s/.kube/config", home ? home : "");
	out->looked_in = path;
	return file_merge(arena, path, false, out, err);
}
