#include "common/base.h"
#include "common/text.h"
#include "plugin/report/matrix_text.h"

#define NAME_BYTES 32 /* of a shortened node name, with NUL */
#define CELL_BYTES 48
#define MAX_WIDTH 80 /* of a line; columns get numbers, or are left out, when they need more */
#define FIRST "from \\ to"

/* The nodes that are shown along one side. */
struct side {
	size_t nodes[ND_MATRIX_MAX_SHOWN]; /* indices */
	size_t n, nleft_out;
};

struct grid {
	const struct nd_matrix *matrix;
	struct side rows, columns;
	size_t cut; /* bytes that all names start with, and that are not shown */
	bool is_numbered;
	struct nd_buf *out;
};

/* Characters, as nd_text_safe leaves only what takes one place (or is somebody's joke). */
static size_t width_of(const char *text)
{
	size_t n = 0;
	for (const char *p = text; *p; p++)
		n += (*p & 0xc0) != 0x80;
	return n;
}

/* text, and blanks up to width; nothing behind the last column. */
static void put(struct nd_buf *out, const char *text, size_t width, bool is_last)
{
	size_t n = width_of(text);
	nd_buf_printf(out, "%s%*s", text, is_last || n >= width ? 0 : (int)(width - n), "");
}

static const char *name_of(const struct grid *g, size_t node, char dst[NAME_BYTES])
{
	return nd_text_safe(dst, NAME_BYTES, g->matrix->nodes[node] + g->cut);
}

static const char *cell_text(const struct grid *g, size_t from, size_t to, char dst[CELL_BYTES])
{
	const struct nd_matrix_cell *cell = nd_matrix_cell(g->matrix, from, to);
	if (!cell)
		return "-";
	if (!cell->tally.nfailed)
		return "✓";
	if (!cell->tally.nok)
		return nd_probe_outcome_name(cell->outcome);
	snprintf(dst, CELL_BYTES, "%s %zu/%zu", nd_probe_outcome_name(cell->outcome),
		 cell->tally.nfailed, cell->tally.nok + cell->tally.nfailed);
	return dst;
}

/* ---- which rows and columns ---- */

/* Forget the node with fewest failures, if it has fewer than nfailed. */
static bool make_room(const struct nd_tally *sums, size_t nfailed, struct side *side)
{
	size_t at = 0;
	for (size_t i = 1; i < side->n; i++)
		if (sums[side->nodes[i]].nfailed <= sums[side->nodes[at]].nfailed)
			at = i;
	if (sums[side->nodes[at]].nfailed >= nfailed)
		return false;
	side->n--;
	memmove(&side->nodes[at], &side->nodes[at + 1], (side->n - at) * sizeof(*side->nodes));
	return true;
}

/* All nodes when they are few, else those with most failures; by name. */
static void choose(const struct nd_matrix *m, const struct nd_tally *sums, struct side *out)
{
	size_t nwanted = 0;
	for (size_t i = 0; i < m->nnodes; i++) {
		if (m->nnodes > ND_MATRIX_MAX_SHOWN && !sums[i].nfailed)
			continue;
		nwanted++;
		if (out->n < ND_MATRIX_MAX_SHOWN || make_room(sums, sums[i].nfailed, out))
			out->nodes[out->n++] = i;
	}
	out->nleft_out = nwanted - out->n;
}

/* ---- widths ---- */

static size_t column_width(const struct grid *g, size_t column)
{
	char name[NAME_BYTES], cell[CELL_BYTES];
	size_t to = g->columns.nodes[column];
	size_t width = g->is_numbered ? 2 : width_of(name_of(g, to, name));
	for (size_t i = 0; i < g->rows.n; i++) {
		size_t n = width_of(cell_text(g, g->rows.nodes[i], to, cell));
		width = n > width ? n : width;
	}
	return width + 2;
}

static size_t first_width(const struct grid *g)
{
	char name[NAME_BYTES];
	size_t width = width_of(FIRST);
	for (size_t i = 0; i < g->rows.n; i++) {
		size_t n = width_of(name_of(g, g->rows.nodes[i], name));
		width = n > width ? n : width;
	}
	return width + 2;
}

static bool is_too_wide(const struct grid *g)
{
	size_t width = 4 + first_width(g);
	for (size_t i = 0; i < g->columns.n; i++)
		width += column_width(g, i);
	return width > MAX_WIDTH;
}

/* ---- lines ---- */

static void print_header(const struct grid *g)
{
	char name[NAME_BYTES];
	nd_buf_puts(g->out, "    ");
	put(g->out, FIRST, first_width(g), false);
	for (size_t i = 0; i < g->columns.n; i++) {
		if (g->is_numbered)
			snprintf(name, sizeof(name), "%zu", i + 1);
		else
			name_of(g, g->columns.nodes[i], name);
		put(g->out, name, column_width(g, i), i + 1 == g->columns.n);
	}
	nd_buf_puts(g->out, "\n");
}

static void print_row(const struct grid *g, size_t from)
{
	char text[CELL_BYTES];
	nd_buf_puts(g->out, "    ");
	put(g->out, name_of(g, from, text), first_width(g), false);
	for (size_t i = 0; i < g->columns.n; i++)
		put(g->out, cell_text(g, from, g->columns.nodes[i], text), column_width(g, i),
		    i + 1 == g->columns.n);
	nd_buf_puts(g->out, "\n");
}

static void print_numbers(const struct grid *g)
{
	char name[NAME_BYTES];
	size_t used = 0;
	for (size_t i = 0; i < g->columns.n; i++) {
		size_t n = width_of(name_of(g, g->columns.nodes[i], name)) + 6;
		bool is_new = i == 0 || used + n > MAX_WIDTH;
		used = is_new ? 6 + n : used + n;
		nd_buf_printf(g->out, "%s%zu %s",
			      !is_new ? ", "
			      : i     ? "\n       "
				      : "    to ",
			      i + 1, name);
	}
	nd_buf_puts(g->out, "\n");
}

static void print_left_out(const struct grid *g)
{
	if (g->rows.nleft_out || g->columns.nleft_out)
		nd_buf_printf(g->out, "    %zu more rows and %zu more columns%s are not shown\n",
			      g->rows.nleft_out, g->columns.nleft_out,
			      g->matrix->nnodes > ND_MATRIX_MAX_SHOWN ? " with failures" : "");
	else if (g->matrix->nnodes > ND_MATRIX_MAX_SHOWN)
		nd_buf_puts(g->out, "    only nodes with failures are shown\n");
}

void nd_matrix_print(const struct nd_matrix *matrix, bool is_wide, struct nd_buf *out)
{
	struct grid g = {.matrix = matrix, .out = out};
	if (!matrix->pods.nfailed)
		return;
	choose(matrix, matrix->rows, &g.rows);
	choose(matrix, matrix->columns, &g.columns);
	g.cut = nd_matrix_common_start(matrix);
	g.is_numbered = is_too_wide(&g);
	while (!is_wide && g.columns.n > 1 && is_too_wide(&g) &&
	       make_room(matrix->columns, SIZE_MAX, &g.columns))
		g.columns.nleft_out++;
	print_header(&g);
	for (size_t i = 0; i < g.rows.n; i++)
		print_row(&g, g.rows.nodes[i]);
	if (g.is_numbered)
		print_numbers(&g);
	print_left_out(&g);
}
