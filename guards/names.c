#include "guards/names.h"

#include "base/wipe.h"

static struct name_says work_out(struct slice name)
{
	return (struct name_says){ .look = (uint8_t)look_word(name), .holds = (uint8_t)look_holds(name),
		.class = (uint8_t)mask_name_class(name), .sentence = (uint8_t)mask_name_sentence(name) };
}

static uint64_t load8(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

static uint64_t load4(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	return v;
}

/* All bytes of a name of 1 to NAMES_ROOM, some of them twice: names of one length are the same when this is. */
static struct names_text text_of(struct slice name)
{
	if (name.n > 16)
		return (struct names_text){ load8(name.p), load8(name.p + name.n - 8), load8(name.p + 8) };
	if (name.n >= 8)
		return (struct names_text){ load8(name.p), load8(name.p + name.n - 8), 0 };
	if (name.n >= 4)
		return (struct names_text){ load4(name.p), load4(name.p + name.n - 4), 0 };
	return (struct names_text){ (unsigned char)name.p[0],
		(unsigned char)name.p[name.n / 2] | (uint64_t)(unsigned char)name.p[name.n - 1] << 8, 0 };
}

/* Good enough to spread names, and no more is asked of it. */
static unsigned row_of(const struct names_text *t, size_t n)
{
	return (unsigned)(((t->first * 0x9E3779B97F4A7C15u ^ t->last) * 0xC2B2AE3D27D4EB4Fu + n * 0x9E37u) >> 56) % NAMES_ROWS;
}

struct name_says names_say(struct names *names, struct slice name)
{
	if (!names || name.n == 0 || name.n > NAMES_ROOM)
		return work_out(name);
	struct names_text text = text_of(name);
	struct names_row *row = &names->row[row_of(&text, name.n)];
	if (row->n == name.n && row->text.first == text.first && row->text.last == text.last && row->text.middle == text.middle)
		return row->says;
	row->says = work_out(name);
	row->text = text;
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
