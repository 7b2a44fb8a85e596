#include "common/base.h"

#include "plugin/model/decode.h"

#define MAX_FILES 4096

static const char *decode_conf(struct nd_model *m, const cJSON *files, struct nd_cni *cni)
{
	const cJSON *file;

	if (!cJSON_IsArray(files))
		return files ? "conf is not an array" : NULL;
	cJSON_ArrayForEach(file, files) {
		struct nd_cni_file out = {.name = nd_model_str(m, file, "name"),
					  .content = nd_model_str(m, file, "content")};

		if (!out.name)
			return "a CNI file has no name";
		if (cni->nconf == MAX_FILES)
			return "there are too many CNI files";
		ND_ARENA_PUSH(&m->cluster.arena, cni->conf, cni->nconf) = out;
	}
	return NULL;
}

static const char *decode_bin(struct nd_model *m, const cJSON *files, struct nd_cni *cni)
{
	const cJSON *file;

	if (!cJSON_IsArray(files))
		return files ? "bin is not an array" : NULL;
	cJSON_ArrayForEach(file, files) {
		const char *digits = nd_json_str(file, "mode");
		struct nd_cni_bin out = {.name = nd_model_str(m, file, "name")};

		if (!out.name)
			return "a CNI binary has no name";
		if (cni->nbin == MAX_FILES)
			return "there are too many CNI binaries";
		/* Octal text, at most 07777; the file type's bits are not part of it. */
		if (digits && strlen(digits) <= 6 && digits[0] &&
		    strspn(digits, "01234567") == strlen(digits))
			out.mode = (uint32_t)strtoul(digits, NULL, 8) & 07777;
		out.size_bytes = (uint64_t)nd_json_int(file, "size", 0, INT64_MAX, 0);
		out.elf_machine = (uint16_t)nd_json_int(file, "elf_machine", 0, UINT16_MAX, 0);
		out.is_script = nd_json_bool(file, "is_script", false);
		ND_ARENA_PUSH(&m->cluster.arena, cni->bin, cni->nbin) = out;
	}
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	const struct nd_cni_file *fa = a, *fb = b;

	return strcmp(fa->name, fb->name);
}

const char *nd_section_cni(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	nd_auto_json cJSON *json = nd_json_parse(text);
	struct nd_cni *cni = &host->cni;

	*cni = (struct nd_cni){0};
	if (!cJSON_IsObject(json))
		return "it is not a JSON object";
	cni->conf_dir = nd_model_str(m, json, "conf_dir");
	cni->bin_dir = nd_model_str(m, json, "bin_dir");
	cni->conf_dir_exists = nd_json_bool(json, "conf_dir_exists", false);
	cni->bin_dir_exists = nd_json_bool(json, "bin_dir_exists", false);
	const char *conf = decode_conf(m, nd_json_get(json, "conf"), cni);
	const char *bin = decode_bin(m, nd_json_get(json, "bin"), cni);

	if (cni->nconf)
		qsort(cni->conf, cni->nconf, sizeof(*cni->conf), by_name);
	return conf ? conf : bin;
}
