#include "proxy/fiber.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include "base/asan.h"
#include "base/wipe.h"

/* The walk over the deepest documents takes a third of it; sanitizers make frames several times as large. */
#define STACK_BYTES ((NARROWGATE_ASAN ? 8u : 1u) * 512 * 1024)

#if NARROWGATE_ASAN
#include <sanitizer/common_interface_defs.h>
#else
/* AddressSanitizer wants to know which stack it is on. */
#define __sanitizer_start_switch_fiber(save, bottom, size) ((void)(save), (void)(bottom), (void)(size))
#define __sanitizer_finish_switch_fiber(save, bottom, size) ((void)(save), (void)(bottom), (void)(size))
#endif

struct fiber {
	struct pace pace; /* first */
	ucontext_t own, caller;
	void (*work)(void *ctx);
	void *ctx;
	char *stack;       /* a page that must not be touched, then STACK_BYTES */
	size_t page;
	bool running, begun, over;
	void *own_fake, *caller_fake;
	const void *caller_bottom;
	size_t caller_bytes;
};

static void leave(struct fiber *f)
{
	f->running = false;
	__sanitizer_start_switch_fiber(f->over ? NULL : &f->own_fake, f->caller_bottom, f->caller_bytes);
	swapcontext(&f->own, &f->caller);
	__sanitizer_finish_switch_fiber(f->own_fake, &f->caller_bottom, &f->caller_bytes);
}

static void rest(struct pace *p)
{
	struct fiber *f = (struct fiber *)(void *)p;

	p->left = FIBER_SLICE_BYTES;
	if (f->running)
		leave(f);
}

/* makecontext hands on integers. */
static void enter(unsigned high, unsigned low)
{
	struct fiber *f = (struct fiber *)((uintptr_t)high << 16 << 16 | (uintptr_t)low);

	__sanitizer_finish_switch_fiber(NULL, &f->caller_bottom, &f->caller_bytes);
	f->work(f->ctx);
	f->over = true;
	leave(f);
	abort(); /* nobody runs what is over */
}

static bool map_stack(struct fiber *f)
{
	char *p = mmap(NULL, f->page + STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

	if (p == MAP_FAILED)
		return false;
	f->stack = p;
	return mprotect(p, f->page, PROT_NONE) == 0;
}

static bool make_context(struct fiber *const f)
{
	if (getcontext(&f->own) != 0)
		return false;
	f->own.uc_stack.ss_sp = f->stack + f->page;
	f->own.uc_stack.ss_size = STACK_BYTES;
	f->own.uc_link = NULL;
	makecontext(&f->own, (void (*)(void))enter, 2, (unsigned)((uintptr_t)f >> 16 >> 16), (unsigned)(uintptr_t)f);
	return true;
}

struct fiber *fiber_create(void (*work)(void *ctx), void *ctx)
{
	struct fiber *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	f->pace = (struct pace){ FIBER_SLICE_BYTES, rest };
	f->work = work;
	f->ctx = ctx;
	f->page = (size_t)sysconf(_SC_PAGESIZE);
	if (map_stack(f) && make_context(f))
		return f;
	fiber_free(f);
	return NULL;
}

struct pace *fiber_pace(struct fiber *f)
{
	return &f->pace;
}

bool fiber_run(struct fiber *f)
{
	f->running = f->begun = true;
	__sanitizer_start_switch_fiber(&f->caller_fake, f->stack + f->page, STACK_BYTES);
	swapcontext(&f->caller, &f->own);
	__sanitizer_finish_switch_fiber(f->caller_fake, NULL, NULL);
	return f->over;
}

bool fiber_is_running(const struct fiber *f)
{
	return f->running;
}

/* The kernel takes the stack back, and gives nobody what was on it. */
void fiber_free(struct fiber *f)
{
	if (!f)
		return;
	if (f->begun && !f->over)
		abort();
	if (f->stack)
		munmap(f->stack, f->page + STACK_BYTES);
	wipe(f, sizeof *f);
	free(f);
}
