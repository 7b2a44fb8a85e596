#include "common/base.h"

#include "common/buf.h"
#include "plugin/kube/listpage.h"
#include "plugin/kube/pagetoken.h"

#include <cjson/cJSON.h>
#include <curl/curl.h>

/* NULL for what is no text or an empty one. */
static char *escape(const cJSON *token)
{
	char *curl_text, *text;

	if (!cJSON_IsString(token) || !token->valuestring[0])
		return NULL;
	curl_text = curl_easy_escape(NULL, token->valuestring, 0);
	text = curl_text ? strdup(curl_text) : NULL;
	if (!text)
		ND_BUG("out of memory");
	curl_free(curl_text);
	return text;
}

int nd_pagetoken_of_page(struct nd_str raw, char **out)
{
	nd_auto_buf struct nd_buf quoted = {.max_bytes = ND_LISTPAGE_MAX_CONTINUE + 2};
	cJSON *token;

	*out = NULL;
	if (raw.n == 0)
		return 0;
	if (nd_buf_puts(&quoted, "\"") < 0 || nd_buf_add(&quoted, raw.p, raw.n) < 0 ||
	    nd_buf_puts(&quoted, "\"") < 0)
		return -1;
	token = cJSON_ParseWithLength(quoted.data, quoted.len);
	*out = escape(token);
	cJSON_Delete(token);
	return *out ? 0 : -1;
}

char *nd_pagetoken_of_status(const char *p, size_t len)
{
	cJSON *root = NULL;
	char *text;

	if (len > 0 && len <= ND_LISTPAGE_MAX_CONTINUE * 2)
		root = cJSON_ParseWithLength(p, len);
	text = escape(cJSON_GetObjectItemCaseSensitive(
		cJSON_GetObjectItemCaseSensitive(root, "metadata"), "continue"));
	cJSON_Delete(root);
	return text;
}
