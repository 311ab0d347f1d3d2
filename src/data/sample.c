/* sample.c: a thread's memory for making samples, all of it planned. */
#include "sample.h"

#include <string.h>

#include "kind.h"
#include "outline.h"

/* ---- memory ---- */

typedef struct parts {
    size_t canvas, pixels, n_pictures, line, table, boxes, outlines, keypoints, fill, stencil,
        overlaps, order, ranks, around, total;
    bool fits;
} parts;

static void add(parts *p, size_t *part, size_t n, size_t each)
{
    size_t bytes;
    *part = 0;
    p->fits = p->fits && base_mul_size(&bytes, n, each) && bytes < SIZE_MAX / 4 &&
              base_add_size(&p->total, p->total, base_round_up(bytes, BASE_MEM_ALIGN));
    if (p->fits)
        *part = base_round_up(bytes, BASE_MEM_ALIGN);
}

static parts plan(const sample_recipe *r, int most_w, int most_h)
{
    parts p = {.fits = true};
    const data_augment *a = &r->augment;
    const bool is_class = data_set_kind(r->set)->is_folders;
    const bool mosaic = r->train && !r->rect && !is_class && a->mosaic > 0,
               mix = r->train && !is_class && a->mixup > 0,
               paste = r->train && !is_class && a->copy_paste > 0;
    const int canvas_w = mosaic ? 2 * most_w : most_w, canvas_h = mosaic ? 2 * most_h : most_h;
    const size_t w = (size_t)most_w, n_pixels = w * (size_t)most_h, n = r->most_labels;
    const bool has_canvas = r->train && !is_class;
    const size_t canvas = has_canvas ? canvas_bytes(canvas_w, canvas_h) : 0;
    p.fits = !has_canvas || canvas > 0;
    const bool spare = is_class ? r->train : paste && a->copy_paste_mode == DATA_PASTE_MIXUP;
    p.n_pictures = (size_t)1 + (mix ? 1 : 0) + (spare ? 1 : 0);
    const size_t n_room = outline_room_bytes(paste ? canvas_w : most_w, paste ? canvas_h : most_h);
    add(&p, &p.canvas, canvas, 1);
    add(&p, &p.boxes, n, sizeof(augment_box));
    add(&p, &p.table, 2 * w, sizeof(int32_t));
    add(&p, &p.line, 3 * w, 1);
    add(&p, &p.outlines, n * r->n_outline, 2 * sizeof(float));
    add(&p, &p.keypoints, n * (size_t)r->keypoints.n, 3 * sizeof(float));
    add(&p, &p.fill, paste || r->mask_ratio > 0 ? n_room : 0, 1);
    add(&p, &p.stencil, paste ? (size_t)canvas_w * (size_t)canvas_h : 0, 1);
    add(&p, &p.overlaps, paste ? n : 0, sizeof(float));
    add(&p, &p.order, paste ? n : 0, sizeof(uint32_t));
    add(&p, &p.ranks, r->mask_ratio > 0 ? 3 * n : 0, sizeof(uint32_t));
    add(&p, &p.around, DETECT_AROUND_FLOATS(r->n_outline), sizeof(float));
    for (size_t i = 0; i < p.n_pictures; i++)
        add(&p, &p.pixels, n_pixels, 3);
    return p;
}

/* The scratch's largest use. */
static size_t scratch_bytes(const sample_recipe *r, int most_w, int most_h)
{
    const size_t letterbox = image_letterbox_bytes(most_w, most_h);
    if (!data_set_kind(r->set)->is_folders)
        return letterbox;
    const size_t middle = sample_class_scratch_bytes(r->set, most_w);
    return middle > letterbox ? middle : letterbox;
}

size_t sample_maker_bytes(const sample_recipe *r, int most_w, int most_h)
{
    parts p = plan(r, most_w, most_h);
    return p.fits ? p.total + scratch_bytes(r, most_w, most_h) +
                        store_io_bytes(r->set, store_side(r->set, r->imgsz))
                  : 0;
}

static void *carve(uint8_t **at, size_t bytes)
{
    void *p = bytes > 0 ? *at : NULL;
    *at += bytes;
    return p;
}

vg_status sample_maker_create(sample_maker *m, const sample_recipe *r, int most_w, int most_h,
                              base_mem *mem, vg_error *err)
{
    *m = (sample_maker){0};
    parts p = plan(r, most_w, most_h);
    if (!p.fits)
        return base_fail(err, VG_ERR_ARGUMENT, "imgsz", "choose a smaller one",
                         "samples of %d x %d pixels with %zu objects are too large", most_w, most_h,
                         r->most_labels);
    vg_status st = store_io_create(&m->io, r->set, store_side(r->set, r->imgsz), mem, err);
    if (st != VG_OK)
        return st;
    m->block = base_alloc(mem, p.total, err);
    if (!m->block)
        return VG_ERR_MEMORY;
    uint8_t *at = m->block;
    m->canvas = carve(&at, p.canvas);
    m->boxes = carve(&at, p.boxes);
    m->table = carve(&at, p.table);
    m->line = carve(&at, p.line);
    m->extras = (augment_room){.outlines = carve(&at, p.outlines),
                               .keypoints = carve(&at, p.keypoints),
                               .n_outline = r->n_outline,
                               .n_keypoints = (uint32_t)r->keypoints.n,
                               .most = r->most_labels};
    m->fill = carve(&at, p.fill);
    m->paste = (augment_paste_room){.fill = m->fill, .stencil = carve(&at, p.stencil)};
    m->paste.overlaps = carve(&at, p.overlaps);
    m->paste.order = carve(&at, p.order);
    m->ranks = carve(&at, p.ranks);
    m->around = carve(&at, p.around);
    for (size_t i = 0; i < p.n_pictures; i++)
        m->pixels[i] = carve(&at, p.pixels);
    /* The scratch at its largest, now. */
    st = image_letterbox_reserve(&m->scratch, most_w, most_h, mem, err);
    return st == VG_OK
               ? image_scratch_reserve(&m->scratch, scratch_bytes(r, most_w, most_h), mem, err)
               : st;
}

void sample_maker_fini(sample_maker *m)
{
    store_io_fini(&m->io);
    image_scratch_fini(&m->scratch);
    base_free(m->block);
    *m = (sample_maker){0};
}

vg_status sample_make(sample_maker *m, const sample_recipe *r, size_t place, int picture,
                      sample_out *out, base_mem *mem, vg_error *err)
{
    size_t index = r->order[place];
    const data_picture *p = data_set_picture(r->set, index);
    out->item = (data_item){.picture = index, .w0 = p->w, .h0 = p->h};
    m->extras.n_taken = 0;
    return data_set_kind(r->set)->make(m, r, place, picture, out, mem, err);
}
