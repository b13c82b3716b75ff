/*
 * How the process keeps memory. Big messages mostly come in a row: what the allocator gave back to the kernel after one would
 * be faulted in, page by page, for the next, which costs more than all the rest of its way. So some is kept, until things
 * are quiet.
 */
#ifndef NARROWGATE_PROXY_MEMORY_H
#define NARROWGATE_PROXY_MEMORY_H

#include <stdint.h>

/* When calls have come, and when memory was last given back. Zero is a valid start. */
struct memory {
	uint64_t count;      /* calls so far, as last told */
	uint64_t busy_ms;    /* when it was seen to have grown; 0: nothing to give back */
};

/* Once, at start. */
void memory_init(void);
/* From time to time, with the number of calls so far: gives back what is free when there were none for a while. */
void memory_tick(struct memory *, uint64_t count, uint64_t now_ms);

#endif
