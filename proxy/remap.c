#include "proxy/remap.h"

#include "mcp/stateless.h"

#define NOTHING ((struct slice){ NULL, 0 })

struct slice remap_key(const struct json *j, uint32_t tok, struct arena *arena)
{
	int64_t n;

	if (json_is(j, tok, JSON_NUMBER) && json_int(j, tok, &n))
		return json_raw(j, tok);
	if (!json_is(j, tok, JSON_STRING))
		return NOTHING;
	struct slice text = json_string(j, tok, arena);
	return text.p ? arena_join(arena, SL("\""), text, SL("\"")) : NOTHING;
}

/* Renders into the arena: the result is never longer than the text plus what the edits add. */
static struct slice render(const struct json *j, const struct json_edits *edits, size_t extra, struct arena *arena)
{
	struct buf out;

	buf_init(&out, j->text.n + extra + 64);
	enum err e = json_splice(j, edits, &out);
	struct slice s = e == E_OK ? arena_dup(arena, buf_slice(&out)) : NOTHING;
	buf_finish(&out);
	return s;
}

static struct slice replace(struct slice bytes, const char *const *walks, struct slice with, struct arena *arena)
{
	struct json j;
	struct json_edits edits;

	if (json_parse(&j, bytes, arena, NULL) != E_OK)
		return NOTHING;
	json_edits_init(&edits, arena);
	for (size_t i = 0; walks[i]; i++) {
		uint32_t tok = json_walk(&j, 0, walks[i]);

		if (tok == JSON_NONE && i == 0)
			return NOTHING;
		if (tok != JSON_NONE && json_edit_raw(&edits, tok, with) != E_OK)
			return NOTHING;
	}
	return render(&j, &edits, 2 * with.n, arena);
}

struct slice remap_request(struct slice bytes, struct slice id, struct arena *arena)
{
	return replace(bytes, (const char *const[]){ "id", "params._meta.progressToken", NULL }, id, arena);
}

struct slice remap_id(struct slice bytes, struct slice id, struct arena *arena)
{
	return replace(bytes, (const char *const[]){ "id", NULL }, id, arena);
}

struct slice remap_progress(struct slice bytes, struct slice token, struct arena *arena)
{
	return replace(bytes, (const char *const[]){ "params.progressToken", NULL }, token, arena);
}

struct slice remap_cancel(struct slice bytes, struct slice id, struct arena *arena)
{
	return replace(bytes, (const char *const[]){ "params.requestId", NULL }, id, arena);
}

struct slice remap_subscription(struct slice bytes, struct slice id, struct arena *arena)
{
	struct json j;
	struct json_edits edits;

	if (json_parse(&j, bytes, arena, NULL) != E_OK)
		return NOTHING;
	uint32_t tok = json_member(&j, json_walk(&j, 0, "params._meta"), META_SUBSCRIPTION);
	json_edits_init(&edits, arena);
	if (tok == JSON_NONE || json_edit_raw(&edits, tok, id) != E_OK)
		return NOTHING;
	return render(&j, &edits, id.n, arena);
}
