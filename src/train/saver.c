/* saver.c: pictures one by one into a list and into files of their own. */
#include "saver.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "image/image.h"
#include "task/task.h"

struct train_saver {
    train_saver_options o;
    report_coco *coco;           /* NULL without json */
    report_dota *dota;           /* NULL without json, and where boxes are upright */
    size_t n_shared;             /* bytes of the folder that all pictures share, "/" included */
    char made[TRAIN_PATH_BYTES]; /* the folder below labels/ that was made last */
    report_text row;             /* with txt */
};

vg_status train_saver_check(const task *t, bool json, vg_error *err)
{
    if (!json || t->put_coco != NULL)
        return VG_OK;
    return base_fail(err, VG_ERR_UNSUPPORTED, "save_json", "leave it out, or use save_txt",
                     "predictions.json is a list of objects in pictures, and %s finds none",
                     t->name);
}

/* Up to the last "/" that the paths of all pictures have in common. */
static size_t shared_bytes(const data_set *set)
{
    const char *first = data_set_size(set) > 0 ? data_set_picture(set, 0)->path : "";
    const char *name = base_path_name(first);
    size_t n = (size_t)(name - first);
    for (size_t i = 1; i < data_set_size(set); i++) {
        const char *path = data_set_picture(set, i)->path;
        while (n > 0 && strncmp(path, first, n) != 0)
            for (n--; n > 0 && first[n - 1] != '/'; n--) {
            }
    }
    return n;
}

vg_status train_saver_create(train_saver **out, const train_saver_options *o, base_mem *mem,
                             vg_error *err)
{
    char path[TRAIN_PATH_BYTES];
    *out = NULL;
    vg_status st = train_saver_check(o->task, o->json, err);
    if (st != VG_OK)
        return st;
    train_saver *s = base_alloc_zero(mem, 1, sizeof *s, err);
    if (s == NULL)
        return VG_ERR_MEMORY;
    s->o = *o;
    s->n_shared = shared_bytes(o->set);
    if (o->json) {
        st = train_path(path, o->folder, "predictions.json", err);
        if (st == VG_OK)
            st = report_coco_create(&s->coco, path, report_coco_category_ids(o->names, o->nc),
                                    o->nc, mem, err);
    }
    if (st == VG_OK && o->json && o->task->is_rotated)
        st = report_dota_create(&s->dota, o->folder, o->names, o->nc, mem, err);
    if (st != VG_OK)
        train_saver_destroy(&s);
    *out = s;
    return st;
}

void train_saver_destroy(train_saver **saver)
{
    train_saver *s = *saver;
    if (s == NULL)
        return;
    report_coco_destroy(&s->coco);
    report_dota_destroy(&s->dota);
    report_text_discard(&s->row);
    base_free(s);
    *saver = NULL;
}

/* ---- predictions.json ---- */

typedef struct picture {
    const train_saver *s;
    const train_validated *p;
} picture;

static vg_status put_fields(void *ctx, report_text *t, size_t i, vg_error *err)
{
    const picture *k = ctx;
    const data_item *item = k->p->item;
    const task_row row = {.box = &k->p->boxes[i],
                          .extras = &k->p->found,
                          .index = i,
                          .w = item->w0,
                          .h = item->h0,
                          .pad_top = item->top,
                          .pad_left = item->left};
    return k->s->o.task->put_coco(t, &row, err);
}

/* ---- labels ---- */

/* labels/ and what lies between it and the picture, which is made where it is not there. */
static vg_status label_path(train_saver *s, char path[TRAIN_PATH_BYTES], const char *of,
                            vg_error *err)
{
    char folder[TRAIN_PATH_BYTES], stem[TRAIN_PATH_BYTES];
    const char *rest = of + s->n_shared;
    const int n_between = (int)(base_path_name(rest) - rest);
    if (!base_path_stem(stem, sizeof stem, of) ||
        !base_format(folder, sizeof folder, "%s/labels/%.*s", s->o.folder, n_between, rest) ||
        !base_format(path, TRAIN_PATH_BYTES, "%s%s.txt", folder, stem))
        return base_fail(err, VG_ERR_LIMIT, of, "use shorter names",
                         "the path of the label file is too long");
    if (strcmp(s->made, folder) == 0)
        return VG_OK;
    base_format(s->made, sizeof s->made, "%s", folder);
    return base_make_dirs(folder, err);
}

static vg_status write_labels(train_saver *s, const train_validated *p, const char *of,
                              vg_error *err)
{
    char path[TRAIN_PATH_BYTES];
    vg_status st = label_path(s, path, of, err);
    if (st != VG_OK)
        return st;
    if (p->n_boxes == 0 && p->found.n_top == 0) {
        if (unlink(path) == 0 || errno == ENOENT)
            return VG_OK;
        return base_fail_errno(err, VG_ERR_IO, path, NULL,
                               "the label file of an earlier run stays");
    }
    vg_extras extras = p->found;
    extras.task = s->o.task->id; /* boxes alone have nothing beside them, and say nothing */
    const task_writer w = {.put = report_text_put, .to = &s->row, .gap = " "};
    const task_rows rows = {.boxes = p->boxes,
                            .n = p->n_boxes,
                            .extras = &extras,
                            .w = p->item->w0,
                            .h = p->item->h0,
                            .name_at = image_name_at,
                            .names = s->o.names,
                            .n_names = (size_t)s->o.nc};
    st = report_text_begin(&s->row, path, err);
    if (st == VG_OK)
        st = task_put_labels(&w, &rows, s->o.conf, err);
    return st == VG_OK ? report_text_end(&s->row, false, err) : st;
}

vg_status train_saver_add(train_saver *s, const train_validated *p, vg_error *err)
{
    const char *path = data_set_picture(s->o.set, p->item->picture)->path;
    picture k = {s, p};
    const report_coco_fields fields = {put_fields, &k};
    vg_status st = VG_OK;
    if (s->coco != NULL)
        st = report_coco_add(s->coco, path, p->boxes, p->n_boxes, &fields, err);
    if (st == VG_OK && s->dota != NULL)
        st = report_dota_add(s->dota, path, p->boxes, p->found.rotated, p->n_boxes, err);
    return st == VG_OK && s->o.txt ? write_labels(s, p, path, err) : st;
}

vg_status train_saver_commit(train_saver *s, vg_error *err)
{
    const vg_status st = s->coco != NULL ? report_coco_commit(s->coco, err) : VG_OK;
    return st == VG_OK && s->dota != NULL ? report_dota_commit(s->dota, err) : st;
}
