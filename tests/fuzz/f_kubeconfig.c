/* f_kubeconfig.c: a hostile kubeconfig. No file is read that it names: paths are cut from it first.
 */
#include "common/base.h"

#include "plugin/kube/kubeuser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The resolver opens what these name; a fuzzer must not wander through the machine. */
static void forget_files(struct nd_kubefile_list *list)
{
	static const char *const keys[] = {"certificate-authority", "client-certificate",
					   "client-key"};

	for (size_t i = 0; i < list->nentries; i++)
		for (size_t k = 0; k < ND_ARRAY_LEN(keys); k++)
			if (nd_yaml_get(list->entries[i].body, keys[k]))
				list->entries[i].body = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nd_arena arena = {0};
	struct nd_kubefile file = {.looked_in = "/k/config"};
	struct nd_kube_flags flags = {0};
	struct nd_kube_config config;
	struct nd_err err = {0};
	int rc = nd_kubefile_parse(&arena, (const char *)data, size, "/k/config", &file, &err);

	if (rc == 0) {
		forget_files(&file.clusters);
		forget_files(&file.users);
		rc = nd_kubeconfig_resolve(&arena, &file, &flags, &config, &err);
	}
	if (rc == 0 && (!config.server || !config.namespace_))
		abort();
	if (rc < 0 && (err.code == ND_E_NONE || err.text[0] == '\0'))
		abort();
	nd_arena_free(&arena);
	return 0;
}
