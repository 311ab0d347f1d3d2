/* pt.h: between pt.c (the file), pt_modules.c (the tree of modules) and pt_facts.c (what is beside
 * them). Internal to export. */
#ifndef EXPORT_PT_H
#define EXPORT_PT_H

#include "export.h"
#include "head.h"
#include "pickle_write.h"

/* A tensor whose bytes are the entry data/N, N its place in the list. */
typedef struct pt_storage {
    const weights_tensor *tensor; /* NULL: values, n of them */
    pkl_class class;
    size_t n;
    const float *values; /* NULL: zeros */
} pt_storage;

typedef struct pt_build {
    zip_writer zip;
    pkl_writer pkl;
    const nn_graph *g;
    const weights_file *w;
    const export_pt_options *o;
    nn_graph_info info;
    const base_node *yaml;
    pt_storage *storages; /* (most) */
    size_t n_storages, most;
    vg_error *err;
} pt_build;

/* The first error stays, and nothing is written after it. */
void pt_fail(pt_build *b, vg_status status, const char *where, const char *mend, const char *what);
/* Values that live until the file is written. */
void pt_put_values(pt_build *b, pkl_class storage, const float *values, int64_t n);
/* DetectionModel, or that of another task, whole. */
void pt_put_model(pt_build *b);
/* "kpt_shape": [17, 3] */
void pt_put_points(pt_build *b);
/* "yaml": ..., "names": ... and so on: the model's own facts. */
void pt_put_model_facts(pt_build *b);
/* What stands beside the model; the model itself is put in between by pt_put_model. */
void pt_put_checkpoint(pt_build *b);
/* The rows of a layer's `from`, at most most of them; returns their number. */
int pt_read_from(const vg_layer *l, int64_t *out, int most);

#endif
