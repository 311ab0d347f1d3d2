/* ports.c: a short table with a lock. A port, once made, stays until fini: so a push needs the lock
 * for the look-up only. */
#include "ports.h"

#include <string.h>

enum { PREFIX_BYTES = 5 }; /* "push:" */

void stream_ports_init(stream_ports *p)
{
    memset(p, 0, sizeof *p);
    pthread_mutex_init(&p->lock, NULL);
    base_cond_init(&p->changed);
}

void stream_ports_fini(stream_ports *p)
{
    for (size_t i = 0; i < p->n; i++)
        video_port_destroy(&p->items[i].port);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
}

static video_port *find(stream_ports *p, const char *name)
{
    if (name == NULL)
        return p->n == 1 ? p->items[0].port : NULL;
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->items[i].name, name) == 0)
            return p->items[i].port;
    return NULL;
}

/* The item of that name, made where there is none; NULL: there are too many. */
static stream_ports_item *item_of(stream_ports *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->items[i].name, name) == 0)
            return &p->items[i];
    if (p->n == STREAM_MOST_CHANNELS)
        return NULL;
    base_format(p->items[p->n].name, sizeof p->items[p->n].name, "%s", name);
    return &p->items[p->n++];
}

static vg_status open_item(stream_ports *p, stream_ports_item *item, base_mem *mem, vg_error *err)
{
    if (item == NULL)
        return base_fail(err, VG_ERR_LIMIT, "source", "use names again", "more than %d names",
                         STREAM_MOST_CHANNELS);
    if (item->port != NULL)
        return VG_OK;
    const vg_status st = video_port_create(&item->port, mem, err);
    if (st == VG_OK && (item->has_ended || p->all_ended))
        video_port_end(item->port);
    pthread_cond_broadcast(&p->changed);
    return st;
}

vg_status stream_ports_open(video_port **out, stream_ports *p, const char *text, base_mem *mem,
                            vg_error *err)
{
    const char *name = text + PREFIX_BYTES;
    *out = NULL;
    if (p == NULL)
        return base_fail(err, VG_ERR_ARGUMENT, "source",
                         "give a video, a URL or a camera; vg_stream_push is for programs",
                         "%.200s: nobody here pushes pictures", text);
    pthread_mutex_lock(&p->lock);
    stream_ports_item *item = item_of(p, name);
    const vg_status st = open_item(p, item, mem, err);
    pthread_mutex_unlock(&p->lock);
    if (st == VG_OK)
        *out = item->port;
    return st;
}

vg_status stream_ports_push(stream_ports *p, const char *name, const image_pixels *pixels,
                            double time_s, int timeout_ms, vg_error *err)
{
    const int64_t end_ns =
        timeout_ms < 0 ? INT64_MAX : base_now_ns() + timeout_ms * INT64_C(1000000);
    bool in_time = timeout_ms != 0;
    pthread_mutex_lock(&p->lock);
    video_port *port;
    while ((port = find(p, name)) == NULL && !p->is_over && in_time)
        in_time = base_cond_wait(&p->changed, &p->lock, end_ns);
    const bool is_over = p->is_over;
    pthread_mutex_unlock(&p->lock);
    if (is_over)
        return base_fail(err, VG_ERR_INTERRUPTED, NULL, NULL, "the stream has ended");
    if (port == NULL)
        return base_fail(err, VG_ERR_LIMIT, NULL, "run the stream with a source push:NAME",
                         "no source push:%.100s runs yet", name != NULL ? name : "");
    const int64_t left_ns = end_ns - base_now_ns();
    const int left_ms = timeout_ms <= 0 ? timeout_ms : left_ns > 0 ? (int)(left_ns / 1000000) : 0;
    return video_port_push(port, pixels, time_s, left_ms, err);
}

static void end_item(stream_ports_item *item)
{
    item->has_ended = true;
    if (item->port != NULL)
        video_port_end(item->port);
}

void stream_ports_end(stream_ports *p, const char *name)
{
    pthread_mutex_lock(&p->lock);
    stream_ports_item *item = name != NULL ? item_of(p, name) : NULL;
    if (item != NULL)
        end_item(item);
    p->all_ended = p->all_ended || name == NULL;
    for (size_t i = 0; i < p->n && name == NULL; i++)
        end_item(&p->items[i]);
    pthread_mutex_unlock(&p->lock);
}

void stream_ports_close(stream_ports *p)
{
    pthread_mutex_lock(&p->lock);
    p->is_over = true;
    for (size_t i = 0; i < p->n; i++)
        end_item(&p->items[i]);
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
}
