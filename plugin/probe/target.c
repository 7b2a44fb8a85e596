#include "common/base.h"
#include "plugin/model/look.h"
#include "plugin/probe/target.h"

#define MAX_TARGET 512
#define MAX_LABEL 63 /* RFC 1123; names of namespaces and services */

static int refuse(struct nd_err *err, const char *text, const char *why)
{
	return nd_err_set(err, ND_E_USAGE,
			  "target %.200s: %s (wanted svc/NS/NAME:PORT/PATH or "
			  "http://ADDRESS:PORT/PATH)",
			  text, why);
}

static bool is_label(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '-'))
			return false;
	return n >= 1 && n <= MAX_LABEL;
}

static bool parse_port(const char *p, size_t n, uint16_t *out)
{
	uint64_t port = 0;
	if (!nd_parse_u64((struct nd_str){p, n}, 65535, &port) || port == 0)
		return false;
	*out = (uint16_t)port;
	return true;
}

/* "NS/NAME:PORT", n characters. */
static const char *parse_service(struct nd_arena *arena, const char *p, size_t n,
				 struct nd_target *out)
{
	const char *slash = memchr(p, '/', n), *colon = memchr(p, ':', n);
	if (!slash || !colon || colon < slash)
		return "no svc/NS/NAME:PORT";
	size_t rest = n - (size_t)(colon + 1 - p);
	if (!is_label(p, (size_t)(slash - p)) || !is_label(slash + 1, (size_t)(colon - slash - 1)))
		return "not the name of a service";
	out->ns = nd_arena_strdup(arena, p, (size_t)(slash - p));
	out->service = nd_arena_strdup(arena, slash + 1, (size_t)(colon - slash - 1));
	if (parse_port(colon + 1, rest, &out->port))
		return NULL;
	if (!is_label(colon + 1, rest) || strspn(colon + 1, "0123456789") >= rest)
		return "not a port";
	out->port_name = nd_arena_strdup(arena, colon + 1, rest);
	return NULL;
}

/* "10.0.0.1:80", "[fd00::1]:80" or without a port, n characters. */
static const char *parse_address(const char *p, size_t n, struct nd_target *out)
{
	char ip[ND_IP_TEXT];
	const char *end = p + n, *colon, *first = p;
	if (n && *p == '[') {
		const char *close = memchr(p, ']', n);
		first = p + 1;
		if (!close)
			return "a [ without a ]";
		end = close;
		colon = close + 1 < p + n ? close + 1 : NULL;
		if (colon && *colon != ':')
			return "not an address";
	} else {
		colon = memchr(p, ':', n);
		end = colon ? colon : end;
	}
	if ((size_t)(end - first) >= sizeof(ip))
		return "not an address";
	memcpy(ip, first, (size_t)(end - first));
	ip[end - first] = '\0';
	if (!nd_ip_parse(ip, &out->ip) || (out->ip.family == 6) != (first != p))
		return "not an address";
	out->port = 80;
	if (colon && !parse_port(colon + 1, (size_t)(p + n - colon - 1), &out->port))
		return "not a port";
	return NULL;
}

int nd_target_parse(struct nd_arena *arena, const char *text, struct nd_target *out,
		    struct nd_err *err)
{
	const char *p = text, *why, *path;
	bool is_service = nd_starts(p, "svc/");
	*out = (struct nd_target){.text = text};
	if (strlen(text) > MAX_TARGET)
		return refuse(err, text, "too long");
	if (nd_starts(p, "https://"))
		return refuse(err, text, "only plain http can be asked");
	if (is_service)
		p += 4;
	else if (nd_starts(p, "http://"))
		p += 7;
	path = strchr(p, '/');
	if (is_service && path) /* behind the namespace */
		path = strchr(path + 1, '/');
	size_t n = path ? (size_t)(path - p) : strlen(p);
	why = is_service ? parse_service(arena, p, n, out) : parse_address(p, n, out);
	if (why)
		return refuse(err, text, why);
	out->path = path ? path : "/";
	if (!nd_probe_name_is_ok(out->path))
		return refuse(err, text,
			      "a path has 1 to 255 visible ASCII characters; encode the others");
	return 0;
}

static int resolve_service(const struct nd_cluster *c, const struct nd_target *t,
			   struct nd_probe_get *out, struct nd_err *err)
{
	const struct nd_service *s = nd_look_service(c, t->ns, t->service);
	if (!s)
		return nd_err_set(err, ND_E_NOT_FOUND, "%s: there is no service %s/%s", t->text,
				  t->ns, t->service);
	out->ip = s->cluster_ip.family ? s->cluster_ip : s->cluster_ip6;
	if (!out->ip.family)
		return nd_err_set(err, ND_E_NOT_FOUND,
				  "%s: the service has no ClusterIP; name a pod's address instead",
				  t->text);
	for (size_t i = 0; i < s->nports; i++) {
		const struct nd_service_port *port = &s->ports[i];
		if (port->protocol && !nd_eq(port->protocol, "TCP"))
			continue;
		if (t->port_name ? nd_eq(port->name, t->port_name) : port->port == t->port) {
			out->port = port->port;
			return 0;
		}
	}
	return nd_err_set(err, ND_E_NOT_FOUND, "%s: the service has no such TCP port", t->text);
}

static bool is_inside(const struct nd_cluster *c, struct nd_ip ip)
{
	for (size_t i = 0; i < c->nnodes; i++)
		if (nd_ip_eq(c->nodes[i].internal_ip, ip) || nd_ip_eq(c->nodes[i].internal_ip6, ip))
			return true;
	return nd_look_is_pod_ip(c, ip) || nd_look_pod_by_ip(c, ip) ||
	       nd_look_is_service_ip(c, ip) || nd_look_service_outside(c, ip, 0);
}

int nd_target_resolve(const struct nd_cluster *cluster, const struct nd_target *target,
		      bool is_external, struct nd_probe_get *out, struct nd_err *err)
{
	*out = (struct nd_probe_get){.ip = target->ip, .port = target->port, .path = target->path};
	if (target->service)
		return resolve_service(cluster, target, out, err);
	if (!is_external && !is_inside(cluster, target->ip))
		return nd_err_set(err, ND_E_USAGE,
				  "target %s: no pod, service or node of this cluster has that "
				  "address (--external allows it)",
				  target->text);
	return 0;
}
