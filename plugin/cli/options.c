#include "common/base.h"
#include "plugin/cli/options.h"

enum kind { SWITCH, TEXT, LIST };

struct option {
	const char *name;
	char letter; /* 0: none */
	enum kind kind;
	size_t offset;	   /* of the field in struct nd_args */
	const char *value; /* what help calls the value */
	const char *help;
};

#define FIELD(f) offsetof(struct nd_args, f)
#define KUBE(f) offsetof(struct nd_args, kube.f)

static const struct option options[] = {
	{"from", 0, TEXT, FIELD(from), "FILE", "look at this bundle instead of a cluster"},
	{"save", 0, TEXT, FIELD(save), "FILE", "write all evidence to a bundle (tar.gz)"},
	{"output", 'o', TEXT, FIELD(output), "FORMAT", "text, wide, json"},
	{"node", 0, TEXT, FIELD(node), "NAME", "look only at this node"},
	{"no-agent", 0, SWITCH, FIELD(no_agent), NULL,
	 "do not enter the nodes, only ask the API server"},
	{"no-probe", 0, SWITCH, FIELD(no_probe), NULL, "send no packets: as --probe none"},
	{"probe", 0, TEXT, FIELD(probe), "EXTENT", "default, all (every pair of pods), none"},
	{"pairs", 0, TEXT, FIELD(pairs), "N", "probe at most so many nodes from each node"},
	{"probe-timeout", 0, TEXT, FIELD(probe_timeout), "TIME",
	 "how long an answer may take: 100ms to 10s, default 1s"},
	{"probe-rate", 0, TEXT, FIELD(probe_rate), "N",
	 "packets a second that a node may start, default 2000"},
	{"wait", 0, TEXT, FIELD(wait), "TIME",
	 "verify: try again until all passes, at most so long"},
	{"max-time", 0, TEXT, FIELD(max_time), "TIME",
	 "verify: what takes longer fails, default 2s"},
	{"http", 0, LIST, FIELD(http), "TARGET",
	 "verify: GET svc/NS/NAME:PORT/PATH or http://IP:PORT/PATH; may come often. "
	 "trace --live: GET this path"},
	{"external", 0, SWITCH, FIELD(external), NULL,
	 "verify: names and addresses outside the cluster may be asked"},
	{"save-baseline", 0, TEXT, FIELD(save_baseline), "FILE",
	 "verify: keep the times between nodes"},
	{"baseline", 0, TEXT, FIELD(baseline), "FILE", "verify: say what became slower since"},
	{"transport", 0, TEXT, FIELD(transport), "NAME",
	 "docker, podman, nerdctl, local; default: the one that has the nodes"},
	{"node-timeout", 0, TEXT, FIELD(node_timeout), "TIME",
	 "how long a node may take, default 20s"},
	{"fail-on", 0, TEXT, FIELD(fail_on), "LEVEL",
	 "exit 1 from this severity on: error (default), warning"},
	{"tcp", 0, SWITCH, FIELD(tcp), NULL, "trace: a TCP connection (default)"},
	{"udp", 0, SWITCH, FIELD(udp), NULL, "trace: a UDP datagram"},
	{"icmp", 0, SWITCH, FIELD(icmp), NULL, "trace: an echo request"},
	{"live", 0, SWITCH, FIELD(live), NULL, "trace: send it really, and compare"},
	{"quiet", 'q', SWITCH, FIELD(quiet), NULL, "no progress on standard error"},
	{"help", 'h', SWITCH, FIELD(help), NULL, "this text"},
	{"kubeconfig", 0, TEXT, KUBE(kubeconfig), "FILE",
	 "instead of $KUBECONFIG or ~/.kube/config"},
	{"context", 0, TEXT, KUBE(context), "NAME", "context of the kubeconfig"},
	{"cluster", 0, TEXT, KUBE(cluster), "NAME", "cluster of the kubeconfig"},
	{"user", 0, TEXT, KUBE(user), "NAME", "user of the kubeconfig"},
	{"namespace", 'n', TEXT, KUBE(namespace_), "NAME",
	 "report pods and services of this namespace only"},
	{"server", 's', TEXT, KUBE(server), "URL", "address of the API server"},
	{"token", 0, TEXT, KUBE(token), "TOKEN", "bearer token"},
	{"tls-server-name", 0, TEXT, KUBE(tls_server_name), "NAME",
	 "name the server's certificate must have"},
	{"certificate-authority", 0, TEXT, KUBE(certificate_authority), "FILE", "CA certificate"},
	{"client-certificate", 0, TEXT, KUBE(client_certificate), "FILE", "client certificate"},
	{"client-key", 0, TEXT, KUBE(client_key), "FILE", "client key"},
	{"insecure-skip-tls-verify", 0, SWITCH, KUBE(insecure_skip_tls_verify), NULL,
	 "do not check the server's certificate"},
	{"as", 0, TEXT, KUBE(as), "USER", "impersonate this user"},
	{"as-uid", 0, TEXT, KUBE(as_uid), "UID", "impersonate this UID"},
	{"as-group", 0, LIST, KUBE(as_groups), "GROUP", "impersonate this group; may come often"},
	{"as-user-extra", 0, LIST, KUBE(as_extra), "KEY=VALUE",
	 "impersonate with this extra; may come often"},
	{"username", 0, TEXT, KUBE(username), "NAME", "for basic authentication"},
	{"password", 0, TEXT, KUBE(password), "WORD", "for basic authentication"},
	{"request-timeout", 0, TEXT, KUBE(request_timeout), "TIME",
	 "of one request to the API server: 5, 30s, 1m; 0: none"},
	{"cache-dir", 0, TEXT, KUBE(cache_dir), "DIR",
	 "accepted as kubectl does; nothing is cached"},
	{"disable-compression", 0, SWITCH, KUBE(disable_compression), NULL,
	 "no gzip from the API server"},
};

static const struct option *find_long(struct nd_str name)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(options); i++)
		if (nd_str_eq(name, options[i].name))
			return &options[i];
	return NULL;
}

static const struct option *find_letter(char letter)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(options); i++)
		if (letter && options[i].letter == letter)
			return &options[i];
	return NULL;
}

static int put_switch(struct nd_args *out, const struct option *o, const char *value,
		      struct nd_err *err)
{
	bool *field = (bool *)((char *)out + o->offset);
	if (!value || nd_eq(value, "true") || nd_eq(value, "1"))
		*field = true;
	else if (nd_eq(value, "false") || nd_eq(value, "0"))
		*field = false;
	else
		return nd_err_set(err, ND_E_USAGE, "--%s takes true or false", o->name);
	return 0;
}

static void put_list(struct nd_arena *arena, struct nd_args *out, const struct option *o,
		     const char *value)
{
	if (o->offset == FIELD(http))
		ND_ARENA_PUSH(arena, out->http, out->nhttp) = value;
	else if (o->offset == KUBE(as_extra))
		ND_ARENA_PUSH(arena, out->kube.as_extra, out->kube.nas_extra) = value;
	else
		ND_ARENA_PUSH(arena, out->kube.as_groups, out->kube.nas_groups) = value;
}

static void put_value(struct nd_arena *arena, struct nd_args *out, const struct option *o,
		      const char *value)
{
	if (o->kind == LIST)
		put_list(arena, out, o, value);
	else
		*(const char **)((char *)out + o->offset) = value;
}

/* One flag at argv[i]; returns how many words it took, or -1. */
static int take_flag(struct nd_arena *arena, int argc, char **argv, int i, struct nd_args *out,
		     struct nd_err *err)
{
	const char *word = argv[i], *value = NULL;
	const struct option *o;
	if (word[1] == '-') {
		const char *equals = strchr(word, '=');
		struct nd_str name = {word + 2,
				      equals ? (size_t)(equals - word - 2) : strlen(word + 2)};
		o = find_long(name);
		value = equals ? equals + 1 : NULL;
	} else {
		o = find_letter(word[1]);
		if (word[1] && word[2])
			value = word[2] == '=' ? word + 3 : word + 2;
	}
	if (!o)
		return nd_err_set(err, ND_E_USAGE, "unknown flag %s (see --help)", word);
	if (o->kind == SWITCH)
		return put_switch(out, o, value, err) < 0 ? -1 : 1;
	if (!value && i + 1 >= argc)
		return nd_err_set(err, ND_E_USAGE, "--%s needs a value: %s", o->name, o->value);
	put_value(arena, out, o, value ? value : argv[i + 1]);
	return value ? 1 : 2;
}

int nd_args_parse(struct nd_arena *arena, int argc, char **argv, struct nd_args *out,
		  struct nd_err *err)
{
	bool only_words = false;
	for (int i = 1; i < argc;) {
		if (!only_words && nd_eq(argv[i], "--")) {
			only_words = true;
			i++;
		} else if (!only_words && argv[i][0] == '-' && argv[i][1]) {
			int took = take_flag(arena, argc, argv, i, out, err);
			if (took < 0)
				return -1;
			i += took;
		} else if (!out->command) {
			out->command = argv[i++];
		} else {
			ND_ARENA_PUSH(arena, out->words, out->nwords) = argv[i++];
		}
	}
	return 0;
}

void nd_args_help(struct nd_buf *out)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(options); i++) {
		char name[64];
		const struct option *o = &options[i];
		snprintf(name, sizeof(name), "%c%c%s --%s%s%s", o->letter ? '-' : ' ',
			 o->letter ? o->letter : ' ', o->letter ? "," : " ", o->name,
			 o->value ? " " : "", o->value ? o->value : "");
		nd_buf_printf(out, "  %-36s %s\n", name, o->help);
	}
}

bool nd_duration_parse(const char *text, int64_t *out_ms)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
	const char *p = text;
	int64_t total = 0;
	if (!*p)
		return false;
	while (*p) {
		size_t digits = strspn(p, "0123456789"), i;
		uint64_t n;
		if (!nd_parse_u64((struct nd_str){p, digits}, 1000000, &n))
			return false;
		p += digits;
		size_t letters = strspn(p, "hms");
		if (!letters && !*p) { /* a bare number: seconds, and nothing before it */
			*out_ms = total + (int64_t)n * 1000;
			return total == 0;
		}
		for (i = 0; i < ND_ARRAY_LEN(units); i++)
			if (letters == strlen(units[i].unit) &&
			    strncmp(p, units[i].unit, letters) == 0)
				break;
		if (i == ND_ARRAY_LEN(units))
			return false;
		total += (int64_t)n * units[i].ms;
		p += letters;
	}
	*out_ms = total;
	return true;
}
