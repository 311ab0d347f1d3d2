/* kind_task_labels.c: label files of outlines, keypoints and turned boxes; outlines resampled,
 * filled and made into masks; rectangles around them; and the order of folders of classes. */
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "data/kind.h"
#include "data/outline.h"
#include "kind.h"

enum { MOST_CASES = 100, MOST_NAME = 128 };

static bool recognises(const gold_file *f)
{
    return gold_has(f, "empty.flags") || gold_has(f, "corners.flags") || gold_has(f, "mask.hw") ||
           gold_has(f, "train.samples");
}

/* ---- rows ---- */

/* The reference lets class nc and parts of classes pass; vigil does not. */
static bool is_vigils_to_refuse(const gold_tensor *rows, int nc)
{
    for (size_t i = 0; i < rows->n / 5; i++)
        if (rows->f32[5 * i] != floorf(rows->f32[5 * i]) || rows->f32[5 * i] >= (float)nc)
            return true;
    return false;
}

static vg_status compare_rows(gold_file *f, const char *set, const label_sink *sink,
                              const label_form *form, const gold_tensor *rows, gold_diff *d,
                              vg_error *err)
{
    gold_diff_add(d, (double)sink->n_labels, (double)rows->n / 5);
    for (size_t i = 0; i < sink->n_labels && i < rows->n / 5; i++) {
        const data_label *l = &sink->labels[i];
        gold_tensor t;
        gold_diff_add(d, l->class_index, rows->f32[5 * i]);
        for (size_t k = 0; k < 4; k++)
            gold_diff_add(d, l->xywh_norm[k], rows->f32[5 * i + 1 + k]);
        const size_t floats = label_form_floats(form);
        const float *points = sink->points ? sink->points + floats * l->first_point : NULL;
        if (gold_has(f, "%s.segment%zu", set, i)) {
            vg_status st = gold_get(&t, f, WEIGHTS_F32, 2, err, "%s.segment%zu", set, i);
            if (st != VG_OK)
                return st;
            gold_diff_add(d, l->n_points, (double)t.n / 2);
            for (size_t k = 0; k < t.n && k < 2 * (size_t)l->n_points; k++)
                gold_diff_add(d, points[k], t.f32[k]);
        }
        if (form->n_keypoints > 0) {
            vg_status st = gold_get(&t, f, WEIGHTS_F32, 3, err, "%s.keypoints", set);
            if (st != VG_OK)
                return st;
            const size_t each = 3 * (size_t)form->n_keypoints;
            for (size_t k = 0; k < each && (i + 1) * each <= t.n; k++)
                gold_diff_add(d, points[k], t.f32[i * each + k]);
        }
    }
    return VG_OK;
}

static vg_status check_file(gold_file *f, gold_job *job, const char *set, const label_form *form,
                            vg_error *err)
{
    gold_tensor text, flags, rows = {0};
    vg_status st = gold_get(&flags, f, WEIGHTS_I64, 1, err, "%s.flags", set);
    if (st == VG_OK && flags.n != 4)
        st = gold_bad(f, err, "%s.flags is not 4", set);
    if (st == VG_OK && flags.i64[0] == 1)
        return VG_OK; /* no file */
    if (st == VG_OK)
        st = gold_get(&text, f, WEIGHTS_U8, 1, err, "%s.text", set);
    const bool is_corrupt = st == VG_OK && flags.i64[3] == 1;
    if (st == VG_OK && !is_corrupt)
        st = gold_get(&rows, f, WEIGHTS_F32, 2, err, "%s.rows", set);
    char *copy = st == VG_OK ? gold_take(f, text.n + 1, 1, err) : NULL;
    if (st != VG_OK || !copy)
        return st != VG_OK ? st : VG_ERR_MEMORY;
    memcpy(copy, text.u8, text.n);
    copy[text.n] = '\0';
    label_sink sink = {0};
    label_text_result r;
    vg_error why = {0};
    const bool is_ours = !is_corrupt && is_vigils_to_refuse(&rows, form->nc);
    const vg_status is = label_text_parse(&sink, &r, copy, text.n, form, set, job->mem, &why);
    gold_diff d = gold_diff_make(1e-7, 0);
    gold_diff_add(&d, is != VG_OK, is_corrupt || is_ours);
    if (is == VG_OK && !is_corrupt)
        st = compare_rows(f, set, &sink, form, &rows, &d, err);
    gold_report_row(job->report, &d, "%s%s", set, is_ours ? " (refused by vigil alone)" : "");
    label_sink_fini(&sink);
    return st;
}

static vg_status check_files(gold_file *f, gold_job *job, vg_error *err)
{
    int64_t nc = 0, n_keypoints = 0;
    vg_status st = gold_meta_i64(&nc, f, "nc", 1, 65536, err);
    if (st == VG_OK && nc == 0)
        nc = 3; /* of the turned boxes' file, which may not say it */
    const char *shape = gold_meta_text(f, "kpt_shape", NULL);
    if (shape)
        n_keypoints = strtol(shape, NULL, 10);
    for (size_t i = 0; i < weights_count(f->weights) && st == VG_OK; i++) {
        const char *name = weights_at(f->weights, i)->name;
        const size_t n = strlen(name), n_suffix = strlen(".flags");
        char set[MOST_NAME];
        if (n <= n_suffix || strcmp(name + n - n_suffix, ".flags") != 0 ||
            !base_format(set, sizeof set, "%.*s", (int)(n - n_suffix), name))
            continue;
        label_form form = {.kind = gold_has_prefix(f, "rect0.") ? &DATA_ROTATED : &DATA_POLYGONS,
                           .nc = (int)nc};
        if (shape) {
            form.kind = &DATA_KEYPOINTS;
            form.n_keypoints = (int)n_keypoints;
            form.keypoint_dims = strstr(set, "dim2") ? 2 : 3;
        }
        if (shape && (n_keypoints < 1 || n_keypoints > DATA_MOST_KEYPOINTS))
            return gold_bad(f, err, "kpt_shape is \"%s\"", shape);
        st = check_file(f, job, set, &form, err);
    }
    return st;
}

/* ---- outlines ---- */

static vg_status check_resampling(gold_file *f, gold_job *job, int n, int i, vg_error *err)
{
    gold_tensor in, want;
    vg_status st = gold_get(&in, f, WEIGHTS_F32, 2, err, "resample%d_%d.in", n, i);
    if (st == VG_OK)
        st = gold_get(&want, f, WEIGHTS_F32, 2, err, "resample%d_%d.out", n, i);
    if (st == VG_OK && (want.shape[0] < 2 || in.shape[0] < 1 || in.n != 2 * in.shape[0]))
        st = gold_bad(f, err, "resample%d_%d is no outline", n, i);
    float *out = st == VG_OK ? gold_take(f, want.n, sizeof *out, err) : NULL;
    if (!out)
        return st != VG_OK ? st : VG_ERR_MEMORY;
    outline_resample(out, want.shape[0], in.f32, in.shape[0]);
    gold_diff d = gold_diff_make(1e-6, 0);
    for (size_t k = 0; k < want.n; k++)
        gold_diff_add(&d, out[k], want.f32[k]);
    gold_report_row(job->report, &d, "%s", want.name);
    return VG_OK;
}

typedef struct masks {
    gold_tensor polygons;
    int w, h;
    uint8_t *room, *mask;
    int32_t *map;
    uint32_t *areas, *order, *ranks;
} masks;

static vg_status check_masks_of(gold_file *f, gold_job *job, masks *m, int q, vg_error *err)
{
    gold_tensor overlap, order, separate;
    const size_t n = m->polygons.shape[0], n_points = m->polygons.shape[1],
                 n_pixels = (size_t)(m->w / q) * (size_t)(m->h / q);
    vg_status st = gold_get(&overlap, f, WEIGHTS_U8, 2, err, "mask.overlap%d", q);
    if (st == VG_OK)
        st = gold_get(&order, f, WEIGHTS_I64, 1, err, "mask.order%d", q);
    if (st == VG_OK)
        st = gold_get(&separate, f, WEIGHTS_U8, 3, err, "mask.separate%d", q);
    if (st == VG_OK && (overlap.n != n_pixels || order.n != n || separate.n != n * n_pixels))
        st = gold_bad(f, err, "masks of ratio %d are of another size", q);
    if (st != VG_OK)
        return st;
    gold_diff each = gold_diff_make(0, 0), maps = each, places = each;
    outline_map_begin(m->map, m->w, m->h, q);
    for (uint32_t i = 0; i < n; i++) {
        const float *points = m->polygons.f32 + 2 * n_points * i;
        outline_mask(m->mask, m->room, points, n_points, m->w, m->h, q);
        for (size_t k = 0; k < n_pixels; k++)
            gold_diff_add(&each, m->mask[k], separate.u8[i * n_pixels + k]);
        outline_map_paint(m->map, m->areas, i, m->room, points, n_points, m->w, m->h, q);
    }
    outline_map_end(m->map, m->order, m->ranks, m->areas, n, m->w, m->h, q);
    /* Of equally large ones, or those without a pixel, the reference's order is its sort's. */
    bool has_ties = false;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            has_ties |= m->areas[i] == m->areas[k];
    for (size_t i = 0; i < n; i++)
        gold_diff_add(&places, has_ties ? m->areas[m->order[i]] : m->order[i],
                      has_ties ? (double)m->areas[order.i64[i]] : (double)order.i64[i]);
    for (size_t k = 0; k < n_pixels; k++)
        gold_diff_add(&maps, has_ties ? m->map[k] > 0 : m->map[k],
                      has_ties ? overlap.u8[k] > 0 : overlap.u8[k]);
    gold_report_row(job->report, &each, "%s", separate.name);
    gold_report_row(job->report, &places, "%s", order.name);
    gold_report_row(job->report, &maps, "%s", overlap.name);
    return VG_OK;
}

static vg_status check_masks(gold_file *f, gold_job *job, vg_error *err)
{
    masks m = {0};
    gold_tensor hw;
    vg_status st = gold_get(&hw, f, WEIGHTS_I64, 1, err, "mask.hw");
    if (st == VG_OK)
        st = gold_get(&m.polygons, f, WEIGHTS_F32, 3, err, "mask.polygons");
    if (st == VG_OK && (hw.n != 2 || hw.i64[0] < 4 || hw.i64[1] < 4 || hw.i64[0] % 4 != 0 ||
                        hw.i64[1] % 4 != 0 || hw.i64[0] > 4096 || hw.i64[1] > 4096))
        st = gold_bad(f, err, "mask.hw is no size");
    if (st != VG_OK)
        return st;
    m.h = (int)hw.i64[0];
    m.w = (int)hw.i64[1];
    const size_t n = m.polygons.shape[0], n_pixels = (size_t)m.h * (size_t)m.w;
    m.room = gold_take(f, outline_room_bytes(m.w, m.h), 1, err);
    m.mask = m.room ? gold_take(f, n_pixels, 1, err) : NULL;
    m.map = m.mask ? gold_take(f, n_pixels, sizeof *m.map, err) : NULL;
    m.areas = m.map ? gold_take(f, 3 * n, sizeof *m.areas, err) : NULL;
    if (!m.areas)
        return VG_ERR_MEMORY;
    m.order = m.areas + n;
    m.ranks = m.order + n;
    for (int q = 1; q <= 4 && st == VG_OK; q *= 2)
        if (gold_has(f, "mask.overlap%d", q))
            st = check_masks_of(f, job, &m, q, err);
    return st;
}

/* The same rectangle, whichever side its angle is of. */
static vg_status check_rectangle(gold_file *f, gold_job *job, int i, vg_error *err)
{
    static const double quarter = 1.57079632679489662;
    gold_tensor points, want;
    vg_status st = gold_get(&points, f, WEIGHTS_F32, 2, err, "rect%d.points", i);
    if (st == VG_OK)
        st = gold_get(&want, f, WEIGHTS_F64, 2, err, "rect%d.xywhr", i);
    if (st == VG_OK && want.n != 5)
        st = gold_bad(f, err, "rect%d.xywhr is not 5", i);
    float *scratch = st == VG_OK
                         ? gold_take(f, DETECT_AROUND_FLOATS(points.shape[0]), sizeof *scratch, err)
                         : NULL;
    if (!scratch)
        return st != VG_OK ? st : VG_ERR_MEMORY;
    float is[5];
    detect_rotated_around(is, points.f32, points.shape[0], scratch);
    const bool turned = fabs(fabs(is[4] - want.f64[4]) - quarter) < 1e-2;
    gold_diff d = gold_diff_make(1e-3, 0);
    for (int k = 0; k < 4; k++)
        gold_diff_add(&d, is[k], want.f64[turned && k >= 2 ? 5 - k : k]);
    gold_diff_add(&d, turned ? fabs(is[4] - want.f64[4]) - quarter + want.f64[4] : is[4],
                  want.f64[4]);
    gold_report_row(job->report, &d, "rect%d.xywhr", i);
    return VG_OK;
}

/* ---- folders of classes ---- */

/* An empty file for each row "class split/path", as pictures of train; val with the same folders.
 */
static vg_status make_tree(const char *root, char *classes, char *samples, vg_error *err)
{
    char path[4096];
    vg_status st = VG_OK;
    char *save = NULL;
    for (char *c = strtok_r(classes, "\n", &save); c && st == VG_OK;
         c = strtok_r(NULL, "\n", &save))
        for (int split = 0; split < 2 && st == VG_OK; split++) {
            base_format(path, sizeof path, "%s/%s/%s", root, split ? "val" : "train", c);
            st = base_make_dirs(path, err);
        }
    for (char *s = strtok_r(samples, "\n", &save); s && st == VG_OK;
         s = strtok_r(NULL, "\n", &save)) {
        const char *below = strchr(s, '/');
        if (!below || !base_format(path, sizeof path, "%s/train%s", root, below))
            continue;
        char folder[4096];
        base_format(folder, sizeof folder, "%.*s", (int)(base_path_name(path) - path - 1), path);
        st = base_make_dirs(folder, err);
        if (st == VG_OK)
            st = base_file_replace(path, "x", 1, err);
    }
    return st;
}

static vg_status check_order(gold_file *f, gold_job *job, const char *split, const char *root,
                             vg_error *err)
{
    gold_tensor classes, samples;
    vg_status st = gold_get(&classes, f, WEIGHTS_U8, 1, err, "%s.classes", split);
    if (st == VG_OK)
        st = gold_get(&samples, f, WEIGHTS_U8, 1, err, "%s.samples", split);
    char *texts[3] = {NULL};
    for (int i = 0; i < 3 && st == VG_OK; i++) {
        const gold_tensor *t = i == 0 ? &classes : &samples;
        texts[i] = gold_take(f, t->n + 1, 1, err);
        if (!texts[i])
            return VG_ERR_MEMORY;
        memcpy(texts[i], t->u8, t->n);
        texts[i][t->n] = '\0';
    }
    data_spec *spec = NULL;
    data_list list = {0};
    if (st == VG_OK)
        st = make_tree(root, texts[0], texts[1], err);
    if (st == VG_OK)
        st = data_spec_open(&spec, root, job->mem, err);
    if (st == VG_OK)
        st = data_list_open(&list, spec, DATA_TRAIN, job->mem, err);
    gold_diff d = gold_diff_make(0, 0);
    char *save = NULL, *row = st == VG_OK ? strtok_r(texts[2], "\n", &save) : NULL;
    size_t n = 0;
    for (; row; row = strtok_r(NULL, "\n", &save), n++) {
        const char *below = strchr(row, '/');
        const bool is_there = n < list.n && below;
        const size_t length = below ? strlen(below) : 0,
                     n_path = is_there ? strlen(list.paths[n]) : 0;
        gold_diff_add(
            &d, is_there && n_path >= length && strcmp(list.paths[n] + n_path - length, below) == 0,
            1);
        gold_diff_add(&d, is_there ? list.classes[n] : -1, (double)strtol(row, NULL, 10));
    }
    gold_diff_add(&d, (double)list.n, (double)n);
    if (st == VG_OK)
        gold_report_row(job->report, &d, "%s.samples", split);
    data_list_close(&list);
    data_spec_destroy(&spec);
    return st;
}

static vg_status check_folders(gold_file *f, gold_job *job, vg_error *err)
{
    static const char *const splits[] = {"train", "val"};
    vg_status st = VG_OK;
    for (int i = 0; i < 2 && st == VG_OK; i++) {
        char root[] = "/tmp/vigil-golden-XXXXXX", command[64];
        if (!gold_has(f, "%s.samples", splits[i]))
            continue;
        if (!mkdtemp(root))
            return base_fail_errno(err, VG_ERR_IO, root, NULL, "no folder can be made");
        st = check_order(f, job, splits[i], root, err);
        base_format(command, sizeof command, "rm -rf %s", root);
        if (system(command) != 0)
            gold_report_note(job->report, "%s stays", root);
    }
    return st;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    vg_status st = check_files(f, job, err);
    for (int n = 100; n <= 1000 && st == VG_OK; n *= 10)
        for (int i = 0; i < MOST_CASES && gold_has(f, "resample%d_%d.in", n, i) && st == VG_OK; i++)
            st = check_resampling(f, job, n, i, err);
    if (st == VG_OK && gold_has(f, "mask.hw"))
        st = check_masks(f, job, err);
    for (int i = 0; i < MOST_CASES && gold_has(f, "rect%d.points", i) && st == VG_OK; i++)
        st = check_rectangle(f, job, i, err);
    return st == VG_OK ? check_folders(f, job, err) : st;
}

const gold_kind gold_kind_task_labels = {
    .name = "task_labels",
    .help = "label files of outlines, keypoints, turned boxes; masks; folders of classes",
    .recognises = recognises,
    .check = check};
