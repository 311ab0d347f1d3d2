/* tracker.c: vg_tracker: the tracks of one scene, and the brightness of its pictures. */
#include "vigil/tracker.h"

#include <math.h>

#include "handle.h"

/* What no file of keys says. */
typedef struct bounds {
    float conf;
    int max_det, most_tracks;
} bounds;

static const vg_option bound_rows[] = {
    {.name = "conf",
     .kind = VG_OPTION_FLOAT,
     .offset = offsetof(bounds, conf),
     .most = 1,
     .preset = "0.25"},
    {.name = "max_det",
     .kind = VG_OPTION_INT,
     .offset = offsetof(bounds, max_det),
     .least = 1,
     .most = API_MOST_DET,
     .preset = "300"},
    {.name = "most_tracks",
     .kind = VG_OPTION_INT,
     .offset = offsetof(bounds, most_tracks),
     .least = 1,
     .most = 100000,
     .preset = "1000"},
};
static const base_options bound_table = {.rows = bound_rows,
                                         .n = sizeof bound_rows / sizeof *bound_rows,
                                         .noun = "key of a tracker",
                                         .where = "key "};

struct vg_tracker {
    stream_accounts accounts;
    stream_tracks *tracks;
    bounds bounds;
    float candidate_conf;
    image_scratch luma; /* of pictures of floats */
};

static vg_status read_keys(vg_tracker *t, stream_tracker *out, const vg_tracker_key *keys,
                           size_t n_keys, vg_error *err)
{
    base_mem *mem = &t->accounts.owner[STREAM_LOADING];
    stream_tracker_keys k;
    vg_status st = VG_OK;
    stream_tracker_keys_default(&k);
    base_options_default(&bound_table, &t->bounds);
    for (int pass = 0; pass < 2; pass++) /* the file first: keys of the caller go before it */
        for (size_t i = 0; i < n_keys && st == VG_OK; i++) {
            const char *name = keys[i].name, *value = keys[i].value;
            if (name == NULL || value == NULL)
                st = base_fail(err, VG_ERR_ARGUMENT, base_where("key %zu", i),
                               "give name and value", "a key without a name or a value");
            else if ((pass == 0) != vg_name_equal(name, "tracker"))
                continue;
            else if (base_options_find(&bound_table, name) != NULL)
                st = base_options_set(&bound_table, &t->bounds, name, value, err);
            else
                st = stream_tracker_keys_set(&k, name, value, mem, err);
        }
    if (st != VG_OK)
        return st;
    k.options.most_tracks = t->bounds.most_tracks;
    k.options.most_detections = t->bounds.max_det;
    return stream_tracker_keys_settle(out, &k, err);
}

static vg_status open_tracks(vg_tracker *t, const stream_tracker *s, vg_error *err)
{
    t->candidate_conf = stream_tracks_candidate_conf(&s->options, t->bounds.conf);
    t->accounts.planned_bytes[STREAM_DETECTIONS] =
        stream_tracks_bytes(&s->options, s->follows_camera, 1);
    const vg_status st = stream_accounts_check(&t->accounts, err);
    return st == VG_OK ? stream_tracks_open(&t->tracks, &s->options, s->follows_camera, 1,
                                            &t->accounts.owner[STREAM_DETECTIONS], err)
                       : st;
}

vg_status vg_tracker_open(vg_tracker **out, const vg_tracker_key *keys, size_t n_keys,
                          size_t memory_limit_bytes, vg_error *err)
{
    stream_tracker s;
    vg_tracker *t = base_handle_alloc(sizeof *t, err);
    *out = t;
    if (t == NULL)
        return VG_ERR_MEMORY;
    stream_accounts_init(&t->accounts, memory_limit_bytes);
    vg_status st = read_keys(t, &s, keys, keys != NULL ? n_keys : 0, err);
    if (st == VG_OK)
        st = open_tracks(t, &s, err);
    if (st != VG_OK)
        vg_tracker_close(out);
    return st;
}

void vg_tracker_close(vg_tracker **tracker)
{
    vg_tracker *t = *tracker;
    if (t != NULL) {
        stream_tracks_close(&t->tracks);
        image_scratch_fini(&t->luma);
        base_handle_free(t);
    }
    *tracker = NULL;
}

float vg_tracker_conf(const vg_tracker *t)
{
    return t->candidate_conf;
}

bool vg_tracker_follows_camera(const vg_tracker *t)
{
    return stream_tracks_follows_camera(t->tracks);
}

/* Green, as of frames of RGB: where it lies, or of floats as bytes. */
static vg_status luma_of(vg_tracker *t, image_luma *out, const vg_image *image, vg_error *err)
{
    image_pixels p;
    vg_status st = api_image_pixels(&p, image, 0, err);
    if (st != VG_OK)
        return st;
    *out = (image_luma){.at = (const uint8_t *)p.data + p.channel_bytes[1],
                        .across = (ptrdiff_t)p.pixel_bytes,
                        .down = (ptrdiff_t)p.row_bytes,
                        .w = p.w,
                        .h = p.h,
                        .bits = 8};
    if (!p.is_float)
        return VG_OK;
    const size_t n = (size_t)p.w * (size_t)p.h;
    st = image_scratch_reserve(&t->luma, n, &t->accounts.owner[STREAM_FRAMES], err);
    if (st != VG_OK)
        return st;
    image_pixels_to_grey(t->luma.block, &p);
    out->at = t->luma.block;
    out->across = 1;
    out->down = p.w;
    return VG_OK;
}

vg_status vg_tracker_step(vg_tracker *t, vg_detection *boxes, int64_t *ids, size_t *n,
                          const vg_image *image, vg_error *err)
{
    image_luma luma;
    const bool sees = image != NULL && vg_tracker_follows_camera(t);
    if (n == NULL || (*n > 0 && (boxes == NULL || ids == NULL)))
        return base_fail(err, VG_ERR_ARGUMENT, "boxes, ids, n", "give all three",
                         "no boxes, or no room for their ids");
    const vg_status st = sees ? luma_of(t, &luma, image, err) : VG_OK;
    if (st == VG_OK)
        *n = stream_tracks_step(t->tracks, 0, &(task_found){.boxes = boxes, .n = *n}, ids, *n,
                                (size_t)t->bounds.max_det, t->bounds.conf, sees ? &luma : NULL);
    return st;
}

void vg_tracker_clear(vg_tracker *t)
{
    stream_tracks_clear(t->tracks, 0);
}

uint64_t vg_tracker_n_refused(const vg_tracker *t)
{
    return stream_tracks_n_refused(t->tracks);
}

void vg_tracker_memory(const vg_tracker *t, vg_memory *out)
{
    stream_accounts_memory(out, &t->accounts);
}
