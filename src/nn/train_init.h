/* train_init.h: the parameters of a fresh model. Internal to nn. */
#ifndef NN_TRAIN_INIT_H
#define NN_TRAIN_INIT_H

#include "graph.h"

/* The start of parameter `index`. Spec 1.5; the same seed gives the same bits, and a parameter's
 * depend on its key and the seed alone. */
void nn_train_init_one(float *value, const nn_graph *g, size_t index, uint64_t seed);

#endif
