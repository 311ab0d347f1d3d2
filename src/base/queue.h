/* queue.h: a bounded queue of pointers between threads, with a stated policy when full.
 *
 * Capacity is fixed at create; nothing is allocated afterwards. close wakes everyone: pushes fail
 * from then on, pops drain what is left and then fail. */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <stdbool.h>

#include "mem.h"

typedef enum base_queue_policy {
    BASE_QUEUE_BLOCK,      /* push waits for room: back-pressure */
    BASE_QUEUE_DROP_OLDEST /* push takes the oldest item out and hands it back to the pusher */
} base_queue_policy;

typedef struct base_queue base_queue;

/* capacity >= 1. Errors: VG_ERR_ARGUMENT, VG_ERR_MEMORY. */
vg_status base_queue_create(base_queue **out, size_t capacity, base_queue_policy policy,
                            base_mem *mem, vg_error *err);
/* Items still inside are the caller's to release before. */
void base_queue_destroy(base_queue **q);

/* False when closed: the item stays the pusher's. *dropped (may be NULL with BLOCK) is the item
 * that gave way, or NULL. */
bool base_queue_push(base_queue *q, void *item, void **dropped);
/* Waits; false when closed and empty. timeout_ms < 0 waits for ever; on time-out false with
 * *timed_out true (may be NULL). */
bool base_queue_pop(base_queue *q, void **item, int timeout_ms, bool *timed_out);
bool base_queue_try_pop(base_queue *q, void **item);
void base_queue_close(base_queue *q);
size_t base_queue_length(base_queue *q);

#endif
