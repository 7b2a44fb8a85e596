/*
 * credentials.h: run what must be run (exec plugins) and read what must be read (token files), so
 * that http.h only has to attach it.
 */
#ifndef ND_PLUGIN_KUBE_CREDENTIALS_H
#define ND_PLUGIN_KUBE_CREDENTIALS_H

#include "plugin/kube/kubeconfig.h"

/*
 * Fill config->token or cert_data/key_data from config->exec or token_file. Runs the plugin with a
 * deadline of 60 s; its stderr goes to ours. ND_E_CONFIG names the plugin and what was wrong.
 * Secrets stay in the arena and are never part of an error text.
 */
int nd_credentials_fetch(struct nd_arena *arena, struct nd_kube_config *config,
			 struct nd_err *err) ND_MUST_USE;

#endif
