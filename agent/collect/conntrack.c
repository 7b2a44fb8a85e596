#include "common/base.h"

#include "agent/collect/collect.h"
#include "agent/sys/procfs.h"
#include "common/jsonw.h"
#include "common/text.h"

static const char *const wanted[] = {"drop", "early_drop", "insert_failed", "invalid",
				     "search_restart"};
enum { MAX_COLUMNS = 64, STAT_MAX_BYTES = 1 << 20 };

/*
 * /proc/net/stat/nf_conntrack: a line of names, then a line of hexadecimal numbers per CPU.
 * Names differ between kernels (search_restart and clashres moved), so go by them.
 */
static void write_sums(struct nd_jsonw *w, struct nd_str text)
{
	struct nd_str line, word;
	int column_of[MAX_COLUMNS], ncolumns = 0;
	uint64_t sums[ND_ARRAY_LEN(wanted)] = {0}, n;
	bool is_there[ND_ARRAY_LEN(wanted)] = {false};

	if (!nd_str_line(&text, &line))
		return;
	while (ncolumns < MAX_COLUMNS && nd_str_word(&line, &word)) {
		column_of[ncolumns] = -1;
		for (size_t i = 0; i < ND_ARRAY_LEN(wanted); i++)
			if (nd_str_eq(word, wanted[i])) {
				column_of[ncolumns] = (int)i;
				is_there[i] = true;
			}
		ncolumns++;
	}
	while (nd_str_line(&text, &line))
		for (int c = 0; c < ncolumns && nd_str_word(&line, &word); c++)
			if (column_of[c] >= 0 && nd_parse_hex(word, UINT32_MAX, &n))
				sums[column_of[c]] += n;
	for (size_t i = 0; i < ND_ARRAY_LEN(wanted); i++)
		if (is_there[i])
			nd_jsonw_uint(w, wanted[i], sums[i]);
}

static bool write_number(struct nd_jsonw *w, const char *key, const char *path)
{
	char text[64];
	uint64_t n = 0;

	if (nd_procfs_line(path, text, sizeof(text)) < 0 ||
	    !nd_parse_u64(nd_str(text), UINT64_MAX, &n))
		return false;
	nd_jsonw_uint(w, key, n);
	return true;
}

static int run(ND_UNUSED struct nd_agent *agent, struct nd_buf *out, struct nd_err *err)
{
	struct nd_jsonw w = {.out = out};
	struct nd_err why = {0};
	nd_auto_buf struct nd_buf stat = {.max_bytes = STAT_MAX_BYTES};

	nd_jsonw_begin(&w, NULL, '{');
	bool is_loaded = write_number(&w, "count", "/proc/sys/net/netfilter/nf_conntrack_count");
	if (!is_loaded)
		return nd_err_set(err, ND_E_NOT_FOUND,
				  "this kernel has no connection tracking loaded "
				  "(no /proc/sys/net/netfilter/nf_conntrack_count)");
	write_number(&w, "max", "/proc/sys/net/netfilter/nf_conntrack_max");
	if (nd_procfs_load("/proc/net/stat/nf_conntrack", &stat, &why) == 0 && stat.len > 0)
		write_sums(&w, (struct nd_str){stat.data, stat.len});
	nd_jsonw_end(&w, '}');
	nd_buf_puts(out, "\n");
	return 0;
}

const struct nd_collector nd_collector_conntrack = {.name = "conntrack", .run = run};
