/* kept_pictures.c: a painter, an encoder, and a ring of what the newest files are called. */
#include "kept_pictures.h"

#include <assert.h>
#include <stdalign.h>
#include <stddef.h>

#include "files.h"

enum { MOST_RECORD_BYTES = 128 };

static size_t ring_length(int keep)
{
    return keep > 0 ? (size_t)keep : 0;
}

static image_encoder_need encoder_need(const stream_setting *s)
{
    image_encoder_need need = {0};
    if (s->most_w > 0 && s->most_h > 0)
        image_encoder_need_raise(&need, s->most_w, s->most_h, ".jpg");
    return need;
}

size_t stream_kept_pictures_bytes(const stream_picture_kind *kind, const stream_setting *s,
                                  int keep)
{
    const image_encoder_need need = encoder_need(s);
    return stream_painter_bytes(s) + image_encoder_bytes(&need) +
           ring_length(keep) * kind->record_bytes;
}

void stream_kept_pictures_close(stream_kept_pictures *p)
{
    stream_painter_destroy(&p->painter);
    image_encoder_destroy(&p->encoder);
    base_keep_ring_close(&p->ring);
}

static vg_status forget_earlier(const stream_kept_pictures *p, const stream_setting *s,
                                vg_error *err)
{
    char folder[STREAM_PATH_BYTES];
    return base_path_join(folder, sizeof folder, s->folder, p->kind->folder)
               ? base_keep_newest(folder, ".jpg", p->ring.n, s->mem, err)
               : VG_OK; /* writing tells it */
}

vg_status stream_kept_pictures_open(stream_kept_pictures *p, const stream_picture_kind *kind,
                                    const stream_setting *s, int keep, vg_error *err)
{
    const image_encoder_need need = encoder_need(s);
    *p = (stream_kept_pictures){.kind = kind};
    assert(kind->record_bytes <= MOST_RECORD_BYTES);
    vg_status st = stream_painter_create(&p->painter, s, s->mem, err);
    if (st == VG_OK)
        st = image_encoder_create(&p->encoder, s->mem, err);
    if (st == VG_OK)
        st = image_encoder_reserve(p->encoder, &need, s->mem, err);
    if (st == VG_OK)
        st = base_keep_ring_open(&p->ring, ring_length(keep), kind->record_bytes, s->mem, err);
    if (st == VG_OK && s->options->exist_ok && p->ring.n > 0)
        st = forget_earlier(p, s, err);
    if (st != VG_OK)
        stream_kept_pictures_close(p);
    return st;
}

static vg_status find_path(char path[STREAM_PATH_BYTES], const stream_kept_pictures *p,
                           const stream_setting *s, const void *record, vg_error *err)
{
    return p->kind->path(path, STREAM_PATH_BYTES, s, record)
               ? VG_OK
               : base_fail(err, VG_ERR_LIMIT, s->folder, "choose a shorter project or name",
                           "the path of a file in %s is too long", p->kind->folder);
}

vg_status stream_kept_pictures_put(stream_kept_pictures *p, const stream_setting *s,
                                   const image_view *picture, const void *record, vg_error *err)
{
    char path[STREAM_PATH_BYTES], folder[STREAM_PATH_BYTES];
    alignas(max_align_t) char old[MOST_RECORD_BYTES];
    vg_status st = find_path(path, p, s, record, err);
    if (st != VG_OK)
        return st;
    base_format(folder, sizeof folder, "%.*s", (int)(base_path_name(path) - path - 1), path);
    st = base_make_dirs(folder, err); /* each time: it may have been removed */
    if (st == VG_OK)
        st = image_write(p->encoder, picture, path, s->mem, err);
    if (st != VG_OK || !base_keep_ring_push(&p->ring, old, record))
        return st;
    st = find_path(path, p, s, old, err);
    return st == VG_OK ? base_keep_remove(path, p->kind->stays, err) : st;
}
