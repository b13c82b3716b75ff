#include "guards/names.h"

#include "base/wipe.h"

static struct name_says work_out(struct slice name)
{
	return (struct name_says){ .look = (uint8_t)look_word(name), .holds = (uint8_t)look_holds(name),
		.class = (uint8_t)mask_name_class(name), .sentence = (uint8_t)mask_name_sentence(name) };
}

static uint64_t load(const char *p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n);
	return v;
}

/* Of the length, the first and the last bytes: good enough to spread names, and no more is asked of it. */
static unsigned row_of(struct slice name)
{
	uint64_t first, last;

	if (name.n >= 8) {
		first = load(name.p, 8);
		last = load(name.p + name.n - 8, 8);
	} else if (name.n >= 4) {
		first = load(name.p, 4);
		last = load(name.p + name.n - 4, 4);
	} else {
		first = (unsigned char)name.p[0];
		last = (unsigned char)name.p[name.n / 2] | (uint64_t)(unsigned char)name.p[name.n - 1] << 8;
	}
	return (unsigned)(((first * 0x9E3779B97F4A7C15u ^ last) * 0xC2B2AE3D27D4EB4Fu + name.n * 0x9E37u) >> 56) % NAMES_ROWS;
}

struct name_says names_say(struct names *names, struct slice name)
{
	if (!names || name.n == 0 || name.n > NAMES_ROOM)
		return work_out(name);
	struct names_row *row = &names->row[row_of(name)];
	if (row->n == name.n && memcmp(row->text, name.p, name.n) == 0)
		return row->says;
	row->says = work_out(name);
	memcpy(row->text, name.p, name.n);
	row->n = (uint8_t)name.n;
	names->used = true;
	return row->says;
}

void names_forget(struct names *names)
{
	if (!names->used)
		return;
	wipe(names->row, sizeof names->row);
	names->used = false;
}
