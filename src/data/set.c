/* set.c: a split opened: list, table from cache or files, then what the options ask for.
 *
 * The table holds what the files say; fraction is part of the list, single_cls and classes are
 * applied afterwards, so that one cache serves them all. */
#include <math.h>
#include <string.h>

#include "kind.h"
#include "notice.h"

struct data_set {
    label_table table;
    data_picture *pictures; /* (n) own block, paths behind it */
    size_t n;
    int nc;
    const data_kind *kind;
    int n_keypoints, keypoint_dims, flip_idx[DATA_MOST_KEYPOINTS];
    bool has_flip_idx;
    size_t most_labels, most_file_bytes;
    bool from_cache;
    notices notices;
};

/* Beside the folder of the labels of the first picture that is there: a line of a list that names
 * nothing leads to no folder. False when there is none, or the path is too long. */
static bool cache_path_of(char *out, size_t n, const data_list *list, const data_spec *spec,
                          data_split split)
{
    if (data_spec_is_folder(spec))
        return base_format(out, n, "%s/%s.vigil-cache", data_spec_root(spec),
                           data_spec_place(spec, split, 0));
    char label[DATA_PATH_BYTES];
    size_t first = 0;
    while (first < list->n && !base_path_exists(list->paths[first]))
        first++;
    if (first == list->n || !data_label_find(label, sizeof label, list->paths[first]))
        return false;
    size_t folder = (size_t)(base_path_name(label) - label);
    while (folder > 1 && label[folder - 1] == '/')
        folder--;
    return base_format(out, n, "%.*s-%s.vigil-cache", (int)folder, label, data_split_name(split));
}

static vg_status fill_table(data_set *s, const data_list *list, const data_spec *spec,
                            const data_set_options *o, const label_form *form, base_pool *pool,
                            base_mem *mem, vg_error *err)
{
    char path[DATA_PATH_BYTES];
    bool cached =
        !o->no_cache && (o->cache_path ? base_format(path, sizeof path, "%s", o->cache_path)
                                       : cache_path_of(path, sizeof path, list, spec, o->split));
    uint64_t key = cached ? label_cache_key(list, form) : 0;
    if (cached && label_cache_read(&s->table, path, key, list->n, form, mem)) {
        s->from_cache = true;
        return VG_OK;
    }
    vg_status st = label_table_scan(&s->table, list, form, pool, mem, err);
    if (st != VG_OK || !cached)
        return st;
    vg_error unwritten = {0};
    if (label_cache_write(&s->table, path, key, &unwritten) != VG_OK)
        base_log(BASE_LOG_DEBUG, "label cache not written", "path=%s reason=%s", path,
                 unwritten.what);
    return VG_OK;
}

/* ---- what the options ask for ---- */

/* Keeps the wanted classes; rows move down over those that go. */
static void filter_classes(label_table *t, const uint8_t *wanted, bool single_cls)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n_entries; i++) {
        label_entry *e = &t->entries[i];
        size_t first = n;
        for (size_t k = 0; k < e->n_labels; k++) {
            data_label l = t->labels[e->first_label + k];
            if (wanted && !wanted[l.class_index])
                continue;
            if (single_cls)
                l.class_index = 0;
            t->labels[n++] = l;
        }
        e->first_label = first;
        e->n_labels = (uint32_t)(n - first);
    }
    t->n_labels = n;
}

/* Boxes and polygons in one set: the polygons count as boxes (as in the reference, where both kinds
 * in a mosaic could not be told apart). */
static void settle_polygons(label_table *t)
{
    size_t n_polygons = 0;
    for (size_t i = 0; i < t->n_labels; i++)
        n_polygons += t->labels[i].n_points > 0;
    if (n_polygons == t->n_labels)
        return;
    for (size_t i = 0; i < t->n_labels; i++)
        t->labels[i].n_points = 0;
}

/* Where outlines are asked for: the first object that has none. */
static vg_status need_outlines(const data_set *s, const data_list *list, data_split split,
                               vg_error *err)
{
    char label[DATA_PATH_BYTES], count[64];
    size_t n_boxes = 0, first = 0;
    for (size_t i = s->table.n_entries; i-- > 0;) {
        const label_entry *e = &s->table.entries[i];
        size_t n = 0;
        for (size_t k = 0; k < e->n_labels; k++)
            n += s->table.labels[e->first_label + k].n_points == 0;
        first = n > 0 ? i : first;
        n_boxes += n;
    }
    if (n_boxes == 0)
        return VG_OK;
    const bool fits = data_label_find(label, sizeof label, list->paths[first]);
    return base_fail(err, VG_ERR_FORMAT, fits ? label : list->paths[first],
                     "give rows of: class x1 y1 x2 y2 x3 y3 ...; boxes alone train task=detect",
                     "%s of the %s split %s a box without an outline",
                     base_count(count, sizeof count, n_boxes, "object"), data_split_name(split),
                     n_boxes == 1 ? "is" : "are each");
}

static vg_status fill_pictures(data_set *s, const data_list *list, base_mem *mem, vg_error *err)
{
    size_t n = 0, n_text = 0;
    char count[64];
    for (size_t i = 0; i < list->n; i++)
        if (label_entry_is_used(&s->table.entries[i])) {
            n++;
            n_text += strlen(list->paths[i]) + 1;
        }
    if (n == 0 && s->table.report.n_absent == list->n)
        return base_fail(err, VG_ERR_IO, list->paths[0],
                         "a line of a list is looked for in the working folder, beside the list "
                         "and in the dataset's folder; begin it with ./ or / to say which",
                         "none of the %zu pictures in the list exists", list->n);
    if (n == 0)
        return base_fail(err, VG_ERR_FORMAT, s->table.report.messages[0],
                         "correct the files named here",
                         "no picture can be used: of %s, %zu are corrupt and %zu do not exist",
                         base_count(count, sizeof count, list->n, "picture"),
                         (size_t)s->table.report.n_corrupt, (size_t)s->table.report.n_absent);
    s->pictures = base_alloc(mem, n * sizeof *s->pictures + n_text, err);
    if (!s->pictures)
        return VG_ERR_MEMORY;
    char *text = (char *)(s->pictures + n);
    for (size_t i = 0; i < list->n; i++) {
        const label_entry *e = &s->table.entries[i];
        if (!label_entry_is_used(e))
            continue;
        size_t n_path = strlen(list->paths[i]) + 1;
        memcpy(text, list->paths[i], n_path);
        s->pictures[s->n++] = (data_picture){.path = text,
                                             .w = e->w,
                                             .h = e->h,
                                             .n_labels = e->n_labels,
                                             .labels = s->table.labels + e->first_label};
        text += n_path;
        s->most_labels = e->n_labels > s->most_labels ? e->n_labels : s->most_labels;
        s->most_file_bytes =
            e->n_file_bytes > s->most_file_bytes ? (size_t)e->n_file_bytes : s->most_file_bytes;
    }
    return VG_OK;
}

static vg_status check_options(const data_spec *spec, const data_set_options *o, vg_error *err)
{
    if (!data_spec_has(spec, o->split))
        return base_fail(
            err, VG_ERR_FORMAT, data_spec_source(spec),
            base_mend("add %s: to it, or choose another split", data_split_name(o->split)),
            "the dataset has no %s split", data_split_name(o->split));
    if (!(o->fraction >= 0 && o->fraction <= 1))
        return base_fail(err, VG_ERR_ARGUMENT, "fraction", "give a part from 0 to 1",
                         "fraction %g of a dataset", o->fraction);
    return VG_OK;
}

static void take_kind(data_set *s, const label_form *form, const data_spec *spec)
{
    s->kind = form->kind;
    s->n_keypoints = form->n_keypoints;
    s->keypoint_dims = form->keypoint_dims;
    const int *flips = data_spec_keypoints(spec).flip_idx;
    s->has_flip_idx = form->n_keypoints > 0 && flips;
    if (s->has_flip_idx)
        memcpy(s->flip_idx, flips, (size_t)form->n_keypoints * sizeof *flips);
}

vg_status data_set_open(data_set **out, const data_spec *spec, const data_set_options *options,
                        base_pool *pool, base_mem *mem, vg_error *err)
{
    *out = NULL;
    data_list list = {0};
    data_set *s = NULL;
    label_form form;
    vg_status st = check_options(spec, options, err);
    if (st == VG_OK)
        st = label_form_make(&form, options->kind, spec, err);
    if (st != VG_OK)
        goto done;
    st = data_list_open(&list, spec, options->split, mem, err);
    if (st != VG_OK)
        goto done;
    double part = options->fraction > 0 ? options->fraction : 1.0;
    size_t n = (size_t)rint((double)list.n * part); /* ties to even, as Python's round */
    list.n = n > 1 ? n : 1;
    s = base_alloc_zero(mem, 1, sizeof *s, err);
    if (!s) {
        st = VG_ERR_MEMORY;
        goto done;
    }
    st = fill_table(s, &list, spec, options, &form, pool, mem, err);
    if (st != VG_OK)
        goto done;
    take_kind(s, &form, spec);
    notices_of_table(&s->notices, &list, &s->table, form.kind, options->split);
    if (form.n_keypoints > 0)
        notices_of_keypoints(&s->notices, s->has_flip_idx, options->split);
    const size_t n_before = s->table.n_labels;
    filter_classes(&s->table, options->classes, options->single_cls);
    notices_of_classes(&s->notices, n_before, s->table.n_labels, options->split);
    if (form.kind->n_outline > 0)
        st = need_outlines(s, &list, options->split, err);
    else if (form.kind->knows_polygons)
        settle_polygons(&s->table);
    if (st != VG_OK)
        goto done;
    s->nc = options->single_cls ? 1 : data_spec_nc(spec);
    st = fill_pictures(s, &list, mem, err);
    if (st != VG_OK)
        goto done;
    *out = s;
    s = NULL;
done:
    data_set_destroy(&s);
    data_list_close(&list);
    return st;
}

void data_set_destroy(data_set **set)
{
    data_set *s = *set;
    if (!s)
        return;
    label_table_fini(&s->table);
    base_free(s->pictures);
    base_free(s);
    *set = NULL;
}

size_t data_set_size(const data_set *s)
{
    return s->n;
}

int data_set_nc(const data_set *s)
{
    return s->nc;
}

const data_picture *data_set_picture(const data_set *s, size_t index)
{
    return &s->pictures[index];
}

const data_kind *data_set_kind(const data_set *s)
{
    return s->kind;
}

const float *data_set_points(const data_set *s)
{
    return s->n_keypoints > 0 ? NULL : s->table.points;
}

const float *data_set_keypoints(const data_set *s)
{
    return s->n_keypoints > 0 ? s->table.points : NULL;
}

data_keypoint_shape data_set_keypoint_shape(const data_set *s)
{
    return (data_keypoint_shape){s->n_keypoints, s->keypoint_dims,
                                 s->has_flip_idx ? s->flip_idx : NULL};
}

size_t data_set_most_labels(const data_set *s)
{
    return s->most_labels;
}

size_t data_set_most_file_bytes(const data_set *s)
{
    return s->most_file_bytes;
}

bool data_set_from_cache(const data_set *s)
{
    return s->from_cache;
}

const data_report *data_set_report(const data_set *s)
{
    return &s->table.report;
}

vg_data_report data_set_summary(const data_set *s)
{
    const data_report *r = &s->table.report;
    size_t n_objects = 0; /* the report's are those before the choice of classes */
    for (size_t i = 0; i < data_set_size(s); i++)
        n_objects += data_set_picture(s, i)->n_labels;
    return (vg_data_report){.n_pictures = data_set_size(s),
                            .n_objects = n_objects,
                            .n_found = r->n_found,
                            .n_missing = r->n_missing,
                            .n_empty = r->n_empty,
                            .n_corrupt = r->n_corrupt,
                            .n_absent = r->n_absent,
                            .n_duplicates = r->n_duplicates};
}

const char *data_set_message(const data_set *s, size_t index)
{
    const data_report *r = &s->table.report;
    if (index < s->notices.n)
        return s->notices.text[index];
    index -= s->notices.n;
    return index < r->n_messages ? r->messages[index] : NULL;
}
