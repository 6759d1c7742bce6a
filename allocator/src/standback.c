#include "standback.h"

#include "log.h"
#include "options.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>

bool standback_on;
const char *standback_why;

static struct {
    void *(*alloc)(size_t);
    void *(*memalign)(size_t, size_t);
    void *(*resize)(void *, size_t);
    void (*release)(void *);
    size_t (*usable)(void *);
} next;

struct search {
    bool jemalloc, other;
};

static int look_at(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    static const char *const others[] = {"/libtcmalloc", "/libmimalloc", "/librpmalloc",
                                         "/libsnmalloc"};
    struct search *s = arg;
    s->jemalloc |= strstr(info->dlpi_name, "/libjemalloc") != NULL;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        s->other |= strstr(info->dlpi_name, others[i]) != NULL;
    return 0;
}

/* Whether to stand back when jemalloc is there: when standing back is forbidden, the default is not
 * asked. */
static bool block_jemalloc(void)
{
    const struct option_value *v = &option_values[OPT_LD_BLOCK_JEMALLOC];
    return v->number && (v->from_environment || !option(OPT_LD_FORBID_LIBC));
}

static const char *reason(void)
{
    struct search s = {false, false};
    if (option(OPT_LD_SAFE) == 2)
        return "HAKMEM_LD_SAFE=2";
    if (option(OPT_LD_SAFE) == 0 && !block_jemalloc())
        return NULL;
    dl_iterate_phdr(look_at, &s);
    if (s.jemalloc && (block_jemalloc() || option(OPT_LD_SAFE) == 1))
        return "the program brings jemalloc";
    return s.other && option(OPT_LD_SAFE) == 1 ? "the program brings an allocator" : NULL;
}

/* POSIX lets a function pointer come from dlsym, ISO C needs the detour. */
static void find(void *slot, const char *name)
{
    void *p = dlsym(RTLD_NEXT, name);
    if (!p)
        log_fatal("cannot stand back: no other %s was found", name);
    memcpy(slot, &p, sizeof p);
}

void standback_init(void)
{
    const char *why = reason();
    if (!why) {
        if (option(OPT_LD_TRACE) == 2)
            log_line("hakmem: this library serves");
        return;
    }
    if (option(OPT_LD_FORBID_LIBC))
        log_fatal("standing back is forbidden by HAKMEM_LD_FORBID_LIBC, but %s", why);
    find(&next.alloc, "malloc");
    find(&next.memalign, "memalign");
    find(&next.resize, "realloc");
    find(&next.release, "free");
    find(&next.usable, "malloc_usable_size");
    standback_why = why;
    standback_on = true;
    if (option(OPT_LD_TRACE))
        log_line("hakmem: stands back, all calls go to the next allocator: %s", why);
}

void *standback_alloc(size_t size)
{
    return next.alloc(size);
}

void *standback_alloc_aligned(size_t align, size_t size)
{
    return next.memalign(align, size);
}

void *standback_resize(void *ptr, size_t size)
{
    return next.resize(ptr, size);
}

void standback_free(void *ptr)
{
    next.release(ptr);
}

size_t standback_usable(void *ptr)
{
    return next.usable(ptr);
}
