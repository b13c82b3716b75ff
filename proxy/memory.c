#include "proxy/memory.h"

#include <malloc.h>

#define QUIET_MS 5000
#define OWN_MAPPING_BYTES (8 * 1024 * 1024) /* from this size on a block is mapped and unmapped by itself */
#define KEEP_BYTES (16 * 1024 * 1024)       /* free at the heap's end */

/* Other libcs than glibc have no such knobs. */
void memory_init(void)
{
#ifdef __GLIBC__
	mallopt(M_MMAP_THRESHOLD, OWN_MAPPING_BYTES);
	mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
#endif
}

void memory_tick(struct memory *m, uint64_t count, uint64_t now_ms)
{
	if (count != m->count) {
		m->count = count;
		m->busy_ms = now_ms;
	} else if (m->busy_ms && now_ms - m->busy_ms >= QUIET_MS) {
		m->busy_ms = 0;
#ifdef __GLIBC__
		malloc_trim(0);
#endif
	}
}
