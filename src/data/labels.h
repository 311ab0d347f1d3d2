/* labels.h: a split's labels: read, verified, kept in one table; and the table's file. For this
 * folder. */
#ifndef DATA_LABELS_H
#define DATA_LABELS_H

#include "image/image.h"
#include "list.h"

/* What rows are to say. */
typedef struct label_form {
    const data_kind *kind;
    int nc;
    int n_keypoints, keypoint_dims; /* DATA_KEYPOINTS, else 0 */
} label_form;
/* Floats of a point as it is kept: x y, and of a keypoint its visibility. */
static inline size_t label_form_floats(const label_form *f)
{
    return f->n_keypoints > 0 ? 3 : 2;
}

/* kind: NULL: DATA_BOXES. Errors: VG_ERR_FORMAT: the spec does not say what the kind needs: it is a
 * folder, or none, or has no kpt_shape. */
vg_status label_form_make(label_form *out, const data_kind *kind, const data_spec *spec,
                          vg_error *err);

/* Rows and their points that grow while files are read: those of one form. */
typedef struct label_sink {
    data_label *labels;
    size_t n_labels, most_labels;
    float *points; /* (n_points, 2 or 3) */
    size_t n_points, most_points;
} label_sink;
void label_sink_fini(label_sink *s);
/* A row without points. */
vg_status label_sink_add(label_sink *s, const data_label *l, base_mem *mem, vg_error *err);

/* What one label file came to. */
typedef struct label_text_result {
    size_t n_labels, n_duplicates;
    bool polygons;        /* of a kind that knows them */
    size_t n_boxes_among; /* rows of 5 columns in a file of polygons */
    int first_box_line;   /* of the first of them, from 1 */
} label_text_result;

/* Parses a label file's text (n bytes and a 0 behind them, which is written into) and appends its
 * rows to the sink (spec 5.2). Errors: VG_ERR_FORMAT with name:line, VG_ERR_LIMIT, VG_ERR_MEMORY:
 * the sink holds no more rows than before. */
vg_status label_text_parse(label_sink *sink, label_text_result *out, char *text, size_t n,
                           const label_form *form, const char *name, base_mem *mem, vg_error *err);

typedef enum label_state {
    LABEL_FOUND = 1,
    LABEL_MISSING,
    LABEL_EMPTY,
    LABEL_CORRUPT, /* left out */
    LABEL_ABSENT   /* no such picture: left out */
} label_state;

/* One picture of the list. On disk as it is. */
typedef struct label_entry {
    uint32_t state;
    int32_t w, h;
    uint32_t n_labels;
    uint64_t first_label;
    uint64_t n_file_bytes;
} label_entry;
static inline bool label_entry_is_used(const label_entry *e)
{
    return e->state != LABEL_CORRUPT && e->state != LABEL_ABSENT;
}
_Static_assert(sizeof(label_entry) == 32, "layout of the cache file");
_Static_assert(sizeof(data_label) == 32, "layout of the cache file");

/* All labels of a list, in its order, in one block. */
typedef struct label_table {
    void *block;
    size_t n_entries, n_labels, n_points;
    size_t point_floats; /* 2 or 3, as its form says */
    label_entry *entries;
    data_label *labels;
    float *points; /* (n_points, point_floats) */
    data_report report;
} label_table;
/* Makes room for the counts set in t. */
vg_status label_table_reserve(label_table *t, base_mem *mem, vg_error *err);
void label_table_fini(label_table *t);

/* Reads and decodes everything in the list. Errors: VG_ERR_MEMORY, VG_ERR_LIMIT; what is wrong with
 * files goes into the report. */
vg_status label_table_scan(label_table *out, const data_list *list, const label_form *form,
                           base_pool *pool, base_mem *mem, vg_error *err);

/* What is wrong with picture `index` of the list, which a scan left out: it is read once more.
 * VG_OK: nothing any more. *is_label: it is its label file. */
vg_status label_table_explain(const data_list *list, size_t index, const label_form *form,
                              bool *is_label, base_mem *mem, vg_error *err);

/* ---- the cache file ---- */

/* 2: other pictures count as corrupt than before; 3: absent pictures, mixed rows; 4: kinds. */
enum { LABEL_CACHE_VERSION = 4 };
#define LABEL_CACHE_MAGIC UINT64_C(0x31634c6c69676976) /* "vigilLc1" */

/* Of everything that the table depends on: format, form, paths, sizes and times. */
uint64_t label_cache_key(const data_list *list, const label_form *form);
/* False: none there, stale, damaged, or no memory; then out is zero. */
bool label_cache_read(label_table *out, const char *path, uint64_t key, size_t n_entries,
                      const label_form *form, base_mem *mem);
vg_status label_cache_write(const label_table *t, const char *path, uint64_t key, vg_error *err);

#endif
