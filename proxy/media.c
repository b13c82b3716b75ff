#include "proxy/media.h"

/* Whether a quality parameter's value is zero: "0", "0.", "0.000". */
static bool is_zero_quality(struct slice value)
{
	bool digit = false;

	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] != '0' && value.p[i] != '.')
			return false;
		digit |= value.p[i] == '0';
	}
	return digit;
}

static bool refuses(struct slice params)
{
	while (params.p) {
		struct slice value = slice_cut(&params, ';');
		struct slice name = slice_trim(slice_cut(&value, '='));

		if (slice_eq_nocase(name, SL("q")) && is_zero_quality(slice_trim(value)))
			return true;
	}
	return false;
}

static unsigned range_takes(struct slice type)
{
	if (slice_eq(type, SL("*/*")))
		return MEDIA_JSON | MEDIA_EVENT_STREAM;
	if (slice_eq_nocase(type, SL("application/json")) || slice_eq_nocase(type, SL("application/*")))
		return MEDIA_JSON;
	if (slice_eq_nocase(type, SL("text/event-stream")) || slice_eq_nocase(type, SL("text/*")))
		return MEDIA_EVENT_STREAM;
	return 0;
}

unsigned media_accepted(struct slice accept)
{
	unsigned taken = 0;

	if (slice_eq(accept, SL("application/json, text/event-stream"))) /* as the SDKs write it */
		return MEDIA_JSON | MEDIA_EVENT_STREAM;
	while (accept.p) {
		struct slice params = slice_cut(&accept, ',');
		struct slice type = slice_trim(slice_cut(&params, ';'));

		if (!refuses(params))
			taken |= range_takes(type);
	}
	return taken;
}

static struct slice unquote(struct slice s)
{
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		return slice_make(s.p + 1, s.n - 2);
	return s;
}

bool media_is_json(struct slice content_type)
{
	if (slice_eq(content_type, SL("application/json")))
		return true;
	struct slice type = slice_trim(slice_cut(&content_type, ';'));

	if (!slice_eq_nocase(type, SL("application/json")))
		return false;
	while (content_type.p) {
		struct slice value = slice_cut(&content_type, ';');
		struct slice name = slice_trim(slice_cut(&value, '='));

		if (slice_eq_nocase(name, SL("charset")) && !slice_eq_nocase(unquote(slice_trim(value)), SL("utf-8")))
			return false;
	}
	return true;
}
