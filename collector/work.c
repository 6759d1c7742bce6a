#include "collector/work.h"

#include <pthread.h>
#include <stdlib.h>

struct work_queue {
    struct work *first, **last;
};

struct work_pool {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct work_queue plain, slow;
    int busy, busy_slow, waiting, slow_limit;
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

static struct work *next_work(struct work_pool *pool)
{
    struct work *work = take(&pool->plain);
    if (!work && pool->busy_slow < pool->slow_limit)
        work = take(&pool->slow);
    return work;
}

static void *worker(void *argument)
{
    struct work_pool *pool = argument;
    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        struct work *work = next_work(pool);
        if (!work) {
            if (pool->stopping && !pool->slow.first)
                break;
            pthread_cond_wait(&pool->changed, &pool->mutex);
            continue;
        }
        bool slow = work->slow;
        pool->waiting--;
        pool->busy++;
        pool->busy_slow += slow;
        pthread_mutex_unlock(&pool->mutex);
        work->run(work); /* frees what the work lies in, maybe */
        pthread_mutex_lock(&pool->mutex);
        pool->busy--;
        pool->busy_slow -= slow;
        if (slow || pool->stopping)
            pthread_cond_broadcast(&pool->changed);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

struct work_pool *work_start(int threads, int slow, struct hp_error *err)
{
    struct work_pool *pool = calloc(1, sizeof *pool + (size_t)threads * sizeof(pthread_t));
    if (!pool) {
        hp_fail(err, HP_SYSTEM, "out of memory");
        return NULL;
    }
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->changed, NULL);
    pool->plain.last = &pool->plain.first;
    pool->slow.last = &pool->slow.first;
    pool->slow_limit = slow;
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
    struct work_queue *queue = work->slow ? &pool->slow : &pool->plain;
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
    *busy = pool->busy;
    *waiting = pool->waiting;
    pthread_mutex_unlock(&pool->mutex);
}
