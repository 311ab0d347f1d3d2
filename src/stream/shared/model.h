/* model.h: a model before anything large is taken: its graph, the file of its weights, the size of
 * its input. */
#ifndef STREAM_MODEL_H
#define STREAM_MODEL_H

#include "accounts.h"
#include "nn/nn.h"

typedef struct stream_model {
    weights_file *file; /* NULL: from a YAML */
    nn_graph *graph;
    nn_graph_info info; /* at the square of imgsz's longer side */
    nn_imgsz imgsz;
} stream_model;
/* wanted: the name of the task they must be made for; NULL or "any". imgsz 0: that of the
 * weights' training, where they say it, else NN_IMGSZ. */
vg_status stream_model_open(stream_model *out, const char *weights, const char *wanted,
                            base_size imgsz, stream_accounts *mem, vg_error *err);
/* To look at: name is a weights file, a YAML or the name of a built-in model; nc is of the latter
 * two, 0: their own. The input is a square. */
vg_status stream_model_find(stream_model *out, const char *name, int imgsz, int nc,
                            stream_accounts *mem, vg_error *err);
void stream_model_close(stream_model *m);

#endif
