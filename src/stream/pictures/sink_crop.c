/* sink_crop.c: crops/<class>/<stem>-<i>.jpg: every box cut out of its picture. */
#include "sink.h"
#include "stream/shared/crop.h"

static bool is_wanted(const stream_predict_options *o)
{
    return o->save_crop;
}

/* The shared encoder does all. */
static size_t need_bytes(const sink_setting *s)
{
    (void)s;
    return 0;
}

static vg_status open_(void *self, const sink_setting *s, vg_error *err)
{
    (void)self;
    (void)s;
    (void)err;
    return VG_OK;
}

static vg_status write_(void *self, const sink_setting *s, const sink_item *item, vg_error *err)
{
    (void)self;
    const vg_predict_result *r = item->result;
    const image_view *p = item->picture;
    for (size_t i = 0; i < r->n_detections; i++) {
        const vg_detection *b = &r->detections[i];
        image_view cut;
        if (!stream_crop(&cut, p, b))
            continue;
        char name[256], sub[300], folder[4096], path[4096], suffix[32];
        base_name_clean(name, sizeof name, stream_detector_class_name(s->detector, b->class_index));
        base_format(sub, sizeof sub, "crops/%s", name);
        base_format(suffix, sizeof suffix, "-%zu.jpg", i + 1);
        if (!base_path_join(folder, sizeof folder, s->folder, sub) ||
            !sink_path(path, sizeof path, s, sub, item->entry, suffix))
            return base_fail(err, VG_ERR_LIMIT, r->source, NULL, "the path of a crop is too long");
        vg_status st = base_make_dirs(folder, err);
        if (st == VG_OK)
            st = image_write(s->encoder, &cut, path, s->mem, err);
        if (st != VG_OK)
            return st;
    }
    return VG_OK;
}

static vg_status close_(void *self, vg_error *err)
{
    (void)self;
    (void)err;
    return VG_OK;
}

const sink sink_crop = {.name = "crop",
                        .help = "crops/<class>/<stem>-<i>.jpg",
                        .needs_pixels = true,
                        .is_wanted = is_wanted,
                        .need_bytes = need_bytes,
                        .open = open_,
                        .write = write_,
                        .close = close_};
