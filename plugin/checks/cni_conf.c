#include "common/base.h"
#include "plugin/checks/cni_conf.h"
#include "plugin/checks/facts.h"

#include <cjson/cJSON.h>

#define MAX_DELEGATES 4 /* of delegates; more is no configuration */

static void add(struct nd_check_run *run, struct nd_cni_conf *conf, const char *type)
{
	for (size_t i = 0; i < conf->ntypes; i++)
		if (nd_eq(conf->types[i], type))
			return;
	if (conf->ntypes < ND_CNI_TYPES && *type && !strchr(type, '/'))
		conf->types[conf->ntypes++] = nd_check_text(run, "%s", type);
}

static const char *text_of(const cJSON *object, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
	return cJSON_IsString(item) ? item->valuestring : NULL;
}

static void add_plugin(struct nd_check_run *run, struct nd_cni_conf *conf, const cJSON *plugin,
		       int depth)
{
	const char *type = text_of(plugin, "type");
	const char *ipam = text_of(cJSON_GetObjectItemCaseSensitive(plugin, "ipam"), "type");
	const cJSON *delegate = cJSON_GetObjectItemCaseSensitive(plugin, "delegate");
	if (type)
		add(run, conf, type);
	if (ipam)
		add(run, conf, ipam);
	if (nd_eq(type,
		  "flannel")) { /* flannel's plugin: bridge unless told, and always host-local */
		const char *other = text_of(delegate, "type");
		add(run, conf, other ? other : "bridge");
		add(run, conf, "host-local");
	} else if (cJSON_IsObject(delegate) && depth < MAX_DELEGATES) {
		add_plugin(run, conf, delegate, depth + 1);
	}
}

/* As libcni: a .conflist needs a name and plugins, each with a type; anything else is a single
 * plugin. */
static const char *read_list(struct nd_check_run *run, struct nd_cni_conf *conf, const cJSON *root)
{
	const cJSON *plugins = cJSON_GetObjectItemCaseSensitive(root, "plugins"), *plugin;
	if (!text_of(root, "name"))
		return "it has no name";
	if (!cJSON_IsArray(plugins) || !cJSON_GetArraySize(plugins))
		return "it lists no plugins";
	cJSON_ArrayForEach(plugin, plugins) {
		if (!text_of(plugin, "type"))
			return "one of its plugins has no type";
		add_plugin(run, conf, plugin, 0);
	}
	return NULL;
}

static const char *read_json(struct nd_check_run *run, struct nd_cni_conf *conf,
			     const char *content)
{
	cJSON *root = cJSON_ParseWithLength(content, strlen(content));
	const char *error = NULL;
	if (!root)
		error = "it is not JSON";
	else if (!cJSON_IsObject(root))
		error = "it is not a JSON object";
	else if (nd_ends(conf->file, ".conflist"))
		error = read_list(run, conf, root);
	else if (!text_of(root, "type"))
		error = "it has no type";
	else
		add_plugin(run, conf, root, 0);
	cJSON_Delete(root);
	return error;
}

bool nd_cni_conf_read(struct nd_check_run *run, const struct nd_host *host, struct nd_cni_conf *out)
{
	memset(out, 0, sizeof(*out));
	const struct nd_cni_file *file = nd_fact_cni_file(host, 0);
	if (!file)
		return false;
	out->file = file->name;
	out->error = read_json(run, out, file->content);
	return true;
}
