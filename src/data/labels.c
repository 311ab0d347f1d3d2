/* labels.c: every picture of a list decoded, its label file read, the results laid out in the
 * list's order.
 *
 * Workers append rows to sinks of their own; at the end all goes into one block. Pictures are
 * decoded whole, not only their headers: one that is broken in the middle would else end a training
 * run hours later. It is done once, the cache file remembers. */
#include "kind.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

enum {
    LEAST_SIDE_PX = 10, /* spec 5.2 */
    MOST_PICTURE_BYTES = 1 << 30,
    MOST_LABEL_BYTES = 64 << 20,
    FILES_AT_A_TIME = 4
};

/* ---- the table ---- */

vg_status label_table_reserve(label_table *t, base_mem *mem, vg_error *err)
{
    size_t entries, labels, points, bytes;
    bool fits = base_mul_size(&entries, t->n_entries, sizeof *t->entries) &&
                base_mul_size(&labels, t->n_labels, sizeof *t->labels) &&
                base_mul_size(&points, t->n_points, t->point_floats * sizeof *t->points) &&
                base_add_size(&bytes, entries, labels) && base_add_size(&bytes, bytes, points);
    if (!fits)
        return base_fail(err, VG_ERR_LIMIT, NULL, NULL, "%zu labels of %zu points are too many",
                         t->n_labels, t->n_points);
    uint8_t *block = base_alloc(mem, bytes, err);
    if (!block)
        return VG_ERR_MEMORY;
    t->block = block;
    t->entries = (label_entry *)(void *)block;
    t->labels = (data_label *)(void *)(block + entries);
    t->points = (float *)(void *)(block + entries + labels);
    return VG_OK;
}

void label_table_fini(label_table *t)
{
    base_free(t->block);
    *t = (label_table){0};
}

/* ---- one picture ---- */

typedef struct message {
    size_t index;
    char text[DATA_MESSAGE_BYTES];
} message;

typedef struct scan_worker {
    image_decoder *decoder;
    image_buffer picture;
    label_sink sink;
    uint64_t n_duplicates, n_polygons, n_mixed;
    message mixed; /* the first file with rows of both kinds */
    uint32_t n_messages;
    message messages[DATA_MOST_MESSAGES]; /* its first, sorted */
    vg_status status;                     /* not OK: no memory, the scan ends */
    vg_error err;
} scan_worker;

typedef struct scan {
    const data_list *list;
    const label_form *form;
    label_entry *entries; /* (n) first_label: in the sink of the worker that filled it */
    int16_t *fillers;     /* (n) */
    scan_worker *workers; /* (n_workers) */
    int n_workers;
    base_mem *mem;
    atomic_bool ends;
} scan;

static vg_status check_picture(scan *s, scan_worker *w, label_entry *e, const char *path,
                               vg_error *err)
{
    char *bytes = NULL;
    size_t n;
    struct stat info;
    if (stat(path, &info) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
        e->state = LABEL_ABSENT;
        return base_fail(err, VG_ERR_IO, path, NULL, "no such picture");
    }
    vg_status st = base_file_read(&bytes, &n, path, MOST_PICTURE_BYTES, s->mem, err);
    if (st == VG_OK)
        st = image_decode(w->decoder, &w->picture, (const uint8_t *)bytes, n, path, s->mem, err);
    base_free(bytes);
    if (st != VG_OK)
        return st;
    e->w = w->picture.view.w;
    e->h = w->picture.view.h;
    e->n_file_bytes = n;
    if (e->w < LEAST_SIDE_PX || e->h < LEAST_SIDE_PX)
        return base_fail(err, VG_ERR_FORMAT, path, NULL,
                         "a picture of %d x %d pixels, below %d on a side", e->w, e->h,
                         LEAST_SIDE_PX);
    return VG_OK;
}

static void note_mixed(scan_worker *w, size_t index, const char *path, const label_text_result *r)
{
    if (w->n_mixed++ > 0 && w->mixed.index < index)
        return;
    w->mixed.index = index;
    base_format(w->mixed.text, sizeof w->mixed.text, "%s:%d", path, r->first_box_line);
}

/* The picture's class is the folder that it is in. */
static vg_status add_class(scan *s, scan_worker *w, label_entry *e, size_t index, vg_error *err)
{
    const data_label l = {.class_index = s->list->classes[index], .xywh_norm = {0.5f, 0.5f, 1, 1}};
    e->first_label = w->sink.n_labels;
    vg_status st = label_sink_add(&w->sink, &l, s->mem, err);
    if (st != VG_OK)
        return st;
    e->n_labels = 1;
    e->state = LABEL_FOUND;
    return VG_OK;
}

static vg_status read_labels(scan *s, scan_worker *w, label_entry *e, size_t index, vg_error *err)
{
    if (s->form->kind->is_folders)
        return add_class(s, w, e, index, err);
    const char *picture_path = s->list->paths[index];
    char path[DATA_PATH_BYTES];
    struct stat info;
    if (!data_label_find(path, sizeof path, picture_path))
        return base_fail(err, VG_ERR_LIMIT, picture_path, "use a shorter path",
                         "the path of its labels is too long");
    if (stat(path, &info) != 0 && errno == ENOENT) {
        e->state = LABEL_MISSING;
        return VG_OK;
    }
    char *text = NULL;
    size_t n;
    label_text_result result = {0};
    e->first_label = w->sink.n_labels;
    vg_status st = base_file_read(&text, &n, path, MOST_LABEL_BYTES, s->mem, err);
    if (st == VG_OK)
        st = label_text_parse(&w->sink, &result, text, n, s->form, path, s->mem, err);
    base_free(text);
    if (st != VG_OK)
        return st;
    e->n_labels = (uint32_t)result.n_labels;
    e->state = result.n_labels > 0 ? LABEL_FOUND : LABEL_EMPTY;
    w->n_duplicates += result.n_duplicates;
    if (result.n_boxes_among > 0)
        note_mixed(w, index, path, &result);
    const size_t n_boxes =
        result.n_boxes_among < result.n_labels ? result.n_boxes_among : result.n_labels;
    w->n_polygons += result.polygons ? result.n_labels - n_boxes : 0;
    return VG_OK;
}

/* Sorted in: a worker that helps another comes back to earlier pictures. */
static void note(scan_worker *w, size_t index, const char *path, const vg_error *err)
{
    uint32_t at = w->n_messages;
    while (at > 0 && w->messages[at - 1].index > index)
        at--;
    if (at == DATA_MOST_MESSAGES)
        return;
    if (w->n_messages < DATA_MOST_MESSAGES)
        w->n_messages++;
    memmove(&w->messages[at + 1], &w->messages[at], (w->n_messages - 1 - at) * sizeof *w->messages);
    message *m = &w->messages[at];
    m->index = index;
    base_format(m->text, sizeof m->text, "%s: %s", err->where[0] ? err->where : path, err->what);
}

static void scan_files(void *ctx, size_t begin, size_t end, int worker)
{
    scan *s = ctx;
    scan_worker *w = &s->workers[worker];
    for (size_t i = begin; i < end && !atomic_load(&s->ends); i++) {
        vg_error err = {0};
        label_entry *e = &s->entries[i];
        const char *path = s->list->paths[i];
        vg_status st = check_picture(s, w, e, path, &err);
        if (st == VG_OK)
            st = read_labels(s, w, e, i, &err);
        if (st == VG_ERR_MEMORY) {
            w->status = st;
            w->err = err;
            atomic_store(&s->ends, true);
        } else if (st != VG_OK) {
            const bool absent = e->state == LABEL_ABSENT;
            *e = (label_entry){.state = absent ? LABEL_ABSENT : LABEL_CORRUPT};
            note(w, i, path, &err);
        }
        s->fillers[i] = (int16_t)worker;
    }
}

/* ---- all of them ---- */

static void gather_messages(data_report *r, const scan *s)
{
    uint32_t next[1024] = {0};
    while (r->n_messages < DATA_MOST_MESSAGES) {
        const message *first = NULL;
        int of = 0;
        for (int i = 0; i < s->n_workers; i++) {
            const scan_worker *w = &s->workers[i];
            if (next[i] < w->n_messages && (!first || w->messages[next[i]].index < first->index)) {
                first = &w->messages[next[i]];
                of = i;
            }
        }
        if (!first)
            return;
        memcpy(r->messages[r->n_messages++], first->text, DATA_MESSAGE_BYTES);
        next[of]++;
    }
}

static void count(data_report *r, const scan *s)
{
    r->n_pictures = s->list->n;
    for (size_t i = 0; i < s->list->n; i++) {
        r->n_found += s->entries[i].state == LABEL_FOUND;
        r->n_missing += s->entries[i].state == LABEL_MISSING;
        r->n_empty += s->entries[i].state == LABEL_EMPTY;
        r->n_corrupt += s->entries[i].state == LABEL_CORRUPT;
        r->n_absent += s->entries[i].state == LABEL_ABSENT;
    }
    const message *mixed = NULL;
    for (int i = 0; i < s->n_workers; i++) {
        r->n_duplicates += s->workers[i].n_duplicates;
        r->n_polygons += s->workers[i].n_polygons;
        r->n_mixed += s->workers[i].n_mixed;
        if (s->workers[i].n_mixed > 0 && (!mixed || s->workers[i].mixed.index < mixed->index))
            mixed = &s->workers[i].mixed;
    }
    if (mixed)
        memcpy(r->mixed_where, mixed->text, sizeof r->mixed_where);
    gather_messages(r, s);
}

static void copy_labels(label_table *t, const scan *s)
{
    size_t n_labels = 0, n_points = 0;
    const size_t floats = t->point_floats;
    for (size_t i = 0; i < t->n_entries; i++) {
        label_entry *e = &t->entries[i];
        const label_sink *sink = &s->workers[s->fillers[i]].sink;
        *e = s->entries[i];
        e->first_label = n_labels;
        for (size_t k = 0; k < e->n_labels; k++) {
            data_label l = sink->labels[s->entries[i].first_label + k];
            if (l.n_points > 0)
                memcpy(t->points + floats * n_points, sink->points + floats * l.first_point,
                       floats * l.n_points * sizeof *t->points);
            l.first_point = l.n_points > 0 ? n_points : 0;
            n_points += l.n_points;
            t->labels[n_labels++] = l;
        }
    }
}

static vg_status lay_out(label_table *out, const scan *s, vg_error *err)
{
    count(&out->report, s);
    out->n_entries = s->list->n;
    out->point_floats = label_form_floats(s->form);
    for (size_t i = 0; i < s->list->n; i++) {
        const label_entry *e = &s->entries[i];
        const label_sink *sink = &s->workers[s->fillers[i]].sink;
        out->n_labels += e->n_labels;
        for (size_t k = 0; k < e->n_labels; k++)
            out->n_points += sink->labels[e->first_label + k].n_points;
    }
    out->report.n_labels = out->n_labels;
    vg_status st = label_table_reserve(out, s->mem, err);
    if (st == VG_OK)
        copy_labels(out, s);
    return st;
}

static vg_status run_scan(label_table *out, scan *s, base_pool *pool, vg_error *err)
{
    s->entries = base_alloc_zero(s->mem, s->list->n, sizeof *s->entries, err);
    s->fillers = s->entries ? base_alloc_zero(s->mem, s->list->n, sizeof *s->fillers, err) : NULL;
    s->workers =
        s->fillers ? base_alloc_zero(s->mem, (size_t)s->n_workers, sizeof *s->workers, err) : NULL;
    if (!s->workers)
        return VG_ERR_MEMORY;
    vg_status st = VG_OK;
    for (int i = 0; i < s->n_workers && st == VG_OK; i++)
        st = image_decoder_create(&s->workers[i].decoder, NULL, s->mem, err);
    if (st != VG_OK)
        return st;
    if (pool)
        base_pool_run(pool, s->list->n, FILES_AT_A_TIME, scan_files, s);
    else
        scan_files(s, 0, s->list->n, 0);
    for (int i = 0; i < s->n_workers; i++)
        if (s->workers[i].status != VG_OK) {
            if (err)
                *err = s->workers[i].err;
            return s->workers[i].status;
        }
    return lay_out(out, s, err);
}

vg_status label_table_scan(label_table *out, const data_list *list, const label_form *form,
                           base_pool *pool, base_mem *mem, vg_error *err)
{
    *out = (label_table){0};
    scan s = {
        .list = list, .form = form, .n_workers = pool ? base_pool_threads(pool) : 1, .mem = mem};
    vg_status st = run_scan(out, &s, pool, err);
    for (int i = 0; s.workers && i < s.n_workers; i++) {
        image_decoder_destroy(&s.workers[i].decoder);
        image_buffer_fini(&s.workers[i].picture);
        label_sink_fini(&s.workers[i].sink);
    }
    base_free(s.workers);
    base_free(s.fillers);
    base_free(s.entries);
    if (st != VG_OK)
        label_table_fini(out);
    return st;
}

vg_status label_table_explain(const data_list *list, size_t index, const label_form *form,
                              bool *is_label, base_mem *mem, vg_error *err)
{
    label_entry e = {0};
    scan_worker w = {.n_messages = 0};
    scan s = {.list = list, .form = form, .n_workers = 1, .mem = mem};
    *is_label = false;
    vg_status st = image_decoder_create(&w.decoder, NULL, mem, err);
    if (st == VG_OK)
        st = check_picture(&s, &w, &e, list->paths[index], err);
    if (st == VG_OK) {
        *is_label = true;
        st = read_labels(&s, &w, &e, index, err);
    }
    image_decoder_destroy(&w.decoder);
    image_buffer_fini(&w.picture);
    label_sink_fini(&w.sink);
    return st;
}
