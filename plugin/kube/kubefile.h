/*
 * kubefile.h: kubeconfig files as they are written: which ones, in which order, merged by name.
 * kubeconfig.h makes one answer of it. client-go: tools/clientcmd/loader.go.
 */
#ifndef ND_PLUGIN_KUBE_KUBEFILE_H
#define ND_PLUGIN_KUBE_KUBEFILE_H

#include "common/arena.h"
#include "common/err.h"
#include "common/text.h"
#include "common/text.h"
#include "plugin/kube/yaml.h"

/* One cluster, user or context, and the file it came from: relative paths start in its folder. */
struct nd_kubefile_entry {
	const char *name;
	const struct nd_yaml *body; /* a map, or NULL when the entry has none */
	const char *path;	    /* the file, absolute */
};

struct nd_kubefile_list {
	struct nd_kubefile_entry *entries; /* nentries, in order of the files, names unique */
	size_t nentries;
};

struct nd_kubefile {
	struct nd_kubefile_list clusters, users, contexts;
	const char *current_context; /* NULL: none */
	const char *looked_in;	     /* the files that were wanted, for an error */
	size_t nread;		     /* files that were there */
};

/* explicit_path (--kubeconfig), else $KUBECONFIG, else ~/.kube/config. */
int nd_kubefile_load(struct nd_arena *arena, const char *explicit_path, struct nd_kubefile *out,
		     struct nd_err *err) ND_MUST_USE;
/* Merge one file's bytes into *out; what is in *out already wins. */
int nd_kubefile_parse(struct nd_arena *arena, const char *p, size_t len, const char *path,
		      struct nd_kubefile *out, struct nd_err *err) ND_MUST_USE;
const struct nd_kubefile_entry *nd_kubefile_find(const struct nd_kubefile_list *list,
						 const char *name);
/* A text field of a map: NULL when missing, empty or null; an error when it is no text. */
int nd_kubefile_text(const struct nd_kubefile_entry *entry, const struct nd_yaml *map,
		     const char *key, const char **out, struct nd_err *err) ND_MUST_USE;

/* A whole file, at most max_bytes, with a NUL behind. err says "PATH: why"; pipes are welcome. */
int nd_kubefile_read(struct nd_arena *arena, const char *path, size_t max_bytes,
		     struct nd_str *out, struct nd_err *err) ND_MUST_USE;

#endif
