#include "common/base.h"

#include "agent/probe/http.h"

#include <sys/epoll.h>

int nd_http_open(struct nd_probe *p)
{
	p->fd = nd_probe_socket(p, SOCK_STREAM, 0, 0);
	return p->fd < 0 ? -1 : nd_probe_want_errors(p);
}

void nd_http_start(struct nd_probes *all, struct nd_probe *p)
{
	p->in.max_bytes = ND_HTTP_MAX_HEAD;
	(void)nd_probe_connect(all, p, EPOLLOUT);
}

void nd_http_ask(struct nd_probes *all, struct nd_probe *p)
{
	const struct nd_probe_ask *ask = p->ask;
	char text[ND_REQUEST_MAX_PATH + 256], ip[ND_IP_TEXT], port[8] = "";
	bool is_v6 = ask->ip.family == 6;
	int n;

	nd_ip_text(ask->ip, ip);
	if (ask->port != 80)
		snprintf(port, sizeof(port), ":%u", (unsigned)ask->port);
	n = snprintf(text, sizeof(text),
		     "GET %s HTTP/1.1\r\nHost: %s%s%s%s\r\nUser-Agent: netdoctor\r\n"
		     "Accept: */*\r\nConnection: close\r\n\r\n",
		     ask->name, is_v6 ? "[" : "", ip, is_v6 ? "]" : "", port);
	if (nd_probe_send(all, p, text, (size_t)n))
		(void)nd_probe_listen(all, p);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

int nd_http_status(const struct nd_buf *in)
{
	static const char version[] = "HTTP/1.";
	const size_t nversion = sizeof(version) - 1;
	const char *p = in->data, *code;

	if (in->len && memcmp(p, version, in->len < nversion ? in->len : nversion) != 0)
		return -1;
	if (in->len == 0 || !memchr(p, '\n', in->len))
		return in->len < ND_HTTP_MAX_HEAD / 2 ? 0 : -1;
	if (in->len < nversion + 6 || !is_digit(p[nversion]) || p[nversion + 1] != ' ')
		return -1;
	code = p + nversion + 2;
	if (code[0] < '1' || code[0] > '9' || !is_digit(code[1]) || !is_digit(code[2]) ||
	    is_digit(code[3]))
		return -1;
	return (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
}

static void hear(struct nd_probes *all, struct nd_probe *p)
{
	ssize_t n = nd_probe_recv(all, p);
	int status = -1;

	if (n < 0)
		return;
	if (n > 0 && nd_buf_add(&p->in, all->scratch, n < 1024 ? (size_t)n : 1024) == 0)
		status = nd_http_status(&p->in);
	if (status < 0) {
		nd_probe_end(all, p, ND_OUTCOME_bad);
	} else if (status > 0) {
		p->status = (uint16_t)status;
		nd_probe_end(all, p, ND_OUTCOME_ok);
	}
}

static void ready(struct nd_probes *all, struct nd_probe *p, uint32_t events)
{
	if (nd_probe_asked(all, p, events, nd_http_ask))
		hear(all, p);
}

const struct nd_probe_ops nd_probe_ops_http = {
	.open = nd_http_open,
	.start = nd_http_start,
	.ready = ready,
	.has_own_peer = true,
};
