/* synthetic.h: networks with the generator's weights (generator.h), as a weights file in memory: so
 * that the engine's own reader is in the way, as for a user. For tests of nn and what is above, and
 * for vigil-golden. */
#ifndef TESTS_SYNTHETIC_H
#define TESTS_SYNTHETIC_H

#include "generator.h"
#include "nn/nn.h"

/* A built-in model by its name, "yolov8n", or YOLO11 by its scale alone; nc 0: the YAML's. */
vg_status synthetic_graph(nn_graph **out, const char *scale, int nc, base_mem *mem, vg_error *err);

typedef struct synthetic_weights {
    weights_file *weights;
    uint8_t *image; /* a safetensors file; belongs to this */
    size_t image_bytes;
    uint64_t sum; /* the "wsum" of golden files */
    uint64_t n_floats;
} synthetic_weights;
/* The same for a pose model's points. */
vg_status synthetic_graph_with(nn_graph **out, const char *scale, const nn_graph_options *o,
                               base_mem *mem, vg_error *err);

/* Every parameter of the graph. Close also after a failure. */
vg_status synthetic_make(synthetic_weights *out, const nn_graph *g, uint64_t seed, double head_g,
                         base_mem *mem, vg_error *err);
vg_status synthetic_make_with(synthetic_weights *out, const nn_graph *g, uint64_t seed,
                              const generator_gains *gains, base_mem *mem, vg_error *err);
void synthetic_close(synthetic_weights *s);

#endif
