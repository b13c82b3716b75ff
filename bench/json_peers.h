/*
 * Other JSON libraries behind one face: their headers name things as ours do, so they are kept in a file of their own.
 */
#ifndef NARROWGATE_BENCH_JSON_PEERS_H
#define NARROWGATE_BENCH_JSON_PEERS_H

#include <stdbool.h>
#include <stddef.h>

/* What a library found in a text: two that read the same agree on all of it. */
struct json_facts {
	size_t values;
	size_t members;
	size_t string_bytes; /* decoded, names too */
};

struct json_peer {
	const char *name;
	/* Reads the text and writes it out again; false when it was refused. */
	bool (*forward)(const char *p, size_t n);
	bool (*facts)(const char *p, size_t n, struct json_facts *out);
};

/* Jansson comes first: it is what the ratios are to. Ends with a row without name. */
extern const struct json_peer json_peers[];

#endif
