#include "mcp/era.h"

static const struct era eras[] = {
	{ { "2024-11-05", 10 }, .handshake = true },
	{ { "2025-03-26", 10 }, .handshake = true, .streamable_http = true, .batches = true },
	{ { "2025-06-18", 10 }, .handshake = true, .streamable_http = true, .version_header = true,
		.structured_content = true },
	{ { "2025-11-25", 10 }, .handshake = true, .streamable_http = true, .version_header = true,
		.structured_content = true },
	{ { "2026-07-28", 10 }, .streamable_http = true, .version_header = true, .structured_content = true, .mirrors = true },
};

enum { N_ERAS = sizeof(eras) / sizeof(*eras), ASSUMED = 1, NEWEST = 3 };

const struct era *era_find(struct slice version)
{
	for (int i = 0; i < N_ERAS; i++)
		if (slice_eq(eras[i].version, version))
			return &eras[i];
	return NULL;
}

const struct era *era_assumed(void)
{
	return &eras[ASSUMED];
}

const struct era *era_newest(void)
{
	return &eras[NEWEST];
}

struct slice era_list(void)
{
	return SL("2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25, 2026-07-28");
}

#define MAX_REQUESTED_BYTES 32

enum err era_unsupported(struct buf *out, struct slice requested, enum era_kind kind)
{
	const char *comma = "";

	buf_add(out, SL("{\"supported\":["));
	for (int i = 0; i < N_ERAS; i++) {
		if (kind != ERA_ANY && (kind == ERA_HANDSHAKE) != eras[i].handshake)
			continue;
		buf_add(out, slice_of(comma));
		buf_add_json_string(out, eras[i].version);
		comma = ",";
	}
	buf_add(out, SL("],\"requested\":"));
	buf_add_json_string(out, slice_head(requested, MAX_REQUESTED_BYTES));
	buf_add_char(out, '}');
	return out->failed;
}
