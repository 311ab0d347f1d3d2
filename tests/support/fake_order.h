/* fake_order.h: whether what the stand-in's streams do to one piece of memory is in order: for each
 * pair of accesses of which one writes, the later one must have waited for the earlier, by its
 * stream, by an event, or by the caller. No driver would tell; results would be wrong now and then.
 */
#ifndef TESTS_SUPPORT_FAKE_ORDER_H
#define TESTS_SUPPORT_FAKE_ORDER_H

#include <stdbool.h>
#include <stddef.h>

enum { FAKE_STREAMS = 3, FAKE_EVENTS = 9 };

/* All is done, and nothing is known. */
void fake_order_clear(void);
/* The next thing that a stream does; what follows by fake_order_touches is part of it. */
void fake_order_work(int stream);
/* False: another stream might be at it still. */
bool fake_order_touches(const void *at, size_t bytes, bool writes);
void fake_order_record(int event, int stream);
/* False: an event that was never recorded. */
bool fake_order_wait(int stream, int event);
/* The caller itself waits. */
bool fake_order_sync_event(int event);
void fake_order_sync_stream(int stream);
/* Whether the caller has waited for all that was begun on that memory. */
bool fake_order_is_done(const void *at, size_t bytes);

#endif
