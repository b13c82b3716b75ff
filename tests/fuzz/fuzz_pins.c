/*
 * The pins file: taken without a fault, or refused with one. What was taken is written anew and read again, and then says the same,
 * digest by digest.
 */
#include <stdlib.h>
#include "policy/pins.h"
#include "tests/fuzz/require.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pins *parse(struct slice text)
{
	struct faults faults;

	faults_init(&faults);
	struct pins *p = pins_parse(text, SL("fuzz.pins"), &faults);

	REQUIRE((p != NULL) == !faults_any(&faults));
	for (size_t i = 0; i < faults.n; i++)
		REQUIRE(faults.v[i].at.line > 0 && faults.v[i].at.column > 0 && faults.v[i].text.n);
	faults_finish(&faults);
	return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pins *p = parse(slice_make((const char *)data, size));
	struct buf out;

	if (!p)
		return 0;
	buf_init(&out, 16u << 20);
	for (size_t i = 0; i < pins_count(p); i++)
		REQUIRE(pins_add_line(&out, pins_at(p, i)->kind, pins_at(p, i)->is.text) == E_OK);
	struct pins *again = parse(buf_slice(&out));

	REQUIRE(again && pins_count(again) == pins_count(p));
	for (size_t i = 0; i < pins_count(p); i++) {
		const struct pin *a = pins_at(p, i), *b = pins_find(again, a->kind, a->is.name);

		REQUIRE(b && memcmp(a->is.digest, b->is.digest, DIGEST_BYTES) == 0);
		REQUIRE(memcmp(a->is.marks, b->is.marks, sizeof a->is.marks) == 0);
	}
	pins_free(again);
	pins_free(p);
	buf_finish(&out);
	return 0;
}
