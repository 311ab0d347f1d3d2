/* pt.h: between pt.c (container and module tree), pt_tensor.c (one tensor) and pt_meta.c (what is
 * beside them). */
#ifndef WEIGHTS_PT_H
#define WEIGHTS_PT_H

#include "file.h"
#include "pickle.h"
#include "zip.h"

typedef struct pt_context {
    weights_file *f;
    zip_contents zip;
    const char *folder; /* "best/": all entries are in it */
    base_mem *mem;
    vg_error *err;
} pt_context;

/* It was made by one of torch's functions that rebuild tensors. */
bool pt_is_tensor(const pickle_node *n);
/* name: for errors, and the tensor's. */
vg_status pt_read_tensor(pt_context *c, weights_tensor *t, const char *name, const pickle_node *n);
/* root: the pickle's; model: of the module object, NULL for a plain state dict. */
vg_status pt_read_meta(pt_context *c, const pickle_node *root, const pickle_node *model);
/* Counts the classes of the graph that torch and Ultralytics checkpoints are not known to hold. */
vg_status pt_count_unknown_classes(pt_context *c, const pickle_cell *classes);

#endif
