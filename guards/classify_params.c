#include "guards/facts.h"

static bool is_member(const struct method_row *row, bool stateless, const struct json *json, uint32_t name)
{
	return (row->members && json_string_among(json, name, row->members)) ||
		(stateless && row->rounds && json_string_among(json, name, row->rounds)) ||
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
