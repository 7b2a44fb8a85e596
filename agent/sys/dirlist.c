#include "common/base.h"

#include "agent/sys/dirlist.h"

#include <dirent.h>
#include <errno.h>

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int nd_dirlist_read(const char *path, struct nd_dirlist *list, struct nd_arena *arena,
		    struct nd_err *err)
{
	const struct dirent *entry;
	ND_CLEANUP(close_dir) DIR *dir = opendir(path);

	*list = (struct nd_dirlist){0};
	if (!dir)
		return nd_err_sys(err, errno == ENOENT ? ND_E_NOT_FOUND : ND_E_IO, errno,
				  "open directory %s", path);
	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		if (entry->d_name[0] == '.')
			continue;
		if (list->nnames == ND_DIRLIST_MAX)
			return nd_err_set(err, ND_E_LIMIT, "%s has more than %d entries", path,
					  ND_DIRLIST_MAX);
		ND_ARENA_PUSH(arena, list->names, list->nnames) =
			nd_arena_strdup(arena, entry->d_name, strlen(entry->d_name));
	}
	if (errno != 0)
		return nd_err_sys(err, ND_E_IO, errno, "read directory %s", path);
	if (list->nnames > 1)
		qsort(list->names, list->nnames, sizeof(*list->names), by_bytes);
	return 0;
}
