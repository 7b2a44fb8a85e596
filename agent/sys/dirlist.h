/* dirlist.h: the names in a directory, sorted by byte order, without those that begin with a dot.
 */
#ifndef ND_AGENT_SYS_DIRLIST_H
#define ND_AGENT_SYS_DIRLIST_H

#include "common/base.h"

#include "common/arena.h"
#include "common/err.h"

#define ND_DIRLIST_MAX 16384 /* names */

struct nd_dirlist {
	const char **names; /* names[nnames] */
	size_t nnames;
};

/* Memory lives in arena. ND_E_NOT_FOUND: no such directory; ND_E_IO; ND_E_LIMIT. */
int nd_dirlist_read(const char *path, struct nd_dirlist *list, struct nd_arena *arena,
		    struct nd_err *err) ND_MUST_USE;

#endif
