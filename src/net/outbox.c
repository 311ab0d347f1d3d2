/* outbox.c: a message is its topic and its bytes, one behind the other in the ring. */
#include "outbox.h"

#include <pthread.h>
#include <string.h>

typedef struct entry {
    size_t n_topic, n_bytes;
    bool retain;
} entry;

struct net_outbox {
    pthread_mutex_t lock;
    pthread_cond_t came;
    bool is_closed;
    size_t most_messages, most_bytes;
    size_t first, n;    /* entries */
    size_t begin, used; /* bytes of the ring */
    uint64_t n_dropped;
    char *ring;      /* (most_bytes) behind the entries, in the same block */
    entry entries[]; /* (most_messages) ring */
};

size_t net_outbox_bytes(size_t most_messages, size_t most_bytes)
{
    return sizeof(net_outbox) + most_messages * sizeof(entry) + most_bytes;
}

vg_status net_outbox_create(net_outbox **out, size_t most_messages, size_t most_bytes,
                            base_mem *mem, vg_error *err)
{
    *out = NULL;
    if (most_messages == 0 || most_bytes == 0)
        return base_fail(err, VG_ERR_ARGUMENT, NULL, NULL, "an outbox without room");
    net_outbox *o = base_alloc_zero(mem, 1, net_outbox_bytes(most_messages, most_bytes), err);
    if (o == NULL)
        return VG_ERR_MEMORY;
    base_cond_init(&o->came);
    pthread_mutex_init(&o->lock, NULL);
    o->most_messages = most_messages;
    o->most_bytes = most_bytes;
    o->ring = (char *)&o->entries[most_messages];
    *out = o;
    return VG_OK;
}

void net_outbox_destroy(net_outbox **outbox)
{
    net_outbox *o = *outbox;
    if (o == NULL)
        return;
    pthread_cond_destroy(&o->came);
    pthread_mutex_destroy(&o->lock);
    base_free(o);
    *outbox = NULL;
}

static void copy_in(net_outbox *o, const char *bytes, size_t n)
{
    const size_t at = (o->begin + o->used) % o->most_bytes;
    const size_t right = n < o->most_bytes - at ? n : o->most_bytes - at;
    memcpy(o->ring + at, bytes, right);
    memcpy(o->ring, bytes + right, n - right);
    o->used += n;
}

static void copy_out(net_outbox *o, char *bytes, size_t n)
{
    const size_t right = n < o->most_bytes - o->begin ? n : o->most_bytes - o->begin;
    if (bytes != NULL) {
        memcpy(bytes, o->ring + o->begin, right);
        memcpy(bytes + right, o->ring, n - right);
    }
    o->begin = (o->begin + n) % o->most_bytes;
    o->used -= n;
}

static void forget_oldest(net_outbox *o)
{
    const entry *e = &o->entries[o->first];
    copy_out(o, NULL, e->n_topic + e->n_bytes);
    o->first = (o->first + 1) % o->most_messages;
    o->n--;
    o->n_dropped++;
}

vg_status net_outbox_put(net_outbox *o, const char *topic, const void *bytes, size_t n, bool retain,
                         size_t *n_gave_way, vg_error *err)
{
    const size_t n_topic = strlen(topic);
    *n_gave_way = 0;
    if (n_topic >= NET_TOPIC_BYTES || n > o->most_bytes || n_topic > o->most_bytes - n)
        return base_fail(err, VG_ERR_LIMIT, NULL, NULL,
                         "a message of %zu bytes for an outbox of %zu", n_topic + n, o->most_bytes);
    pthread_mutex_lock(&o->lock);
    if (o->is_closed) {
        o->n_dropped++;
        *n_gave_way = 1;
    } else {
        for (; o->n == o->most_messages || o->most_bytes - o->used < n_topic + n; ++*n_gave_way)
            forget_oldest(o);
        o->entries[(o->first + o->n) % o->most_messages] =
            (entry){.n_topic = n_topic, .n_bytes = n, .retain = retain};
        copy_in(o, topic, n_topic);
        copy_in(o, bytes, n);
        o->n++;
        pthread_cond_signal(&o->came);
    }
    pthread_mutex_unlock(&o->lock);
    return VG_OK;
}

static void wait_for_one(net_outbox *o, int timeout_ms)
{
    const int64_t end_ns = base_now_ns() + timeout_ms * INT64_C(1000000);
    while (o->n == 0 && !o->is_closed && base_cond_wait(&o->came, &o->lock, end_ns))
        ;
}

bool net_outbox_take(net_outbox *o, net_message *m, char *bytes, int timeout_ms)
{
    pthread_mutex_lock(&o->lock);
    if (timeout_ms > 0)
        wait_for_one(o, timeout_ms);
    const bool has_one = o->n > 0;
    if (has_one) {
        const entry e = o->entries[o->first];
        copy_out(o, m->topic, e.n_topic);
        m->topic[e.n_topic] = '\0';
        copy_out(o, bytes, e.n_bytes);
        m->n = e.n_bytes;
        m->retain = e.retain;
        o->first = (o->first + 1) % o->most_messages;
        o->n--;
    }
    pthread_mutex_unlock(&o->lock);
    return has_one;
}

void net_outbox_close(net_outbox *o)
{
    pthread_mutex_lock(&o->lock);
    o->is_closed = true;
    pthread_cond_broadcast(&o->came);
    pthread_mutex_unlock(&o->lock);
}

size_t net_outbox_length(net_outbox *o)
{
    pthread_mutex_lock(&o->lock);
    const size_t n = o->n;
    pthread_mutex_unlock(&o->lock);
    return n;
}

uint64_t net_outbox_dropped(net_outbox *o)
{
    pthread_mutex_lock(&o->lock);
    const uint64_t n = o->n_dropped;
    pthread_mutex_unlock(&o->lock);
    return n;
}
