#include "ace.h"

#include "counters.h"
#include "log.h"
#include "options.h"
#include "size_class.h"
#include "ss_map.h"
#include "tcache.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

const char *const ace_cause_names[ACE_CAUSES] = {"threshold", "exhaustion", "mapfail"};
static const char *const trace_names[ACE_CAUSES] = {"Threshold", "Exhaustion", "MapFail"};

static struct {
    atomic_ullong count;
    atomic_size_t first_size;
} failures[ACE_CAUSES][CLASSES + 1];

static void trace(enum ace_cause cause, unsigned class, size_t size, size_t limit)
{
    int error = cause == ACE_MAPFAIL ? errno : 0;
    if (class == CLASSES)
        log_line("[ACE-FAIL] %s size=%zu class=none limit=%zu errno=%d", trace_names[cause], size,
                 limit, error);
    else
        log_line("[ACE-FAIL] %s size=%zu class=%u (%u bytes) limit=%zu errno=%d",
                 trace_names[cause], size, class, size_classes[class].size, limit, error);
}

void ace_fail(enum ace_cause cause, unsigned class, size_t size, size_t limit)
{
    counter_add(COUNT_ACE_FAIL_THRESHOLD + (enum counter_id)cause, 1);
    if (atomic_fetch_add_explicit(&failures[cause][class].count, 1, memory_order_relaxed) == 0)
        atomic_store_explicit(&failures[cause][class].first_size, size, memory_order_relaxed);
    if (option(OPT_ACE_TRACE))
        trace(cause, class, size, limit);
}

struct ace_failure ace_failure(enum ace_cause cause, unsigned class)
{
    return (struct ace_failure){
        atomic_load_explicit(&failures[cause][class].count, memory_order_relaxed),
        atomic_load_explicit(&failures[cause][class].first_size, memory_order_relaxed)};
}

/* What W_MAX allows for the size. */
static size_t threshold(unsigned class, size_t size)
{
    enum option_id id = size_classes[class].size < LARGE_MIN ? OPT_WMAX_MID : OPT_WMAX_LARGE;
    return size * (size_t)option(id) / 1000;
}

/* Slabs of one block know whether it was ever handed out. Sizes that large are always served here,
 * never by the fast path, so that no hand-out is missed. */
static void *prepare(unsigned class, void *p, size_t size, bool zeroed)
{
    bool fresh = false;
    if (size_classes[class].size >= LARGE_MIN && size_classes[class].capacity == 1) {
        struct slab *s = ss_map_lookup(p);
        s -= s->unit;
        fresh = s->fresh;
        s->fresh = false;
    }
    if (zeroed)
        memset(p, 0, fresh ? sizeof(struct block) : size);
    return p;
}

void *ace_alloc(unsigned class, size_t size, bool zeroed)
{
    const struct size_class *k = &size_classes[class];
    if (size < k->min_size) {
        ace_fail(ACE_THRESHOLD, class, size, threshold(class, size));
        return NULL;
    }
    int saved = errno;
    void *p = tcache_alloc_slow(class);
    if (p)
        return prepare(class, p, size, zeroed);
    if (errno == EAGAIN)
        ace_fail(ACE_EXHAUSTION, class, size, (size_t)option(OPT_ACE_POOL_CAP));
    else
        ace_fail(ACE_MAPFAIL, class, size, k->units * UNIT);
    errno = saved;
    return NULL;
}
