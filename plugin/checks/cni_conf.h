/*
 * cni_conf.h: reads the CNI configuration that the runtime would load: the first candidate file.
 */
#ifndef ND_PLUGIN_CHECKS_CNI_CONF_H
#define ND_PLUGIN_CHECKS_CNI_CONF_H

#include "plugin/checks/check.h"

#define ND_CNI_TYPES 16

struct nd_cni_conf {
	const char *file; /* its name */
	const char *error; /* why the runtime refuses it, or NULL */
	const char *types[ND_CNI_TYPES]; /* ntypes: every plugin it calls, each once; in the run's
					    arena */
	size_t ntypes;
};

/* False: no candidate. The strings are in the arena of the run. */
bool nd_cni_conf_read(struct nd_check_run *run, const struct nd_host *host,
		      struct nd_cni_conf *out);

#endif
