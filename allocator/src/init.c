#include "init.h"

#include "block.h"
#include "lock.h"
#include "options.h"
#include "size_class.h"
#include "standback.h"
#include "stats.h"
#include "superslab.h"
#include "thread_cache.h"

#include <stdint.h>
#include <sys/auxv.h>

extern char **environ;
/* Where the kernel put argc, argv and the environment; set by the dynamic loader. */
extern void *__libc_stack_end;

atomic_bool init_done;
static struct lock once;

/* libc sets environ in an initializer of its own, which an early caller precedes: then the
 * environment is where the kernel left it, after argc and argv. Privileged programs ignore it. */
static char **find_environment(void)
{
    if (getauxval(AT_SECURE))
        return NULL;
    if (environ)
        return environ;
    if (!__libc_stack_end)
        return NULL;
    intptr_t *stack = __libc_stack_end;
    return (char **)(stack + 1 + stack[0] + 1);
}

void init_slow(void)
{
    lock_acquire(&once);
    if (!atomic_load_explicit(&init_done, memory_order_relaxed)) {
        options_init(find_environment());
        stats_init();
        block_init();
        size_class_init((uint64_t)option(OPT_WMAX_MID), (uint64_t)option(OPT_WMAX_LARGE));
        superslab_init((size_t)option(OPT_SUPERSLAB_SIZE));
        thread_cache_init();
        standback_init();
        superslab_prewarm((unsigned)option(OPT_PREWARM));
        atomic_store_explicit(&init_done, true, memory_order_release);
    }
    lock_release(&once);
}
