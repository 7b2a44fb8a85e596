/*
 * crashloop.h: what the crash loop effects share.
 */
#ifndef ND_PLUGIN_CHECKS_CRASHLOOP_H
#define ND_PLUGIN_CHECKS_CRASHLOOP_H

#include "plugin/checks/check.h"

/* A finding for each pod whose container is in CrashLoopBackOff; what: "CoreDNS", "kube-proxy". */
void nd_crashloop_find(struct nd_check_run *run,
		       bool (*is_mine)(const struct nd_cluster *cluster, const struct nd_pod *pod),
		       const char *what);

#endif
