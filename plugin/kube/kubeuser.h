/*
 * kubeuser.h: the parts of kubeconfig.h that are about who we are. Private to kubeconfig.c and
 * tests.
 */
#ifndef ND_PLUGIN_KUBE_KUBEUSER_H
#define ND_PLUGIN_KUBE_KUBEUSER_H

#include "plugin/kube/kubeconfig.h"
#include "plugin/kube/kubefile.h"

#define ND_KUBE_MAX_PEM (1u << 20)

/* Token, basic, impersonation, exec of the user entry (may be NULL) and the flags. */
int nd_kubeuser_read(struct nd_arena *arena, const struct nd_kube_flags *flags,
		     const struct nd_kubefile_entry *user, struct nd_kube_config *out,
		     struct nd_err *err) ND_MUST_USE;
/* A path of an entry, made absolute against the folder of the entry's file. */
const char *nd_kubeuser_path(struct nd_arena *arena, const struct nd_kubefile_entry *entry,
			     const char *path);
/* The cluster's extension for exec plugins as JSON, or NULL. */
const char *nd_kubeuser_exec_config(struct nd_arena *arena,
				    const struct nd_kubefile_entry *cluster);
/* The merged files and the flags become one answer; nd_kubeconfig_load without the reading. */
int nd_kubeconfig_resolve(struct nd_arena *arena, const struct nd_kubefile *file,
			  const struct nd_kube_flags *flags, struct nd_kube_config *out,
			  struct nd_err *err) ND_MUST_USE;

#endif
