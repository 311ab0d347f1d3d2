/* steps.h: a network in training on a golden batch: forward, loss and backward of nn and detect,
 * then the optimizer and the average of train, as a run has them. */
#ifndef GOLDEN_STEPS_H
#define GOLDEN_STEPS_H

#include "detect/detect.h"
#include "recipe.h"
#include "train/train.h"

typedef struct gold_steps {
    nn_train *net;
    train_param *params; /* nn_graph_param's order */
    size_t n_params;
    train_optimizer *optimizer;
    train_ema *ema;
    detect_loss *loss;
    const detect_loss_kind *kind;
    detect_extras extras;
    float *input; /* nhwc */
    detect_label *labels;
    size_t n_labels;
    int n, nc;
    double lr, momentum;
} gold_steps;

/* The recipe's network before its first step, with the file's "input" and "targets" (or "target": a
 * class a picture), what the labels have besides, and the rate
 * that its metadata names. Close also after a failure. */
vg_status gold_steps_open(gold_steps *out, gold_file *f, const gold_recipe *r, const char *isa,
                          base_mem *mem, vg_error *err);
void gold_steps_close(gold_steps *s);

/* A step in two parts, because what lies between them is compared, too. */
vg_status gold_steps_forward(gold_steps *s, vg_error *err);
/* After forward: loss, gradients of every parameter. */
vg_status gold_steps_backward(gold_steps *s, detect_loss_value *v, base_mem *mem, vg_error *err);
/* After backward: weights and average move. *norm: of all gradients before clipping. */
vg_status gold_steps_move(gold_steps *s, double *norm, vg_error *err);

#endif
