#include "thread_cache.h"

#include "lock.h"
#include "meta.h"
#include "pool.h"
#include "report.h"
#include "ss_map.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

__thread struct tcache tcache;
__thread struct thread_cache *thread_cache;
atomic_bool thread_cache_orphans[CLASSES];

static __thread bool busy; /* starting or ended: the thread has no cache and gets none */
static pthread_key_t end_key;
static bool have_key;

static struct lock the_lock;
static struct thread_cache *living, *orphans, *unused;

enum { FIRST_CAP = 4 };

static int32_t first_cap(unsigned class)
{
    int32_t max = (int32_t)size_classes[class].batch;
    return FIRST_CAP < max ? FIRST_CAP : max;
}

static void list_add(struct thread_cache *c)
{
    c->prev = NULL;
    c->next = living;
    if (c->next)
        c->next->prev = c;
    living = c;
}

static void list_remove(struct thread_cache *c)
{
    if (c->prev)
        c->prev->next = c->next;
    else
        living = c->next;
    if (c->next)
        c->next->prev = c->prev;
}

static struct thread_cache *new_record(void)
{
    lock_acquire(&the_lock);
    struct thread_cache *c = unused;
    if (c)
        unused = c->next;
    lock_release(&the_lock);
    if (c)
        return memset(c, 0, sizeof *c);
    int saved = errno;
    c = meta_alloc(sizeof *c);
    errno = saved;
    return c;
}

static void retire(struct thread_cache *c)
{
    c->next = unused;
    unused = c;
}

/* The setting of the key may itself allocate: meanwhile the thread has no cache. Without a key
 * nobody would say when the thread ends, and its lists with it: it then is in no register. */
bool thread_cache_start(void)
{
    if (busy)
        return false;
    busy = true;
    struct thread_cache *c = new_record();
    if (c) {
        for (unsigned class = 0; class < CLASSES; class ++)
            c->classes[class].cap = first_cap(class);
        c->lists = &tcache;
        if (have_key && pthread_setspecific(end_key, c) == 0) {
            lock_acquire(&the_lock);
            list_add(c);
            lock_release(&the_lock);
        }
        thread_cache = c;
        for (unsigned class = EIGHT_CLASS + 1; class < CLASSES; class ++)
            thread_cache_bin(class)->room = c->classes[class].cap;
    }
    busy = false;
    return c;
}

/* The list goes by way of the spare, of which pool_give takes it. */
static void flush_class(unsigned class)
{
    struct bin *bin = thread_cache_bin(class);
    struct chain *spare = &thread_cache->classes[class].spare;
    if (spare->count > 0)
        pool_give(class, spare);
    if (!bin->head)
        return;
    *spare = (struct chain){bin->head, (unsigned)(thread_cache->classes[class].cap - bin->room)};
    thread_cache_step();
    bin->head = NULL;
    bin->room = thread_cache->classes[class].cap;
    pool_give(class, spare);
}

void thread_cache_flush(void)
{
    if (!thread_cache_on())
        return;
    thread_cache_verify();
    eight_flush(&thread_cache->eights, thread_cache->eights.count);
    for (unsigned class = EIGHT_CLASS + 1; class < CLASSES; class ++)
        flush_class(class);
    for (unsigned class = 0; class < CLASSES; class ++)
        thread_cache_adopt(class);
}

/* Destructors of other keys may allocate and free after this one: they go to the backend. */
static void thread_ends(void *record)
{
    struct thread_cache *c = record;
    thread_cache_flush();
    busy = true;
    for (unsigned class = 0; class < CLASSES; class ++)
        thread_cache_bin(class)->room = 0;
    thread_cache = NULL;
    lock_acquire(&the_lock);
    list_remove(c);
    retire(c);
    lock_release(&the_lock);
}

void thread_cache_init(void)
{
    have_key = pthread_key_create(&end_key, thread_ends) == 0;
}

/* --- is it whole? ---------------------------------------------------------------------------- */

/* A block in a list twice leads back into it: then the list does not end where its length says. */
static void verify(unsigned class, const struct block *b, unsigned count)
{
    for (; count > 0 && b && block_is_free(b); count--)
        b = block_next(b);
    if (b || count > 0)
        report_list(b, class, size_classes[class].size);
}

void thread_cache_verify(void)
{
    if (!thread_cache)
        return;
    eight_verify(&thread_cache->eights);
    for (unsigned class = EIGHT_CLASS + 1; class < CLASSES; class ++) {
        const struct bin *bin = thread_cache_bin(class);
        struct chain spare = thread_cache->classes[class].spare;
        verify(class, spare.head, spare.count);
        verify(class, bin->head, (unsigned)(thread_cache->classes[class].cap - bin->room));
    }
}

/* --- fork ------------------------------------------------------------------------------------ */

/* Blocks of an orphan list that are whole go to the backend. How many there are is not known: the
 * thread may have been between two steps. */
static void adopt_list(unsigned class, struct block *b)
{
    struct chain chain = {NULL, 0};
    while (b && chain.count < size_classes[class].batch) {
        struct slab *s = ss_map_lookup(b);
        if (!s || s->class != class || !block_is_free(b))
            break;
        struct block *next = block_next(b);
        block_set_free(b, chain.head);
        chain = (struct chain){b, chain.count + 1};
        b = next;
    }
    if (chain.count > 0)
        pool_give(class, &chain);
}

void thread_cache_adopt(unsigned class)
{
    if (!atomic_load_explicit(&thread_cache_orphans[class], memory_order_relaxed))
        return;
    lock_acquire(&the_lock);
    for (struct thread_cache *c = orphans; c; c = c->next) {
        struct block *list = c->apart[class].head, *spare = c->classes[class].spare.head;
        if (class == EIGHT_CLASS)
            eight_adopt(&c->eights);
        adopt_list(class, list);
        if (spare != list)
            adopt_list(class, spare);
        c->apart[class].head = c->classes[class].spare.head = NULL;
    }
    atomic_store_explicit(&thread_cache_orphans[class], false, memory_order_relaxed);
    bool left = false;
    for (unsigned i = 0; i < CLASSES && !left; i++)
        left = atomic_load_explicit(&thread_cache_orphans[i], memory_order_relaxed);
    while (!left && orphans) {
        struct thread_cache *c = orphans;
        orphans = c->next;
        retire(c);
    }
    lock_release(&the_lock);
}

void thread_cache_lock(void)
{
    lock_acquire(&the_lock);
}

void thread_cache_unlock(void)
{
    lock_release(&the_lock);
}

/* The storage of the threads that are gone serves new ones some time: their lists' heads are noted
 * where the fast path had none. No block is looked at now; most children of fork run another
 * program at once. */
void thread_cache_reset(void)
{
    struct thread_cache *c = living, *next;
    living = NULL;
    for (; c; c = next) {
        next = c->next;
        if (c == thread_cache) {
            list_add(c);
            continue;
        }
        for (unsigned class = 0; class < CLASSES; class ++) {
            if (c->lists->bins[class].head)
                c->apart[class] = c->lists->bins[class];
            atomic_store_explicit(&thread_cache_orphans[class], true, memory_order_relaxed);
        }
        c->next = orphans;
        orphans = c;
    }
    lock_reset(&the_lock);
}
