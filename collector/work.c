#include "collector/work.h"

#include <pthread.h>
#include <stdlib.h>

struct work_queue {
    struct work *first, **last;
};

struct work_pool {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct work_queue queue[WORK_KINDS];
    int busy[WORK_KINDS], limit[WORK_KINDS];
    int waiting;
    bool stopping;
    int threads;
    pthread_t thread[];
};

static struct work *take(struct work_queue *queue)
{
    struct work *work = queue->first;
    if (!work)
        return NULL;
    queue->first = work->next;
    if (!queue->first)
        queue->last = &queue->first;
    return work;
}

/* One thread is left for what is done at once. */
static bool is_room(const struct work_pool *pool, enum work_kind kind)
{
    int long_lasting = pool->busy[WORK_HEAVY] + pool->busy[WORK_SLOW];
    return kind == WORK_PLAIN || (pool->busy[kind] < pool->limit[kind] &&
                                  (long_lasting + 1 < pool->threads || long_lasting == 0));
}

static struct work *next_work(struct work_pool *pool)
{
    struct work *work = NULL;
    for (enum work_kind kind = WORK_PLAIN; !work && kind < WORK_KINDS; kind++)
        if (is_room(pool, kind))
            work = take(&pool->queue[kind]);
    return work;
}

static void *worker(void *argument)
{
    struct work_pool *pool = argument;
    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        struct work *work = next_work(pool);
        if (!work) {
            if (pool->stopping && pool->waiting == 0)
                break;
            pthread_cond_wait(&pool->changed, &pool->mutex);
            continue;
        }
        enum work_kind kind = work->kind;
        pool->waiting--;
        pool->busy[kind]++;
        pthread_mutex_unlock(&pool->mutex);
        work->run(work); /* frees what the work lies in, maybe */
        pthread_mutex_lock(&pool->mutex);
        pool->busy[kind]--;
        if (kind != WORK_PLAIN || pool->stopping)
            pthread_cond_broadcast(&pool->changed);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

struct work_pool *work_start(int threads, int heavy, int slow, struct hp_error *err)
{
    struct work_pool *pool = calloc(1, sizeof *pool + (size_t)threads * sizeof(pthread_t));
    if (!pool) {
        hp_fail(err, HP_SYSTEM, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->changed, NULL);
    for (int kind = 0; kind < WORK_KINDS; kind++)
        pool->queue[kind].last = &pool->queue[kind].first;
    pool->limit[WORK_HEAVY] = heavy;
    pool->limit[WORK_SLOW] = slow;
    for (; pool->threads < threads; pool->threads++) {
        if (pthread_create(&pool->thread[pool->threads], NULL, worker, pool) != 0) {
            hp_fail(err, HP_SYSTEM, "cannot start %d worker threads", threads);
            work_stop(pool);
            return NULL;
        }
    }
    return pool;
}

void work_add(struct work_pool *pool, struct work *work)
{
    pthread_mutex_lock(&pool->mutex);
    struct work_queue *queue = &pool->queue[work->kind];
    work->next = NULL;
    *queue->last = work;
    queue->last = &work->next;
    pool->waiting++;
    pthread_cond_signal(&pool->changed);
    pthread_mutex_unlock(&pool->mutex);
}

void work_stop(struct work_pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->threads; i++)
        pthread_join(pool->thread[i], NULL);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

void work_counts(struct work_pool *pool, int *busy, int *waiting)
{
    pthread_mutex_lock(&pool->mutex);
    *busy = pool->busy[WORK_PLAIN] + pool->busy[WORK_HEAVY] + pool->busy[WORK_SLOW];
    *waiting = pool->waiting;
    pthread_mutex_unlock(&pool->mutex);
}
