#include "common/base.h"

#include "common/addr.h"
#include "common/text.h"
#include "plugin/kube/http.h"

#include <strings.h>

/* golang.org/x/net/http/httpproxy; curl differs (loopback, ALL_PROXY), so it is told the result. */

bool nd_http_is_loopback(const char *host)
{
	struct nd_ip ip;
	struct nd_prefix v4, v6;

	if (strcasecmp(host, "localhost") == 0)
		return true;
	return nd_ip_parse(host, &ip) && nd_prefix_parse("127.0.0.0/8", &v4) &&
	       nd_prefix_parse("::1/128", &v6) && (nd_prefix_has(v4, ip) || nd_prefix_has(v6, ip));
}

static const char *env_any(const char *upper, const char *lower)
{
	const char *value = getenv(upper);

	if (!value || !value[0])
		value = getenv(lower);
	return value && value[0] ? value : NULL;
}

/* "example.com" is the host and all below it, ".example.com" only what is below. */
static bool host_matches(const char *host, const char *rule)
{
	size_t nhost = strlen(host), nrule;

	if (nd_starts(rule, "*."))
		rule++;
	nrule = strlen(rule);
	if (rule[0] != '.' && strcasecmp(host, rule) == 0)
		return true;
	if (nhost <= nrule || strcasecmp(host + nhost - nrule, rule) != 0)
		return false;
	return rule[0] == '.' || host[nhost - nrule - 1] == '.';
}

static bool rule_matches(const char *rule, const char *host, const char *port)
{
	char text[256];
	struct nd_prefix prefix;
	struct nd_ip ip;
	const char *colon;

	if (strcmp(rule, "*") == 0)
		return true;
	if (nd_prefix_parse(rule, &prefix))
		return nd_ip_parse(host, &ip) && nd_prefix_has(prefix, ip);
	colon = strrchr(rule, ':');
	snprintf(text, sizeof(text), "%.*s", colon ? (int)(colon - rule) : 255, rule);
	if (colon && strcmp(colon + 1, port) != 0)
		return false;
	return host_matches(host, text);
}

static bool is_excluded(const char *host, const char *port)
{
	const char *rules = env_any("NO_PROXY", "no_proxy");
	struct nd_str rest = nd_str(rules ? rules : "");

	while (rest.n > 0) {
		const char *comma = memchr(rest.p, ',', rest.n);
		size_t n = comma ? (size_t)(comma - rest.p) : rest.n;
		struct nd_str rule = nd_str_trim((struct nd_str){rest.p, n});
		char text[256];

		n += comma != NULL;
		rest = (struct nd_str){rest.p + n, rest.n - n};
		if (rule.n == 0 || rule.n >= sizeof(text))
			continue;
		memcpy(text, rule.p, rule.n);
		text[rule.n] = '\0';
		if (rule_matches(text, host, port))
			return true;
	}
	return false;
}

const char *nd_http_proxy(struct nd_arena *arena, const char *proxy_url, bool is_https,
			  const char *host, const char *port)
{
	const char *url = proxy_url;

	if (!url && !nd_http_is_loopback(host) && !is_excluded(host, port))
		url = is_https ? env_any("HTTPS_PROXY", "https_proxy")
			       : env_any("HTTP_PROXY", "http_proxy");
	if (!url)
		return "";
	/* Go lets a SOCKS proxy resolve the name */
	if (nd_starts(url, "socks5://"))
		return nd_arena_printf(arena, "socks5h%s", url + strlen("socks5"));
	return url;
}
