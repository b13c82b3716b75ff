/* Tables in Markdown: cells of columns that are named like a value. */
#include "guards/mask_names.h"
#include "guards/mask_text.h"
#include "guards/response.h"

#define MAX_COLUMNS 64

static struct slice cut_line(struct slice *rest)
{
	struct slice line = slice_cut(rest, '\n');

	return line.n && line.p[line.n - 1] == '\r' ? slice_head(line, line.n - 1) : line;
}

/* |---|:--:| */
static bool is_rule(struct slice line)
{
	bool dash = false, bar = false;

	for (size_t i = 0; i < line.n; i++) {
		dash |= line.p[i] == '-';
		bar |= line.p[i] == '|';
		if (!memchr("|-: \t", line.p[i], 5))
			return false;
	}
	return dash && bar;
}

/* A row's cells without its outer bars. */
static struct slice row_of(struct slice line)
{
	struct slice row = slice_trim(line);

	if (row.n && row.p[0] == '|')
		row = slice_from(row, 1);
	return row.n && row.p[row.n - 1] == '|' ? slice_head(row, row.n - 1) : row;
}

static struct slice cell_text(struct slice cell)
{
	cell = slice_trim(cell);
	while (cell.n && memchr("*`_", cell.p[0], 3))
		cell = slice_from(cell, 1);
	while (cell.n && memchr("*`_", cell.p[cell.n - 1], 3))
		cell.n--;
	return cell;
}

/* The columns whose values go, a bit each; what stands behind the last one counts as it. */
static uint64_t find_columns(struct slice header)
{
	struct slice row = row_of(header);
	uint64_t hidden = 0;

	for (unsigned i = 0; row.p; i++) {
		enum name_class c = mask_name_class(cell_text(slice_cut(&row, '|')));
		if (c == NAME_VALUE || c == NAME_VALUEISH)
			hidden |= UINT64_C(1) << (i < MAX_COLUMNS ? i : MAX_COLUMNS - 1);
	}
	return hidden;
}

static enum err hide_row(struct doc *d, struct slice line, uint64_t hidden)
{
	struct slice row = row_of(line);
	enum err e = E_OK;

	for (unsigned i = 0; row.p && e == E_OK; i++) {
		struct slice cell = slice_trim(slice_cut(&row, '|'));
		bool goes = (hidden >> (i < MAX_COLUMNS ? i : MAX_COLUMNS - 1)) & 1;
		if (goes && cell.n)
			e = doc_replace(d, (size_t)(cell.p - d->text.p), cell.n, SL(MASK_MARKER));
	}
	return e;
}

enum masked mask_tables(struct doc *d)
{
	struct slice rest = d->text, before = { NULL, 0 };
	uint64_t hidden = 0;

	if (slice_find(rest, SL("|")) < 0)
		return MASKED_OK;
	while (rest.p) {
		struct slice line = cut_line(&rest);
		if (is_rule(line))
			hidden = find_columns(before);
		else if (!memchr(line.p, '|', line.n))
			hidden = 0;
		else if (hidden && hide_row(d, line, hidden) != E_OK)
			return MASKED_NOMEM;
		before = line;
	}
	return MASKED_OK;
}
