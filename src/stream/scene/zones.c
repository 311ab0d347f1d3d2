/* zones.c: the zones of a file over every channel: detect's machine a channel, sources matched by
 * name, and what readers in other threads may see. */
#include "zones.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include "image/image.h"
#include "zones_list.h"

/* What others see of a zone: written after each step, read by anybody. */
typedef struct shown {
    _Atomic int64_t inside, n_in, n_out;
    atomic_bool is_on, is_absent;
} shown;

typedef struct channel {
    detect_zones *zones;
    bool *is_on;   /* (n) */
    shown *shown;  /* (n) */
    bool is_known; /* source is the hash of its name */
    uint64_t source;
} channel;

struct stream_zones {
    zones_list list;
    channel *channels; /* (n_channels) */
    int n_channels;
    bool needs_tracks;
    detect_zone_event *found; /* (STREAM_ZONES_EVENTS) of the step that runs */
    bool *is_on;              /* (n_channels, n) */
    shown *shown;             /* (n_channels, n) */
};

static const unsigned OF_TRACKS =
    1u << VG_STREAM_ENTER | 1u << VG_STREAM_LEAVE | 1u << VG_STREAM_DWELL;

static bool has_tracks(const detect_zone *z)
{
    return (z->events & OF_TRACKS) != 0;
}

/* ---- open ---- */

static vg_status open_channel(stream_zones *z, int i, const detect_zones_options *o, base_mem *mem,
                              vg_error *err)
{
    channel *c = &z->channels[i];
    c->is_on = z->is_on + (size_t)i * (size_t)z->list.n;
    c->shown = z->shown + (size_t)i * (size_t)z->list.n;
    return detect_zones_create(&c->zones, o, mem, err);
}

static vg_status open_channels(stream_zones *z, const stream_zones_scene *scene, base_mem *mem,
                               vg_error *err)
{
    const size_t n = (size_t)z->list.n, n_c = (size_t)scene->n_channels;
    detect_zones_options o = {.zones = z->list.zones,
                              .n_zones = z->list.n,
                              .n_classes = scene->n_classes,
                              .most_tracks = scene->tracker->most_tracks,
                              .forget = scene->tracker->track_buffer,
                              .most_events = STREAM_ZONES_EVENTS};
    for (int i = 0; i < z->list.n; i++)
        z->needs_tracks |= has_tracks(&z->list.zones[i]);
    if (!z->needs_tracks)
        o.most_tracks = 1; /* none is shown to it */
    if ((z->channels = base_alloc_zero(mem, n_c, sizeof *z->channels, err)) == NULL ||
        (z->found = base_alloc_zero(mem, STREAM_ZONES_EVENTS, sizeof *z->found, err)) == NULL ||
        (z->is_on = base_alloc_zero(mem, n_c, n * sizeof *z->is_on, err)) == NULL ||
        (z->shown = base_alloc_zero(mem, n_c, n * sizeof *z->shown, err)) == NULL)
        return VG_ERR_MEMORY;
    vg_status st = VG_OK;
    for (z->n_channels = 0; z->n_channels < scene->n_channels && st == VG_OK; z->n_channels++)
        st = open_channel(z, z->n_channels, &o, mem, err);
    return st;
}

/* Takes the tree, also on failure. */
static vg_status from_tree(stream_zones **out, base_tree *tree, const stream_zones_scene *scene,
                           base_mem *mem, vg_error *err)
{
    stream_zones *z = base_alloc_zero(mem, 1, sizeof *z, err);
    if (z == NULL) {
        base_tree_destroy(&tree);
        return VG_ERR_MEMORY;
    }
    vg_status st = zones_list_read(&z->list, tree, scene, mem, err);
    if (st == VG_OK)
        st = open_channels(z, scene, mem, err);
    if (st != VG_OK)
        stream_zones_close(&z);
    *out = z;
    return st;
}

vg_status stream_zones_parse(stream_zones **out, const char *text, size_t n, const char *source,
                             const stream_zones_scene *scene, base_mem *mem, vg_error *err)
{
    base_tree *tree;
    *out = NULL;
    vg_status st = base_tree_from_yaml(&tree, text, n, source, mem, err);
    return st == VG_OK ? from_tree(out, tree, scene, mem, err) : st;
}

vg_status stream_zones_open(stream_zones **out, const char *path, const stream_zones_scene *scene,
                            base_mem *mem, vg_error *err)
{
    base_tree *tree;
    *out = NULL;
    vg_status st = base_tree_read(&tree, path, mem, err);
    return st == VG_OK ? from_tree(out, tree, scene, mem, err) : st;
}

void stream_zones_close(stream_zones **zones)
{
    stream_zones *z = *zones;
    if (z == NULL)
        return;
    for (int i = 0; i < z->n_channels; i++)
        detect_zones_destroy(&z->channels[i].zones);
    base_free(z->channels);
    base_free(z->found);
    base_free(z->is_on);
    base_free(z->shown);
    zones_list_fini(&z->list);
    base_free(z);
    *zones = NULL;
}

size_t stream_zones_most_events(const stream_zones *z)
{
    (void)z;
    return STREAM_ZONES_EVENTS;
}

bool stream_zones_needs_tracks(const stream_zones *z)
{
    return z->needs_tracks;
}

/* ---- slips ---- */

static bool is_called(const stream_source *s, const char *name)
{
    return strcmp(s->name, name) == 0 || strcmp(s->stem, name) == 0;
}

static const char *name_at(const void *sources, size_t i)
{
    const stream_source *one = &((const stream_sources *)sources)->items[i / 2];
    return i % 2 == 0 ? one->name : one->stem;
}

/* 1: it is no source's, and was told. */
static size_t warn_of(const zones_extra *zone, const base_node *name, const char *path,
                      const stream_sources *s, size_t n_told)
{
    for (size_t i = 0; i < s->n; i++)
        if (is_called(&s->items[i], name->text))
            return 0;
    const char *nearest = vg_name_nearest(name->text, name_at, s, 2 * s->n);
    if (n_told < STREAM_ZONES_WARNINGS)
        base_log(BASE_LOG_WARN, "a zone names a source that does not exist",
                 "zone=\"%s\" source=\"%.200s\" at=\"%s:%d\" try=\"%.200s\"", zone->name,
                 name->text, path, name->line, nearest != NULL ? nearest : "a source's name");
    return 1;
}

size_t stream_zones_warn(const stream_zones *z, const char *path, const stream_sources *s)
{
    size_t n = 0;
    for (int i = 0; i < z->list.n && s->n > 0; i++) {
        const zones_extra *zone = &z->list.extras[i];
        const base_node *names = zone->sources;
        const bool is_list = names != NULL && names->kind == BASE_NODE_LIST;
        for (const base_node *c = is_list ? names->first : names; c != NULL;
             c = is_list ? c->next : NULL)
            n += warn_of(zone, c, path, s, n);
    }
    return n;
}

/* ---- a step ---- */

/* Which zones are the source's; another than before in this place begins anew. */
static void look_at_source(const stream_zones *z, channel *c, const char *source, const char *stem)
{
    const uint64_t hash =
        base_hash(base_hash(BASE_HASH_START, source, strlen(source) + 1), stem, strlen(stem));
    if (c->is_known && c->source == hash)
        return;
    detect_zones_reset(c->zones);
    for (int i = 0; i < z->list.n; i++) {
        c->is_on[i] = zones_list_is_for(&z->list.extras[i], source, stem);
        atomic_store_explicit(&c->shown[i].is_on, c->is_on[i], memory_order_relaxed);
    }
    c->source = hash;
    c->is_known = true;
}

static int to_int(int64_t v)
{
    return v < INT32_MAX ? (int)v : INT32_MAX;
}

static vg_stream_event event_of(const stream_zones *z, const detect_zone_event *e)
{
    const zones_extra *extra = &z->list.extras[e->zone];
    return (vg_stream_event){.kind = e->kind,
                             .zone = extra->name,
                             .class_index = e->class_index,
                             .track = e->track,
                             .seconds = e->seconds,
                             .inside = to_int(e->inside),
                             .n_in = to_int(e->n_in),
                             .n_out = to_int(e->n_out),
                             .wants_snapshot = extra->snapshots >> e->kind & 1,
                             .is_lost = e->is_lost,
                             .box = e->box};
}

static void show(const stream_zones *z, channel *c)
{
    for (int i = 0; i < z->list.n; i++) {
        detect_zone_counts n;
        shown *s = &c->shown[i];
        detect_zones_get(&n, c->zones, i);
        atomic_store_explicit(&s->inside, has_tracks(&z->list.zones[i]) ? n.inside : n.n_seen,
                              memory_order_relaxed);
        atomic_store_explicit(&s->n_in, n.n_in, memory_order_relaxed);
        atomic_store_explicit(&s->n_out, n.n_out, memory_order_relaxed);
        atomic_store_explicit(&s->is_absent, n.is_absent, memory_order_relaxed);
    }
}

size_t stream_zones_step(stream_zones *z, vg_stream_event *out, int channel_index,
                         const char *source, const char *stem, detect_zone_picture picture)
{
    channel *c = &z->channels[channel_index];
    look_at_source(z, c, source, stem);
    if (picture.masks != NULL && picture.n > 0) {
        const image_grid g = image_grid_of(picture.masks, picture.w, picture.h);
        picture.grid = (detect_polygon_place){g.left, g.top, g.step_x, g.step_y};
    }
    if (!z->needs_tracks)
        picture.ids = NULL;
    const size_t n_found = detect_zones_step(c->zones, z->found, c->is_on, &picture);
    for (size_t i = 0; i < n_found; i++)
        out[i] = event_of(z, &z->found[i]);
    show(z, c);
    return n_found;
}

void stream_zones_clear(stream_zones *z, int channel_index)
{
    detect_zones_interrupt(z->channels[channel_index].zones);
}

/* ---- for those who show ---- */

size_t stream_zones_n(const stream_zones *z)
{
    return (size_t)z->list.n;
}

bool stream_zones_get(stream_zone_view *out, const stream_zones *z, int channel_index, size_t zone)
{
    if (zone >= stream_zones_n(z))
        return false;
    shown *s = &z->channels[channel_index].shown[zone];
    *out =
        (stream_zone_view){.name = z->list.extras[zone].name,
                           .is_on = atomic_load_explicit(&s->is_on, memory_order_relaxed),
                           .has_tracks = has_tracks(&z->list.zones[zone]),
                           .is_absent = atomic_load_explicit(&s->is_absent, memory_order_relaxed),
                           .inside = atomic_load_explicit(&s->inside, memory_order_relaxed),
                           .n_in = atomic_load_explicit(&s->n_in, memory_order_relaxed),
                           .n_out = atomic_load_explicit(&s->n_out, memory_order_relaxed)};
    return true;
}

size_t stream_zones_outline(float *xy, const stream_zones *z, int channel_index, size_t zone, int w,
                            int h)
{
    const detect_zone *d = &z->list.zones[zone];
    const shown *s = &z->channels[channel_index].shown[zone];
    if (!atomic_load_explicit(&s->is_on, memory_order_relaxed))
        return 0;
    for (int i = 0; i < d->n_points; i++) {
        xy[2 * i] = d->xy[2 * i] * (d->is_fraction ? (float)w : 1);
        xy[2 * i + 1] = d->xy[2 * i + 1] * (d->is_fraction ? (float)h : 1);
    }
    return (size_t)d->n_points;
}

const char *stream_zones_caption(char *buf, size_t n, const stream_zone_view *v)
{
    const char *missing = v->is_absent ? ", missing" : "";
    if (v->has_tracks)
        base_format(buf, n, "%s: %lld inside, %lld in, %lld out%s", v->name, (long long)v->inside,
                    (long long)v->n_in, (long long)v->n_out, missing);
    else
        base_format(buf, n, "%s: %lld inside%s", v->name, (long long)v->inside, missing);
    return buf;
}
