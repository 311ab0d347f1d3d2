/* check.c: the splits one after the other through list and table, as data_set_open has them; then
 * what is seen of all together.
 *
 * A scan counts what it leaves out, and says why of a few. Here all of it is told, so what was left
 * out is read once more, in the list's order: that costs time for what is broken alone. */
#include "check.h"

#include <limits.h>
#include <string.h>

#include "../kind.h"
#include "../notice.h"
#include "faults.h"
#include "twins.h"

_Static_assert((int)DATA_N_SPLITS == (int)VG_N_SPLITS && (int)DATA_TEST == (int)VG_TEST,
               "data_split and vg_split are the same numbers");

enum { MOST_CLASS_NOTICES = 4, CLASS_NOTICE_BYTES = 512 };

typedef struct split_found {
    bool is_there;
    vg_dataset_split split;
    vg_dataset_size *sizes; /* (split.n_sizes) the most frequent first */
    notices notices;
} split_found;

struct data_check {
    const data_spec *spec;
    split_found splits[DATA_N_SPLITS];
    size_t *n_objects;  /* (nc, splits) */
    size_t *n_pictures; /* the same */
    faults faults;
    size_t n_duplicates;
    size_t n_class_notices;
    char class_notices[MOST_CLASS_NOTICES][CLASS_NOTICE_BYTES];
};

/* While it runs. */
typedef struct work {
    data_check *c;
    label_form form;
    data_list lists[DATA_N_SPLITS];
    label_table tables[DATA_N_SPLITS];
    base_pool *pool;
    base_mem *mem;
} work;

/* ---- faults ---- */

static vg_status tell_left_out(work *w, data_split split, vg_error *err)
{
    const data_list *list = &w->lists[split];
    const label_table *t = &w->tables[split];
    for (size_t i = 0; i < t->n_entries; i++) {
        const bool is_absent = t->entries[i].state == LABEL_ABSENT;
        vg_error why = {.status = VG_OK};
        bool is_label;
        if (label_entry_is_used(&t->entries[i]))
            continue;
        vg_status st = label_table_explain(list, i, &w->form, &is_label, w->mem, &why);
        if (st == VG_ERR_MEMORY) {
            if (err)
                *err = why;
            return st;
        }
        if (st == VG_OK)
            base_fail(&why, VG_ERR_IO, list->paths[i], "look again when nobody writes there",
                      "it changed while it was looked at");
        if (why.where[0] == '\0')
            base_error_prefix_where(&why, list->paths[i]);
        st = faults_add(&w->c->faults,
                        is_absent  ? "missing"
                        : is_label ? "label"
                                   : "picture",
                        &why, w->mem, err);
        if (st != VG_OK)
            return st;
    }
    return VG_OK;
}

/* Where outlines are asked for: files whose rows are boxes alone. */
static vg_status tell_boxes(work *w, data_split split, vg_error *err)
{
    const data_list *list = &w->lists[split];
    const label_table *t = &w->tables[split];
    vg_status st = VG_OK;
    for (size_t i = 0; i < t->n_entries && w->form.kind->n_outline > 0 && st == VG_OK; i++) {
        char label[DATA_PATH_BYTES];
        const label_entry *e = &t->entries[i];
        vg_error why;
        size_t n = 0;
        for (size_t k = 0; k < e->n_labels; k++)
            n += t->labels[e->first_label + k].n_points == 0;
        if (n == 0)
            continue;
        const bool fits = data_label_find(label, sizeof label, list->paths[i]);
        char count[64];
        base_fail(&why, VG_ERR_FORMAT, fits ? label : list->paths[i],
                  "give rows of: class x1 y1 x2 y2 x3 y3 ...", "%s without an outline, a box alone",
                  base_count(count, sizeof count, n, "object"));
        st = faults_add(&w->c->faults, "label", &why, w->mem, err);
    }
    return st;
}

/* A split that nothing can be learnt from, or measured by. */
static vg_status tell_unlabelled(work *w, data_split split, vg_error *err)
{
    vg_error why;
    const data_report *r = &w->tables[split].report;
    if (r->n_found > 0)
        return VG_OK;
    base_fail(&why, VG_ERR_FORMAT,
              base_where("%s, %s", data_spec_source(w->c->spec), data_split_name(split)),
              "labels are looked for where the last folder images of a picture's path is labels",
              "not one object in the %s split", data_split_name(split));
    return faults_add(&w->c->faults, "split", &why, w->mem, err);
}

static vg_status tell_twin(void *ctx, data_split split, const char *path, data_split other,
                           const char *other_path, vg_error *err)
{
    work *w = ctx;
    vg_error why;
    (void)split;
    w->c->n_duplicates++;
    base_fail(&why, VG_ERR_FORMAT, path,
              "leave it in one of them: what is measured on pictures of training says little",
              strcmp(path, other_path) == 0 ? "the same picture is in the %s split"
                                            : "the same picture is in the %s split: %s",
              data_split_name(other), other_path);
    return faults_add(&w->c->faults, "duplicate", &why, w->mem, err);
}

/* ---- counts ---- */

static void count_classes(work *w, data_split split, size_t *last_picture)
{
    const label_table *t = &w->tables[split];
    const int nc = data_spec_nc(w->c->spec);
    memset(last_picture, 0, (size_t)nc * sizeof *last_picture);
    for (size_t i = 0; i < t->n_entries; i++)
        for (size_t k = 0; k < t->entries[i].n_labels; k++) {
            const int c = t->labels[t->entries[i].first_label + k].class_index;
            const size_t at = (size_t)c * DATA_N_SPLITS + split;
            w->c->n_objects[at]++;
            w->c->n_pictures[at] += last_picture[c] != i + 1;
            last_picture[c] = i + 1;
        }
}

static int size_before(const void *a, const void *b, void *ctx)
{
    const vg_dataset_size *x = a, *y = b;
    (void)ctx;
    return x->w != y->w ? x->w < y->w : x->h < y->h;
}

static int more_before(const void *a, const void *b, void *ctx)
{
    const vg_dataset_size *x = a, *y = b;
    return x->n_pictures != y->n_pictures ? x->n_pictures > y->n_pictures : size_before(a, b, ctx);
}

/* Every picture's size, sorted, equal ones put together, sorted by how many. */
static vg_status count_sizes(work *w, data_split split, vg_error *err)
{
    const label_table *t = &w->tables[split];
    split_found *f = &w->c->splits[split];
    vg_dataset_size *s = base_alloc_zero(w->mem, t->n_entries, sizeof *s, err);
    if (!s)
        return VG_ERR_MEMORY;
    size_t n = 0, n_sizes = 0;
    f->split.least_w = f->split.least_h = INT_MAX;
    for (size_t i = 0; i < t->n_entries; i++) {
        const label_entry *e = &t->entries[i];
        if (!label_entry_is_used(e))
            continue;
        s[n++] = (vg_dataset_size){.w = e->w, .h = e->h};
        f->split.least_w = e->w < f->split.least_w ? e->w : f->split.least_w;
        f->split.least_h = e->h < f->split.least_h ? e->h : f->split.least_h;
        f->split.most_w = e->w > f->split.most_w ? e->w : f->split.most_w;
        f->split.most_h = e->h > f->split.most_h ? e->h : f->split.most_h;
    }
    if (n == 0)
        f->split.least_w = f->split.least_h = 0;
    base_sort(s, n, sizeof *s, size_before, NULL);
    for (size_t i = 0; i < n; i++) {
        if (n_sizes == 0 || s[n_sizes - 1].w != s[i].w || s[n_sizes - 1].h != s[i].h)
            s[n_sizes++] = (vg_dataset_size){.w = s[i].w, .h = s[i].h};
        s[n_sizes - 1].n_pictures++;
    }
    base_sort(s, n_sizes, sizeof *s, more_before, NULL);
    f->sizes = s;
    f->split.n_sizes = n_sizes;
    return VG_OK;
}

static void fill_split(work *w, data_split split)
{
    const data_report *r = &w->tables[split].report;
    split_found *f = &w->c->splits[split];
    f->is_there = true;
    f->split.name = data_split_name(split);
    f->split.n_polygons = r->n_polygons;
    f->split.data = (vg_data_report){.n_pictures = r->n_found + r->n_missing + r->n_empty,
                                     .n_objects = r->n_labels,
                                     .n_found = r->n_found,
                                     .n_missing = r->n_missing,
                                     .n_empty = r->n_empty,
                                     .n_corrupt = r->n_corrupt,
                                     .n_absent = r->n_absent,
                                     .n_duplicates = r->n_duplicates};
    notices_of_table(&f->notices, &w->lists[split], &w->tables[split], w->form.kind, split);
}

VG_PRINTF(2, 3) static void add_notice(data_check *c, const char *format, ...)
{
    va_list args;
    if (c->n_class_notices == MOST_CLASS_NOTICES)
        return;
    va_start(args, format);
    vsnprintf(c->class_notices[c->n_class_notices++], CLASS_NOTICE_BYTES, format, args);
    va_end(args);
}

static void notice_classes(data_check *c)
{
    int n_unseen = 0, unseen = 0, n_unmeasured = 0, unmeasured = 0;
    for (int i = data_spec_nc(c->spec) - 1; i >= 0; i--) {
        const size_t *n = c->n_objects + (size_t)i * DATA_N_SPLITS;
        if (n[DATA_TRAIN] == 0) {
            n_unseen++;
            unseen = i;
        } else if (n[DATA_VAL] == 0) {
            n_unmeasured++;
            unmeasured = i;
        }
    }
    if (n_unseen > 0)
        add_notice(c, "%d of the %d classes have no object to train on; the first is %d, %s",
                   n_unseen, data_spec_nc(c->spec), unseen, data_spec_class_name(c->spec, unseen));
    if (n_unmeasured > 0)
        add_notice(c,
                   "%d of the %d classes have objects to train on and none to validate; the first "
                   "is %d, %s",
                   n_unmeasured, data_spec_nc(c->spec), unmeasured,
                   data_spec_class_name(c->spec, unmeasured));
}

/* ---- the whole ---- */

static vg_status look_at_split(work *w, data_split split, size_t *last_picture, vg_error *err)
{
    vg_error why = {.status = VG_OK};
    if (!data_spec_has(w->c->spec, split))
        return VG_OK;
    vg_status st = data_list_open(&w->lists[split], w->c->spec, split, w->mem, &why);
    if (st == VG_ERR_MEMORY && err)
        *err = why;
    if (st == VG_ERR_MEMORY)
        return st;
    if (st != VG_OK)
        return faults_add(&w->c->faults, "split", &why, w->mem, err);
    st = label_table_scan(&w->tables[split], &w->lists[split], &w->form, w->pool, w->mem, err);
    if (st != VG_OK)
        return st;
    fill_split(w, split);
    count_classes(w, split, last_picture);
    st = count_sizes(w, split, err);
    if (st == VG_OK)
        st = tell_left_out(w, split, err);
    if (st == VG_OK)
        st = tell_boxes(w, split, err);
    return st == VG_OK ? tell_unlabelled(w, split, err) : st;
}

static vg_status look(work *w, vg_error *err)
{
    const size_t nc = (size_t)data_spec_nc(w->c->spec);
    size_t *last_picture = base_alloc_zero(w->mem, nc, sizeof *last_picture, err);
    vg_status st = last_picture ? VG_OK : VG_ERR_MEMORY;
    for (int s = 0; s < DATA_N_SPLITS && st == VG_OK; s++)
        st = look_at_split(w, (data_split)s, last_picture, err);
    base_free(last_picture);
    if (st == VG_OK)
        st = twins_find(w->lists, w->tables, tell_twin, w, w->mem, err);
    if (st == VG_OK)
        notice_classes(w->c);
    return st;
}

vg_status data_check_open(data_check **out, const data_spec *spec, const data_kind *kind,
                          size_t most_faults, base_pool *pool, base_mem *mem, vg_error *err)
{
    *out = NULL;
    const size_t nc = (size_t)data_spec_nc(spec);
    work w = {.pool = pool, .mem = mem};
    vg_status st = label_form_make(&w.form, kind, spec, err);
    if (st != VG_OK)
        return st;
    data_check *c = base_alloc_zero(mem, 1, sizeof *c, err);
    if (!c)
        return VG_ERR_MEMORY;
    c->spec = spec;
    w.c = c;
    st = faults_init(&c->faults, most_faults, mem, err);
    if (st != VG_OK)
        goto done;
    c->n_objects = base_alloc_zero(mem, nc * DATA_N_SPLITS, 2 * sizeof *c->n_objects, err);
    if (!c->n_objects) {
        st = VG_ERR_MEMORY;
        goto done;
    }
    c->n_pictures = c->n_objects + nc * DATA_N_SPLITS;
    st = look(&w, err);
done:
    for (int s = 0; s < DATA_N_SPLITS; s++) {
        label_table_fini(&w.tables[s]);
        data_list_close(&w.lists[s]);
    }
    if (st == VG_OK)
        *out = c;
    else
        data_check_destroy(&c);
    return st;
}

void data_check_destroy(data_check **check)
{
    data_check *c = *check;
    if (!c)
        return;
    for (int s = 0; s < DATA_N_SPLITS; s++)
        base_free(c->splits[s].sizes);
    base_free(c->n_objects);
    faults_fini(&c->faults);
    base_free(c);
    *check = NULL;
}

/* ---- what was found ---- */

void data_check_total(const data_check *c, vg_dataset_total *out)
{
    *out = (vg_dataset_total){.source = data_spec_source(c->spec),
                              .root = data_spec_root(c->spec),
                              .n_classes = (size_t)data_spec_nc(c->spec),
                              .n_faults = c->faults.n,
                              .n_kept = c->faults.n_kept,
                              .n_duplicates = c->n_duplicates};
}

bool data_check_split(const data_check *c, data_split split, vg_dataset_split *out)
{
    if ((unsigned)split >= DATA_N_SPLITS || !c->splits[split].is_there)
        return false;
    *out = c->splits[split].split;
    return true;
}

bool data_check_class(const data_check *c, size_t index, vg_dataset_class *out)
{
    if (index >= (size_t)data_spec_nc(c->spec))
        return false;
    out->name = data_spec_class_name(c->spec, (int)index);
    memcpy(out->n_objects, c->n_objects + index * DATA_N_SPLITS, sizeof out->n_objects);
    memcpy(out->n_pictures, c->n_pictures + index * DATA_N_SPLITS, sizeof out->n_pictures);
    return true;
}

bool data_check_size(const data_check *c, data_split split, size_t index, vg_dataset_size *out)
{
    if ((unsigned)split >= DATA_N_SPLITS || index >= c->splits[split].split.n_sizes)
        return false;
    *out = c->splits[split].sizes[index];
    return true;
}

bool data_check_fault(const data_check *c, size_t index, vg_dataset_fault *out)
{
    return faults_get(&c->faults, index, out);
}

const char *data_check_notice(const data_check *c, size_t index)
{
    for (int s = 0; s < DATA_N_SPLITS; s++) {
        const notices *n = &c->splits[s].notices;
        if (index < n->n)
            return n->text[index];
        index -= n->n;
    }
    return index < c->n_class_notices ? c->class_notices[index] : NULL;
}
