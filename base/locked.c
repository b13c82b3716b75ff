#include "base/locked.h"

#include <sys/mman.h>
#include "base/wipe.h"

void *locked_alloc(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	/* A child has no use for keys either. */
	(void)madvise(p, n, MADV_DONTDUMP);
	(void)madvise(p, n, MADV_DONTFORK);
	(void)mlock(p, n);
	return p;
}

void locked_free(void *p, size_t n)
{
	if (!p)
		return;
	wipe(p, n);
	munmap(p, n);
}
