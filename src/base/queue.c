/* queue.c: a ring of pointers under one lock with two conditions. Counts are small and the holders
 * quick: a lock-free ring would save nothing that a frame of milliseconds could show. */
#define BASE_IMPLEMENTATION
#include "queue.h"

#include <assert.h>
#include <pthread.h>

#include "clock.h"
#include "status.h"
#include "thread.h"

struct base_queue {
    pthread_mutex_t lock;
    pthread_cond_t has_item;
    pthread_cond_t has_room;
    base_queue_policy policy;
    bool closed;
    size_t capacity;
    size_t first; /* slot of the oldest item */
    size_t length;
    void *items[]; /* (capacity) ring */
};

vg_status base_queue_create(base_queue **out, size_t capacity, base_queue_policy policy,
                            base_mem *mem, vg_error *err)
{
    *out = NULL;
    if (capacity < 1)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, "give it room for one or more",
                         "a queue of capacity 0");
    size_t bytes;
    if (!base_mul_size(&bytes, capacity, sizeof(void *)) ||
        !base_add_size(&bytes, bytes, sizeof(base_queue)))
        return base_fail(err, VG_ERR_MEMORY, NULL, NULL,
                         "a queue of capacity %zu cannot be addressed", capacity);
    base_queue *q = base_alloc_zero(mem, 1, bytes, err);
    if (!q)
        return VG_ERR_MEMORY;
    q->policy = policy;
    q->capacity = capacity;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->has_room, NULL);
    base_cond_init(&q->has_item);
    *out = q;
    return VG_OK;
}

void base_queue_destroy(base_queue **q)
{
    if (!*q)
        return;
    pthread_cond_destroy(&(*q)->has_item);
    pthread_cond_destroy(&(*q)->has_room);
    pthread_mutex_destroy(&(*q)->lock);
    base_free(*q);
    *q = NULL;
}

/* Under the lock, length > 0. */
static void *take_oldest(base_queue *q)
{
    void *item = q->items[q->first];
    q->first = q->first + 1 == q->capacity ? 0 : q->first + 1;
    q->length--;
    return item;
}

bool base_queue_push(base_queue *q, void *item, void **dropped)
{
    assert((dropped || q->policy == BASE_QUEUE_BLOCK) && "the dropped item needs an owner");
    if (dropped)
        *dropped = NULL;
    pthread_mutex_lock(&q->lock);
    while (q->policy == BASE_QUEUE_BLOCK && q->length == q->capacity && !q->closed)
        pthread_cond_wait(&q->has_room, &q->lock);
    bool open = !q->closed;
    if (open) {
        if (q->length == q->capacity)
            *dropped = take_oldest(q);
        size_t room = q->capacity - q->first; /* slots from first to the ring's end */
        q->items[q->length < room ? q->first + q->length : q->length - room] = item;
        q->length++;
        pthread_cond_signal(&q->has_item);
    }
    pthread_mutex_unlock(&q->lock);
    return open;
}

bool base_queue_pop(base_queue *q, void **item, int timeout_ms, bool *timed_out)
{
    const int64_t end_ns =
        timeout_ms < 0 ? INT64_MAX : base_now_ns() + timeout_ms * INT64_C(1000000);
    *item = NULL;
    pthread_mutex_lock(&q->lock);
    while (q->length == 0 && !q->closed && base_cond_wait(&q->has_item, &q->lock, end_ns))
        ;
    bool found = q->length > 0;
    if (found) {
        *item = take_oldest(q);
        pthread_cond_signal(&q->has_room);
    }
    if (timed_out)
        *timed_out = !found && !q->closed;
    pthread_mutex_unlock(&q->lock);
    return found;
}

bool base_queue_try_pop(base_queue *q, void **item)
{
    return base_queue_pop(q, item, 0, NULL);
}

void base_queue_close(base_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->has_item);
    pthread_cond_broadcast(&q->has_room);
    pthread_mutex_unlock(&q->lock);
}

size_t base_queue_length(base_queue *q)
{
    pthread_mutex_lock(&q->lock);
    size_t length = q->length;
    pthread_mutex_unlock(&q->lock);
    return length;
}
