/* synthetic.h: networks with the generator's weights (section 8 of the specification), as a weights
 * file in memory: so that the engine's own reader is in the way, as for a user. */
#ifndef GOLDEN_SYNTHETIC_H
#define GOLDEN_SYNTHETIC_H

#include "file.h"
#include "nn/nn.h"

/* What a golden file's metadata says of its weights; the reference's usual where it does not. */
typedef struct gold_recipe {
    char scale[8];
    int nc;
    int64_t seed;
    double head_g;
} gold_recipe;
vg_status gold_recipe_read(gold_recipe *out, const gold_file *f, vg_error *err);

vg_status gold_graph_make(nn_graph **out, const char *scale, int nc, base_mem *mem, vg_error *err);

typedef struct gold_synthetic {
    weights_file *weights;
    uint8_t *image;
    uint64_t sum; /* the "wsum" of golden files */
    uint64_t n_floats;
} gold_synthetic;
/* Every parameter of the graph. Close also after a failure. */
vg_status gold_synthetic_make(gold_synthetic *out, const nn_graph *g, const gold_recipe *r,
                              base_mem *mem, vg_error *err);
void gold_synthetic_close(gold_synthetic *s);

#endif
