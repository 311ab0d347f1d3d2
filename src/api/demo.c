/* demo.c: the demo's data set: a folder of pictures and labels as YOLO's users know it.
 *
 * Every picture follows from the seed and its number alone, so threads share them out freely. The
 * three parts take their numbers from ranges that never meet. */
#include <stdatomic.h>
#include <string.h>

#include "demo_shelf.h"
#include "validation.h"

enum { DEMO_MOST_PICTURES = 100000, DEMO_WORKERS_MAX = 64 };

typedef enum part { PART_TRAIN, PART_VAL, PART_UNSEEN, N_PARTS } part;
static const char *const part_names[N_PARTS] = {"train", "val", "unseen"};
/* Of training's size; the last are for people's eyes. */
static const int part_sizes[N_PARTS][2] = {{320, 240}, {320, 240}, {960, 720}};

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
    const char *folder; /* of the data set */
    uint64_t seed;
    part part;
    base_mem mem;
    base_pool *pool;
    drawer *drawers; /* (threads) */
    int n_drawers;
    const vg_demo_options *o; /* whom to tell */
    atomic_int n_done;
    int n_total;
} drawing;

vg_demo_options vg_demo_options_default(void)
{
    return (vg_demo_options){
        .project = "runs", .name = "demo", .n_train = 480, .n_val = 96, .n_unseen = 8};
}

/* ---- a picture ---- */

static vg_status write_labels(const drawing *g, const drawer *r, size_t n, const char *name,
                              base_mem *mem, vg_error *err)
{
    char path[API_PATH_BYTES];
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
    if (st == VG_OK && !base_format(path, sizeof path, "%s/labels/%s/%s.txt", g->folder,
                                    part_names[g->part], name))
        st = base_fail(err, VG_ERR_LIMIT, g->folder, "choose a shorter project or name",
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
    char path[API_PATH_BYTES], name[64];
    size_t n = 0;
    const int *size = part_sizes[g->part];
    vg_status st = demo_shelf_draw(&r->picture, r->labels, &n, g->seed,
                                   (uint64_t)g->part * DEMO_MOST_PICTURES + number, size[0],
                                   size[1], &r->canvas, mem, err);
    if (st != VG_OK)
        return st;
    base_format(name, sizeof name, "shelf_%04zu", number);
    if (!base_format(path, sizeof path, "%s/images/%s/%s.jpg", g->folder, part_names[g->part],
                     name))
        return base_fail(err, VG_ERR_LIMIT, g->folder, "choose a shorter project or name",
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

static vg_status draw_part(drawing *g, part p, int n, vg_error *err)
{
    char path[API_PATH_BYTES];
    static const char *const kinds[] = {"images", "labels"};
    for (int i = 0; i < 2; i++) {
        if (!base_format(path, sizeof path, "%s/%s/%s", g->folder, kinds[i], part_names[p]))
            return base_fail(err, VG_ERR_LIMIT, g->folder, "choose a shorter project or name",
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

static vg_status write_yaml(const drawing *g, const char *path, vg_error *err)
{
    char text[1024];
    base_format(text, sizeof text,
                "# Shelves drawn by vigil demo, seed %llu. Nothing here is real.\n"
                "train: images/train\n"
                "val: images/val\n"
                "test: images/unseen\n"
                "names:\n"
                "  0: %s\n  1: %s\n  2: %s\n  3: %s\n  4: %s\n",
                (unsigned long long)g->seed, demo_class_names[0], demo_class_names[1],
                demo_class_names[2], demo_class_names[3], demo_class_names[4]);
    _Static_assert(DEMO_N_CLASSES == 5, "the names above");
    return base_file_replace(path, text, strlen(text), err);
}

static vg_status drawing_open(drawing *g, int threads, vg_error *err)
{
    const int n = threads > 0 ? threads : base_cpu_count();
    g->n_drawers = n < DEMO_WORKERS_MAX ? n : DEMO_WORKERS_MAX;
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

static vg_status check(const vg_demo_options *o, vg_error *err)
{
    if (!o->project || !*o->project || !o->name || !*o->name)
        return base_fail(err, VG_ERR_ARGUMENT, "project, name", "leave them at their defaults",
                         "an empty project or name");
    vg_status st = api_check_range("n_train", o->n_train, 1, DEMO_MOST_PICTURES, err);
    if (st == VG_OK)
        st = api_check_range("n_val", o->n_val, 1, DEMO_MOST_PICTURES, err);
    if (st == VG_OK)
        st = api_check_range("n_unseen", o->n_unseen, 1, DEMO_MOST_PICTURES, err);
    if (st == VG_OK)
        st = api_check_range("threads", o->threads, 0, API_MOST_THREADS, err);
    if (st == VG_OK)
        st = api_check_range("seed", o->seed, 0, INT32_MAX, err);
    return st;
}

/* The paths of what was made. */
static vg_status make_folders(vg_demo *out, char dataset[API_PATH_BYTES], const vg_demo_options *o,
                              vg_error *err)
{
    vg_status st = report_run_folder_make(out->folder, sizeof out->folder, o->project, o->name,
                                          false, NULL, err);
    if (st != VG_OK)
        return st;
    if (!base_format(dataset, API_PATH_BYTES, "%s/dataset", out->folder) ||
        !base_format(out->data, sizeof out->data, "%s/dataset.yaml", dataset) ||
        !base_format(out->unseen, sizeof out->unseen, "%s/images/unseen", dataset))
        return base_fail(err, VG_ERR_LIMIT, out->folder, "choose a shorter project or name",
                         "the path of the data set is too long");
    return base_make_dirs(dataset, err);
}

vg_status vg_demo_draw(vg_demo *out, const vg_demo_options *o, vg_error *err)
{
    char dataset[API_PATH_BYTES];
    *out = (vg_demo){.n_objects = 0};
    vg_status st = check(o, err);
    if (st == VG_OK)
        st = make_folders(out, dataset, o, err);
    if (st != VG_OK)
        return st;
    drawing g = {.folder = dataset,
                 .seed = (uint64_t)o->seed,
                 .mem = {.tag = "drawing"},
                 .o = o,
                 .n_total = o->n_train + o->n_val + o->n_unseen};
    st = drawing_open(&g, o->threads, err);
    if (st == VG_OK)
        st = draw_part(&g, PART_TRAIN, o->n_train, err);
    if (st == VG_OK)
        st = draw_part(&g, PART_VAL, o->n_val, err);
    if (st == VG_OK)
        st = draw_part(&g, PART_UNSEEN, o->n_unseen, err);
    if (st == VG_OK)
        st = write_yaml(&g, out->data, err);
    for (int i = 0; g.drawers && i < g.n_drawers; i++)
        out->n_objects += g.drawers[i].n_objects;
    drawing_close(&g);
    return st;
}
