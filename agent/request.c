#include "common/base.h"

#include "agent/request.h"
#include "common/buf.h"
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

/* One line: words[nwords], the fourth and further ones make it bad. */
struct line {
	int number;
	struct nd_str words[4];
	size_t nwords;
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

	if (line->nwords != 2 ||
	    !nd_parse_u64(line->words[1], ND_REQUEST_MAX_DEADLINE_MS, &n) || n == 0)
		return bad_line(line, "wants milliseconds, 1 to 600000", err);
	request->deadline_ms = (int)n;
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
	return bad_line(line, "unknown word", err);
}

int nd_request_parse(const char *p, size_t n, struct nd_request *request, struct nd_err *err)
{
	struct nd_str rest = {p, n}, text;
	bool is_any = false;

	*request = (struct nd_request){.deadline_ms = ND_REQUEST_DEADLINE_MS};
	for (int i = 0; i < ND_NSECTIONS; i++)
		request->max_bytes[i] = ND_WIRE_MAX_SECTION;
	for (int number = 1; nd_str_line(&rest, &text); number++) {
		struct line line = {.number = number};
		if (number > ND_REQUEST_MAX_LINES)
			return nd_err_set(err, ND_E_LIMIT, "the request has more than %d lines",
					  ND_REQUEST_MAX_LINES);
		while (line.nwords < ND_ARRAY_LEN(line.words) &&
		       nd_str_word(&text, &line.words[line.nwords]))
			line.nwords++;
		if (number > 1 && line.nwords == 1 && nd_str_eq(line.words[0], "go")) {
			for (int i = 0; i < ND_NSECTIONS; i++)
				is_any |= request->is_wanted[i];
			return is_any ? 0 : bad_line(&line, "nothing was asked for", err);
		}
		if (parse_line(&line, request, err) < 0)
			return -1;
	}
	return nd_err_set(err, ND_E_INPUT, "the request ends before its line 'go'");
}

/* The line "go" is complete in what has come so far. */
static bool has_go(const struct nd_buf *buf)
{
	return buf->len >= 4 && memmem(buf->data, buf->len, "\ngo\n", 4) != NULL;
}

int nd_request_read(int fd, struct nd_request *request, struct nd_err *err)
{
	char chunk[4096];
	nd_auto_buf struct nd_buf buf = {.max_bytes = ND_REQUEST_MAX_BYTES};

	while (!has_go(&buf)) {
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return nd_err_sys(err, ND_E_IO, errno, "read the request");
		if (n == 0)
			break;
		if (nd_buf_add(&buf, chunk, (size_t)n) < 0)
			return nd_err_set(err, ND_E_LIMIT, "the request is larger than %u bytes",
					  ND_REQUEST_MAX_BYTES);
	}
	return nd_request_parse(buf.data ? buf.data : "", buf.len, request, err);
}
