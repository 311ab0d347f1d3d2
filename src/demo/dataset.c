/* dataset.c: the demo's data set: a folder of pictures and labels as YOLO's users know it.
 *
 * Every picture follows from the seed and its number alone, so threads share them out freely. The
 * three parts take their numbers from ranges that never meet. */
#include <stdatomic.h>
#include <string.h>

#include "demo.h"

enum { WORKERS_MAX = 64, PATH_BYTES = 4096 };

static const char *const part_names[DEMO_N_PARTS] = {"train", "val", "unseen"};
/* Of training's size; the last are for people's eyes. */
static const int part_sizes[DEMO_N_PARTS][2] = {{320, 240}, {320, 240}, {960, 720}};

/* What a thread draws with. */
typedef struct drawer {
    demo_canvas canvas;
    image_buffer picture;
    image_encoder *encoder;
    demo_label labels[DEMO_ITEMS_MAX];
    size_t n_objects;
    vg_status status; /* of the first that failed; error says why */
    vg_error error;
} drawer;

typedef struct drawing {
    const demo_dataset *o;
    demo_part part; /* that is drawn now */
    base_mem mem;
    base_pool *pool;
    drawer *drawers; /* (threads) */
    int n_drawers;
    atomic_int n_done;
    int n_total;
} drawing;

/* ---- a picture ---- */

static vg_status write_labels(const drawing *g, const drawer *r, size_t n, const char *name,
                              base_mem *mem, vg_error *err)
{
    char path[PATH_BYTES];
    base_str text = {0};
    base_file file = BASE_FILE_NONE;
    const float w = (float)r->picture.view.w, h = (float)r->picture.view.h;
    vg_status st = VG_OK;
    for (size_t i = 0; i < n && st == VG_OK; i++) {
        const demo_label *l = &r->labels[i];
        st = base_str_add(&text, 1 << 20, mem, err, "%d %.6f %.6f %.6f %.6f\n", (int)l->kind,
                          (double)((l->x1 + l->x2) / (2 * w)), (double)((l->y1 + l->y2) / (2 * h)),
                          (double)((l->x2 - l->x1) / w), (double)((l->y2 - l->y1) / h));
    }
    if (st == VG_OK && !base_format(path, sizeof path, "%s/labels/%s/%s.txt", g->o->folder,
                                    part_names[g->part], name))
        st = base_fail(err, VG_ERR_LIMIT, g->o->folder, "choose a shorter project or name",
                       "the path of the data set is too long");
    if (st == VG_OK)
        st = base_file_create_beside(&file, path, err);
    if (st == VG_OK && n > 0)
        st = base_file_write(&file, text.text, text.length, err);
    if (st == VG_OK)
        st = base_file_publish(&file, path, err);
    base_file_discard(&file);
    base_str_fini(&text);
    return st;
}

static vg_status draw_one(const drawing *g, drawer *r, size_t number, base_mem *mem, vg_error *err)
{
    char path[PATH_BYTES], name[64];
    size_t n = 0;
    const int *size = part_sizes[g->part];
    vg_status st = demo_shelf_draw(&r->picture, r->labels, &n, g->o->seed,
                                   (uint64_t)g->part * DEMO_MOST_PICTURES + number, size[0],
                                   size[1], &r->canvas, mem, err);
    if (st != VG_OK)
        return st;
    base_format(name, sizeof name, "shelf_%04zu", number);
    if (!base_format(path, sizeof path, "%s/images/%s/%s.jpg", g->o->folder, part_names[g->part],
                     name))
        return base_fail(err, VG_ERR_LIMIT, g->o->folder, "choose a shorter project or name",
                         "the path of the data set is too long");
    st = image_write(r->encoder, &r->picture.view, path, mem, err);
    if (st == VG_OK)
        st = write_labels(g, r, n, name, mem, err);
    if (st == VG_OK)
        r->n_objects += n;
    return st;
}

static void draw_some(void *ctx, size_t begin, size_t end, int worker)
{
    drawing *g = ctx;
    drawer *r = &g->drawers[worker];
    for (size_t i = begin; i < end && r->status == VG_OK; i++) {
        r->status = draw_one(g, r, i, &g->mem, &r->error);
        const int n_done = atomic_fetch_add(&g->n_done, 1) + 1;
        if (worker == 0 && g->o->progress != NULL) /* the caller's own thread */
            g->o->progress(g->o->ctx, n_done, g->n_total);
    }
}

/* ---- the data set ---- */

static vg_status draw_part(drawing *g, demo_part p, int n, vg_error *err)
{
    char path[PATH_BYTES];
    static const char *const kinds[] = {"images", "labels"};
    for (int i = 0; i < 2; i++) {
        if (!base_format(path, sizeof path, "%s/%s/%s", g->o->folder, kinds[i], part_names[p]))
            return base_fail(err, VG_ERR_LIMIT, g->o->folder, "choose a shorter project or name",
                             "the path of the data set is too long");
        const vg_status st = base_make_dirs(path, err);
        if (st != VG_OK)
            return st;
    }
    g->part = p;
    base_pool_run(g->pool, (size_t)n, 1, draw_some, g);
    for (int i = 0; i < g->n_drawers; i++)
        if (g->drawers[i].status != VG_OK) {
            if (err)
                *err = g->drawers[i].error;
            return g->drawers[i].status;
        }
    return VG_OK;
}

static vg_status write_yaml(const demo_dataset *o, vg_error *err)
{
    char text[1024], path[PATH_BYTES];
    if (!base_path_join(path, sizeof path, o->folder, DEMO_YAML))
        return base_fail(err, VG_ERR_LIMIT, o->folder, "choose a shorter project or name",
                         "the path of the data set is too long");
    base_format(text, sizeof text,
                "# Shelves drawn by vigil demo, seed %llu. Nothing here is real.\n"
                "train: images/train\n"
                "val: images/val\n"
                "test: images/unseen\n"
                "names:\n"
                "  0: %s\n  1: %s\n  2: %s\n  3: %s\n  4: %s\n",
                (unsigned long long)o->seed, demo_class_names[0], demo_class_names[1],
                demo_class_names[2], demo_class_names[3], demo_class_names[4]);
    _Static_assert(DEMO_N_CLASSES == 5, "the names above");
    return base_file_replace(path, text, strlen(text), err);
}

static vg_status drawing_open(drawing *g, int threads, vg_error *err)
{
    const int n = threads > 0 ? threads : base_cpu_count();
    g->n_drawers = n < WORKERS_MAX ? n : WORKERS_MAX;
    g->drawers = base_alloc_zero(&g->mem, (size_t)g->n_drawers, sizeof *g->drawers, err);
    if (!g->drawers)
        return VG_ERR_MEMORY;
    vg_status st = base_pool_create(&g->pool, g->n_drawers, &g->mem, err);
    for (int i = 0; i < g->n_drawers && st == VG_OK; i++)
        st = image_encoder_create(&g->drawers[i].encoder, &g->mem, err);
    return st;
}

static void drawing_close(drawing *g)
{
    base_pool_destroy(&g->pool);
    for (int i = 0; g->drawers && i < g->n_drawers; i++) {
        demo_canvas_fini(&g->drawers[i].canvas);
        image_buffer_fini(&g->drawers[i].picture);
        image_encoder_destroy(&g->drawers[i].encoder);
    }
    base_free(g->drawers);
}

vg_status demo_dataset_draw(size_t *n_objects, const demo_dataset *o, vg_error *err)
{
    drawing g = {.o = o,
                 .mem = {.tag = "drawing"},
                 .n_total = o->n_pictures[DEMO_TRAIN] + o->n_pictures[DEMO_VAL] +
                            o->n_pictures[DEMO_UNSEEN]};
    *n_objects = 0;
    vg_status st = base_make_dirs(o->folder, err);
    if (st == VG_OK)
        st = drawing_open(&g, o->threads, err);
    for (int p = 0; p < DEMO_N_PARTS && st == VG_OK; p++)
        st = draw_part(&g, (demo_part)p, o->n_pictures[p], err);
    if (st == VG_OK)
        st = write_yaml(o, err);
    for (int i = 0; g.drawers && i < g.n_drawers; i++)
        *n_objects += g.drawers[i].n_objects;
    drawing_close(&g);
    return st;
}
