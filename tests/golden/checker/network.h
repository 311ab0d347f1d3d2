/* network.h: runs a network on a golden input and gives its maps back as the golden files have
 * them: NCHW, flat. */
#ifndef GOLDEN_NETWORK_H
#define GOLDEN_NETWORK_H

#include "detect/detect.h"
#include "nn/nn.h"

typedef struct gold_network {
    nn_engine *engine;
    nn_plan *plan; /* of the last run */
    int nc;
    float *input;   /* nhwc */
    float *decoded; /* (N, 4 + nc, A) of gold_network_decode */
    size_t n_anchors;
    base_mem *mem;
} gold_network;

/* The graph of the scale and class count with weights w. Close also after a failure. */
vg_status gold_network_open(gold_network *out, const weights_file *w, const char *scale, int nc,
                            const nn_engine_options *o, base_mem *mem, vg_error *err);
/* Of a graph, which is taken whatever comes of it. */
vg_status gold_network_open_graph(gold_network *out, nn_graph *g, const weights_file *w, int nc,
                                  const nn_engine_options *o, base_mem *mem, vg_error *err);
void gold_network_close(gold_network *net);
/* input: (n, 3, h, w). */
vg_status gold_network_run(gold_network *net, const float *input, const size_t shape[4],
                           vg_error *err);
/* input: (n, h, w, 3). */
vg_status gold_network_run_nhwc(gold_network *net, const float *input, int n, int h, int w,
                                vg_error *err);
/* After a run: the head's maps decoded, into net->decoded. */
vg_status gold_network_decode(gold_network *net, vg_error *err);
/* The head's levels as detect wants them; returns their number. */
int gold_network_levels(const gold_network *net, detect_level levels[DETECT_MAX_LEVELS]);

/* Element `at` of the map as if it were NCHW. */
float gold_map_nchw(const nn_map *m, size_t at);
/* The same of a head level with box and class channels side by side, c of pixel p of picture i. */
float gold_level_at(const detect_level *l, size_t i, size_t p, size_t c);

#endif
