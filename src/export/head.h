/* head.h: what the Python tool calls a network, by the module that its head is. Internal to export.
 */
#ifndef EXPORT_HEAD_H
#define EXPORT_HEAD_H

#include "export.h"
#include "pickle_write.h"

typedef struct export_head {
    const char *module; /* "Segment" */
    const char *task;   /* "segment" */
    pkl_class model;
    bool has_nc; /* the model's own attribute */
} export_head;
const export_head *export_head_of(const nn_graph *g);

#endif
