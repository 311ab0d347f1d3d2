/* fake_order.c: vector clocks: what each stream, each event and the caller know of how far every
 * stream has come; and the last accesses, each at a time of its stream. */
#include "fake_order.h"

#include <stdint.h>
#include <string.h>

enum { MOST_ACCESSES = 512, CALLER = FAKE_STREAMS };

typedef struct access {
    const char *at;
    size_t bytes;
    int stream;
    int64_t when;
    bool writes;
} access;

static int64_t known[FAKE_STREAMS + 1][FAKE_STREAMS]; /* of streams, and of the caller */
static int64_t events[FAKE_EVENTS][FAKE_STREAMS];
static bool is_recorded[FAKE_EVENTS];
static access accesses[MOST_ACCESSES]; /* a ring */
static size_t n_accesses;
static int current;

void fake_order_clear(void)
{
    memset(known, 0, sizeof known);
    memset(events, 0, sizeof events);
    memset(is_recorded, 0, sizeof is_recorded);
    n_accesses = 0;
}

static void learn(int64_t *who, const int64_t *of)
{
    for (int i = 0; i < FAKE_STREAMS; i++)
        who[i] = who[i] > of[i] ? who[i] : of[i];
}

void fake_order_work(int stream)
{
    learn(known[stream], known[CALLER]); /* which began it after all that it waited for */
    known[stream][stream]++;
    current = stream;
}

static bool meets(const access *a, const char *at, size_t bytes)
{
    return at < a->at + a->bytes && a->at < at + bytes;
}

static const access *nth(size_t back)
{
    return &accesses[(n_accesses - 1 - back) % MOST_ACCESSES];
}

static size_t n_held(void)
{
    return n_accesses < MOST_ACCESSES ? n_accesses : MOST_ACCESSES;
}

bool fake_order_touches(const void *memory, size_t bytes, bool writes)
{
    const char *at = memory;
    bool is_ordered = true;
    for (size_t i = 0; i < n_held(); i++) {
        const access *a = nth(i);
        if ((a->writes || writes) && meets(a, at, bytes) && a->when > known[current][a->stream])
            is_ordered = false;
    }
    accesses[n_accesses++ % MOST_ACCESSES] = (access){.at = at,
                                                      .bytes = bytes,
                                                      .stream = current,
                                                      .when = known[current][current],
                                                      .writes = writes};
    return is_ordered;
}

void fake_order_record(int event, int stream)
{
    memcpy(events[event], known[stream], sizeof events[event]);
    is_recorded[event] = true;
}

bool fake_order_wait(int stream, int event)
{
    learn(known[stream], events[event]);
    return is_recorded[event];
}

bool fake_order_sync_event(int event)
{
    learn(known[CALLER], events[event]);
    return is_recorded[event];
}

void fake_order_sync_stream(int stream)
{
    learn(known[CALLER], known[stream]);
}

bool fake_order_is_done(const void *memory, size_t bytes)
{
    for (size_t i = 0; i < n_held(); i++)
        if (meets(nth(i), memory, bytes) && nth(i)->when > known[CALLER][nth(i)->stream])
            return false;
    return true;
}
