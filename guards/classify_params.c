#include "guards/facts.h"

static bool is_among(const char *const *names, const struct json *json, uint32_t name)
{
	for (const char *const *m = names; m && *m; m++)
		if (json_string_eq(json, name, slice_of(*m)))
			return true;
	return false;
}

static bool is_member(const struct method_row *row, bool stateless, const struct json *json, uint32_t name)
{
	return is_among(row->members, json, name) || (stateless && is_among(row->rounds, json, name)) ||
		json_string_eq(json, name, SL("_meta"));
}

bool params_known(const struct method_row *row, bool stateless, const struct json *json, uint32_t params, struct slice *bad,
	struct arena *a)
{
	if (params == JSON_NONE)
		return true;
	for (uint32_t c = json_first(json, params); c < json->tok[params].next; c = json->tok[c + 1].next) {
		if (!is_member(row, stateless, json, c)) {
			*bad = json_string(json, c, a);
			return false;
		}
		if (json_string_eq(json, c, SL("_meta")) && !json_is(json, c + 1, JSON_OBJECT)) {
			*bad = SL("_meta");
			return false;
		}
	}
	return true;
}
