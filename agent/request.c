#include "common/base.h"

#include "agent/request.h"
#include "common/buf.h"
#include "common/dns_msg.h"
#include "common/text.h"
#include "common/wire.h"

#include <errno.h>

static const char *const section_names[ND_NSECTIONS] = {
#define ND_SECTION(id, name, what) name,
#include "common/sections.def"
#undef ND_SECTION
};

const char *nd_section_name(enum nd_section section)
{
	return section_names[section];
}

/* One line: words[nwords]; a probe has up to 8, the ninth makes it bad. */
struct line {
	int number;
	struct nd_str words[9];
	size_t nwords;
};

struct parse {
	struct nd_request *request;
	struct nd_arena *arena;
	uint8_t seen[65536 / 8]; /* bits: the ids of probes */
	int nlines;		 /* that are not probes */
};

static int bad_line(const struct line *line, const char *why, struct nd_err *err)
{
	char text[64], safe[96];
	struct nd_str word = line->nwords > 0 ? line->words[0] : ND_STR("");

	snprintf(text, sizeof(text), "%.*s", (int)(word.n < 60 ? word.n : 60), word.p);
	return nd_err_set(err, ND_E_INPUT, "request line %d, '%s': %s", line->number,
			  nd_text_safe(safe, sizeof(safe), text), why);
}

static int find_section(const struct line *line, int *section, struct nd_err *err)
{
	for (int i = 0; i < ND_NSECTIONS; i++)
		if (nd_str_eq(line->words[1], section_names[i])) {
			*section = i;
			return 0;
		}
	return bad_line(line, "this agent knows no such section", err);
}

static int parse_collect(const struct line *line, struct nd_request *request, struct nd_err *err)
{
	int section = 0;

	if (line->nwords != 2)
		return bad_line(line, "wants one section name or all", err);
	if (nd_str_eq(line->words[1], "all")) {
		for (int i = 0; i < ND_NSECTIONS; i++)
			request->is_wanted[i] = true;
		return 0;
	}
	if (find_section(line, &section, err) < 0)
		return -1;
	request->is_wanted[section] = true;
	return 0;
}

static int parse_max_bytes(const struct line *line, struct nd_request *request, struct nd_err *err)
{
	uint64_t n = 0;
	int section = 0;

	if (line->nwords != 3)
		return bad_line(line, "wants a section name and a number", err);
	if (find_section(line, &section, err) < 0)
		return -1;
	if (!nd_parse_u64(line->words[2], ND_WIRE_MAX_SECTION, &n) || n == 0)
		return bad_line(line, "the number must be 1 to 67108864", err);
	request->max_bytes[section] = (size_t)n;
	return 0;
}

static int parse_deadline(const struct line *line, struct nd_request *request, struct nd_err *err)
{
	uint64_t n = 0;

	if (line->nwords != 2 || !nd_parse_u64(line->words[1], ND_REQUEST_MAX_DEADLINE_MS, &n) ||
	    n == 0)
		return bad_line(line, "wants milliseconds, 1 to 600000", err);
	request->deadline_ms = (int)n;
	return 0;
}

static int parse_number(const struct line *line, uint64_t min, uint64_t max, int *out,
			struct nd_err *err)
{
	char why[64];
	uint64_t n = 0;

	if (line->nwords == 2 && nd_parse_u64(line->words[1], max, &n) && n >= min) {
		*out = (int)n;
		return 0;
	}
	snprintf(why, sizeof(why), "wants a number, %d to %d", (int)min, (int)max);
	return bad_line(line, why, err);
}

static bool parse_ip(struct nd_str word, struct nd_ip *ip)
{
	char text[ND_IP_TEXT];

	if (word.n >= sizeof(text))
		return false;
	memcpy(text, word.p, word.n);
	text[word.n] = '\0';
	/* A packet to many would bring answers of many. */
	return nd_ip_parse(text, ip) &&
	       (ip->family == 4 ? ip->bytes[0] < 224 : ip->bytes[0] != 0xff);
}

static bool is_path(struct nd_str word)
{
	if (word.n == 0 || word.n > ND_REQUEST_MAX_PATH || word.p[0] != '/')
		return false;
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] <= ' ' || word.p[i] >= 0x7f)
			return false;
	return true;
}

/* The words behind the port; NULL or what is wrong with them. */
static const char *parse_name(const struct line *line, struct nd_arena *arena,
			      struct nd_probe_ask *ask)
{
	bool is_dns = ask->kind == ND_PROBE_dns_udp || ask->kind == ND_PROBE_dns_tcp;
	bool is_http = ask->kind == ND_PROBE_http || ask->kind == ND_PROBE_bulk;

	if (line->nwords > (is_dns ? 8u : is_http ? 7u : 6u))
		return "too many words";
	if (!is_dns && !is_http)
		return NULL;
	if (line->nwords < 7)
		return is_dns ? "wants a name to ask for" : "wants a path";
	if (is_http && !is_path(line->words[6]))
		return "the path must begin with / and be of up to 1024 printable bytes";
	if (line->words[6].n > ND_REQUEST_MAX_PATH)
		return "the name is too long";
	ask->name = nd_arena_strdup(arena, line->words[6].p, line->words[6].n);
	if (is_dns && (strlen(ask->name) != line->words[6].n || !nd_dns_name_ok(ask->name)))
		return "not a DNS name: up to 253 letters, digits, '-', '_', labels of 1 to 63";
	if (line->nwords == 8 && !nd_str_eq(line->words[7], "A")) {
		if (!nd_str_eq(line->words[7], "AAAA"))
			return "the type must be A or AAAA";
		ask->is_aaaa = true;
	}
	return NULL;
}

static const char *parse_source(struct nd_str word, uint64_t *netns_inode)
{
	if (nd_str_eq(word, "node")) {
		*netns_inode = 0;
		return NULL;
	}
	if (nd_parse_u64(word, UINT64_MAX, netns_inode) && *netns_inode > 0)
		return NULL;
	return "the source must be node or the inode of a network namespace";
}

static int parse_probe(const struct line *line, struct parse *parse, struct nd_err *err)
{
	struct nd_request *request = parse->request;
	struct nd_probe_ask ask = {0};
	bool has_port;
	const char *why;
	uint64_t n = 0;

	if (line->nwords < 6)
		return bad_line(line, "wants a number, kind, source, address and port", err);
	if (request->nprobes == ND_PROBE_MAX)
		return bad_line(line, "more than 65535 probes", err);
	if (!nd_parse_u64(line->words[1], 65535, &n) || n == 0)
		return bad_line(line, "the number must be 1 to 65535", err);
	ask.id = (uint16_t)n;
	if (parse->seen[n / 8] & 1u << n % 8)
		return bad_line(line, "another probe has the same number", err);
	parse->seen[n / 8] |= (uint8_t)(1u << n % 8);
	if (!nd_probe_kind_find(line->words[2], &ask.kind))
		return bad_line(line, "this agent knows no such kind of probe", err);
	if ((why = parse_source(line->words[3], &ask.netns_inode)))
		return bad_line(line, why, err);
	if (!parse_ip(line->words[4], &ask.ip))
		return bad_line(line, "wants an IP address, no multicast", err);
	has_port = ask.kind != ND_PROBE_icmp && ask.kind != ND_PROBE_pmtu;
	if (!nd_parse_u64(line->words[5], 65535, &n) || has_port != (n > 0))
		return bad_line(
			line, has_port ? "the port must be 1 to 65535" : "the port must be 0", err);
	ask.port = (uint16_t)n;
	if ((why = parse_name(line, parse->arena, &ask)))
		return bad_line(line, why, err);
	ND_ARENA_PUSH(parse->arena, request->probes, request->nprobes) = ask;
	return 0;
}

static int parse_watch(const struct line *line, struct nd_request *request, struct nd_err *err)
{
	uint64_t inode = 0;
	const char *why;

	if (line->nwords != 2)
		return bad_line(line, "wants one source", err);
	if ((why = parse_source(line->words[1], &inode)))
		return bad_line(line, why, err);
	for (size_t i = 0; i < request->nwatches; i++)
		if (request->watches[i] == inode)
			return bad_line(line, "another line watches the same source", err);
	if (request->nwatches == ND_WATCH_MAX)
		return bad_line(line, "more than 64 sources", err);
	request->watches[request->nwatches++] = inode;
	return 0;
}

static int parse_line(const struct line *line, struct nd_request *request, struct nd_err *err)
{
	if (line->number == 1) {
		if (line->nwords == 2 && nd_str_eq(line->words[0], "netdoctor") &&
		    nd_str_eq(line->words[1], "1"))
			return 0;
		return bad_line(line, "the first line must be 'netdoctor 1'", err);
	}
	if (line->nwords == 0)
		return bad_line(line, "empty line", err);
	if (nd_str_eq(line->words[0], "collect"))
		return parse_collect(line, request, err);
	if (nd_str_eq(line->words[0], "max-bytes"))
		return parse_max_bytes(line, request, err);
	if (nd_str_eq(line->words[0], "deadline-ms"))
		return parse_deadline(line, request, err);
	if (nd_str_eq(line->words[0], "probe-timeout-ms"))
		return parse_number(line, ND_PROBE_MIN_TIMEOUT_MS, ND_PROBE_MAX_TIMEOUT_MS,
				    &request->probe_timeout_ms, err);
	if (nd_str_eq(line->words[0], "probe-rate"))
		return parse_number(line, 1, ND_PROBE_MAX_RATE, &request->probe_rate, err);
	if (nd_str_eq(line->words[0], "probe-delay-ms"))
		return parse_number(line, 0, ND_PROBE_MAX_DELAY_MS, &request->probe_delay_ms, err);
	if (nd_str_eq(line->words[0], "watch"))
		return parse_watch(line, request, err);
	if (nd_str_eq(line->words[0], "watch-ms"))
		return parse_number(line, ND_WATCH_MIN_MS, ND_WATCH_MAX_MS, &request->watch_ms,
				    err);
	return bad_line(line, "unknown word", err);
}

/* At the line "go": was something asked for, and not both? */
static int parse_go(const struct line *line, const struct nd_request *request, struct nd_err *err)
{
	bool is_any = false;

	for (int i = 0; i < ND_NSECTIONS; i++)
		is_any |= request->is_wanted[i];
	if (is_any && (request->nprobes || request->nwatches))
		return bad_line(line, "a request collects or probes, not both", err);
	if (!is_any && !request->nprobes && !request->nwatches)
		return bad_line(line, "nothing was asked for", err);
	return 0;
}

int nd_request_parse(const char *p, size_t n, struct nd_arena *arena, struct nd_request *request,
		     struct nd_err *err)
{
	struct parse parse = {.request = request, .arena = arena};
	struct nd_str rest = {p, n}, text;

	*request = (struct nd_request){.deadline_ms = ND_REQUEST_DEADLINE_MS,
				       .probe_timeout_ms = ND_PROBE_TIMEOUT_MS,
				       .probe_rate = ND_PROBE_RATE,
				       .watch_ms = ND_WATCH_MS};
	for (int i = 0; i < ND_NSECTIONS; i++)
		request->max_bytes[i] = ND_WIRE_MAX_SECTION;
	for (int number = 1; nd_str_line(&rest, &text); number++) {
		struct line line = {.number = number};
		bool is_probe;
		while (line.nwords < ND_ARRAY_LEN(line.words) &&
		       nd_str_word(&text, &line.words[line.nwords]))
			line.nwords++;
		is_probe = number > 1 && line.nwords > 0 && nd_str_eq(line.words[0], "probe");
		if (!is_probe && ++parse.nlines > ND_REQUEST_MAX_LINES)
			return nd_err_set(err, ND_E_LIMIT, "the request has more than %d lines",
					  ND_REQUEST_MAX_LINES);
		if (number > 1 && line.nwords == 1 && nd_str_eq(line.words[0], "go"))
			return parse_go(&line, request, err);
		if ((is_probe ? parse_probe(&line, &parse, err) : parse_line(&line, request, err)) <
		    0)
			return -1;
	}
	return nd_err_set(err, ND_E_INPUT, "the request ends before its line 'go'");
}

/* The line "go" is complete in what has come; what was looked at before is not again. */
static bool has_go(const struct nd_buf *buf, size_t seen)
{
	size_t from = seen > 3 ? seen - 3 : 0;

	return buf->len - from >= 4 && memmem(buf->data + from, buf->len - from, "\ngo\n", 4);
}

int nd_request_read(int fd, struct nd_arena *arena, struct nd_request *request, struct nd_err *err)
{
	char chunk[65536];
	size_t seen = 0;
	nd_auto_buf struct nd_buf buf = {.max_bytes = ND_REQUEST_MAX_BYTES};

	while (!has_go(&buf, seen)) {
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return nd_err_sys(err, ND_E_IO, errno, "read the request");
		if (n == 0)
			break;
		seen = buf.len;
		if (nd_buf_add(&buf, chunk, (size_t)n) < 0)
			return nd_err_set(err, ND_E_LIMIT, "the request is larger than %u bytes",
					  ND_REQUEST_MAX_BYTES);
	}
	return nd_request_parse(buf.data ? buf.data : "", buf.len, arena, request, err);
}
