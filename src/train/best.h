/* best.h: how good an epoch was, whether it is the best, and when to stop hoping (spec 4.5). A
 * plain value, kept in checkpoints. */
#ifndef TRAIN_BEST_H
#define TRAIN_BEST_H

#include <stdbool.h>
#include <stdint.h>

/* Zeros: no epoch yet. */
typedef struct train_best {
    double fitness;      /* of best.safetensors; 0: none */
    double stop_fitness; /* early stopping's own: an equal fitness renews its epoch */
    int64_t stop_epoch;  /* from 1; 0: none */
} train_best;

/* 0.1 * mAP50 + 0.9 * mAP50-95. */
double train_fitness(double map50, double map50_95);

typedef struct train_verdict {
    bool is_best; /* write best.safetensors: also when equal to the best so far */
    bool stop;    /* patience epochs went by without a better or equal one */
} train_verdict;
/* After each validated epoch, counted from 1. patience 0: never stop. A fitness that is not a
 * number is worse than all. */
train_verdict train_best_push(train_best *b, int64_t epoch, double fitness, int patience);

#endif
