/* dataset.c: the demo's data set: a folder of pictures and labels as YOLO's users know it.
 *
 * Every picture follows from the seed and its number alone, so threads share them out freely. The
 * three parts take their numbers from ranges that never meet. */
#include <stdatomic.h>
#include <string.h>

#include "demo.h"

enum { WORKERS_MAX = 64, PATH_BYTES = 4096 };

static const char *const part_names[DEMO_N_PARTS] = {"train", "val", "unseen"};

/* What a thread draws with. */
typedef struct drawer {
    demo_sheet sheet;
    image_encoder *encoder;
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

static vg_status too_long(const demo_dataset *o, vg_error *err)
{
    return base_fail(err, VG_ERR_LIMIT, o->folder, "choose a shorter project or name",
                     "the path of the data set is too long");
}

/* ---- where things are ---- */

bool demo_dataset_path(char *buf, size_t n, const demo_dataset *o)
{
    return o->subject->in_class_folders ? base_format(buf, n, "%s", o->folder)
                                        : base_path_join(buf, n, o->folder, "dataset.yaml");
}

bool demo_dataset_unseen(char *buf, size_t n, const demo_dataset *o)
{
    return base_path_join(buf, n, o->folder,
                          o->subject->in_class_folders ? part_names[DEMO_UNSEEN] : "images/unseen");
}

/* The path of a picture or its labels, without its suffix. Of class folders the unseen ones lie
 * together, and their names tell what they are. */
static bool place_of(char path[PATH_BYTES], const drawing *g, const char *kind, size_t number,
                     int class_index)
{
    const demo_subject *s = g->o->subject;
    const char *part = part_names[g->part];
    if (!s->in_class_folders)
        return base_format(path, PATH_BYTES, "%s/%s/%s/%s_%04zu", g->o->folder, kind, part, s->stem,
                           number);
    return base_format(path, PATH_BYTES, "%s/%s/%s%c%s_%04zu", g->o->folder, part,
                       s->class_names[class_index], g->part == DEMO_UNSEEN ? '_' : '/', s->stem,
                       number);
}

/* ---- a picture ---- */

static vg_status write_labels(const drawing *g, const drawer *r, size_t number, vg_error *err)
{
    char path[PATH_BYTES];
    const base_str *rows = &r->sheet.rows;
    base_file file = BASE_FILE_NONE;
    vg_status st = VG_OK;
    if (!place_of(path, g, "labels", number, 0) || strlen(path) + 5 > sizeof path)
        return too_long(g->o, err);
    memcpy(path + strlen(path), ".txt", 5);
    st = base_file_create_beside(&file, path, err);
    if (st == VG_OK && rows->length > 0)
        st = base_file_write(&file, rows->text, rows->length, err);
    if (st == VG_OK)
        st = base_file_publish(&file, path, err);
    base_file_discard(&file);
    return st;
}

static vg_status draw_one(const drawing *g, drawer *r, size_t number, base_mem *mem, vg_error *err)
{
    char path[PATH_BYTES];
    const demo_subject *s = g->o->subject;
    const int *size = s->sizes[g->part];
    r->sheet.rows.length = 0;
    r->sheet.n_objects = 0;
    vg_status st = s->draw(&r->sheet, g->o->seed, (uint64_t)g->part * DEMO_MOST_PICTURES + number,
                           size[0], size[1], mem, err);
    if (st != VG_OK)
        return st;
    if (!place_of(path, g, "images", number, r->sheet.class_index) ||
        strlen(path) + 5 > sizeof path)
        return too_long(g->o, err);
    memcpy(path + strlen(path), ".jpg", 5);
    st = image_write(r->encoder, &r->sheet.picture.view, path, mem, err);
    if (st == VG_OK && !s->in_class_folders)
        st = write_labels(g, r, number, err);
    if (st == VG_OK)
        r->n_objects += r->sheet.n_objects;
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

static vg_status make_folder(const demo_dataset *o, const char *first, const char *second,
                             vg_error *err)
{
    char path[PATH_BYTES];
    if (!base_format(path, sizeof path, "%s/%s/%s", o->folder, first, second))
        return too_long(o, err);
    return base_make_dirs(path, err);
}

static vg_status make_folders(const demo_dataset *o, demo_part p, vg_error *err)
{
    const demo_subject *s = o->subject;
    vg_status st = VG_OK;
    if (s->in_class_folders) {
        if (p == DEMO_UNSEEN)
            return make_folder(o, part_names[p], "", err);
        for (int i = 0; i < s->n_classes && st == VG_OK; i++)
            st = make_folder(o, part_names[p], s->class_names[i], err);
        return st;
    }
    st = make_folder(o, "images", part_names[p], err);
    return st == VG_OK ? make_folder(o, "labels", part_names[p], err) : st;
}

static vg_status draw_part(drawing *g, demo_part p, int n, vg_error *err)
{
    const vg_status st = make_folders(g->o, p, err);
    if (st != VG_OK)
        return st;
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

static vg_status write_yaml(const demo_dataset *o, base_mem *mem, vg_error *err)
{
    enum { MOST = 1 << 16 };
    const demo_subject *s = o->subject;
    char path[PATH_BYTES];
    base_str text = {0};
    if (!demo_dataset_path(path, sizeof path, o))
        return too_long(o, err);
    vg_status st =
        base_str_add(&text, MOST, mem, err,
                     "# %s: pictures drawn by vigil demo, seed %llu. Nothing here is real.\n"
                     "train: images/train\n"
                     "val: images/val\n"
                     "test: images/unseen\n"
                     "%s"
                     "names:\n",
                     s->about.task, (unsigned long long)o->seed, s->yaml);
    for (int i = 0; i < s->n_classes && st == VG_OK; i++)
        st = base_str_add(&text, MOST, mem, err, "  %d: %s\n", i, s->class_names[i]);
    if (st == VG_OK)
        st = base_file_replace(path, text.text, text.length, err);
    base_str_fini(&text);
    return st;
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
        demo_sheet_fini(&g->drawers[i].sheet);
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
    if (st == VG_OK && !o->subject->in_class_folders)
        st = write_yaml(o, &g.mem, err);
    for (int i = 0; g.drawers && i < g.n_drawers; i++)
        *n_objects += g.drawers[i].n_objects;
    drawing_close(&g);
    return st;
}
