/* run_parts.h: what a run is made of. For this folder. */
#ifndef TRAIN_RUN_PARTS_H
#define TRAIN_RUN_PARTS_H

#include "run.h"

enum { RUN_PATH_BYTES = 4096 };

struct train_run {
    train_args args;
    train_accounts mem;
    char folder[RUN_PATH_BYTES], last_path[RUN_PATH_BYTES], best_path[RUN_PATH_BYTES];

    data_spec *spec;
    data_set *train_set, *val_set;
    uint8_t *wanted_classes; /* (nc) NULL: all */
    data_loader *loader;

    nn_train *net;
    nn_graph_info info;
    char *model_yaml;   /* with this run's class count */
    const char **names; /* (nc) texts of the spec */
    size_t n_params;
    train_param *params; /* (n_params) */
    bool *needs_grad;    /* (n_params) */
    train_optimizer_options optimizer_options;
    train_schedule schedule;
    train_state state;
    weights_file *average; /* state.ema's, as validation reads it */

    detect_loss *loss;
    train_validator *validator;
    float *resized; /* multi_scale: the largest batch; else NULL */
    report_csv *csv;

    bool has_transferred, fell_back, has_final;
    size_t n_transferred;
    vg_error why;
    train_validation final;
    int64_t started_ns, saved_ns;
    double seconds_before; /* of the sessions before this one */
    int n_bad_steps;       /* in a row */
    double grad_norm;
};

/* A fresh graph of the run's model. */
vg_status run_make_graph(const train_run *r, nn_graph **out, vg_error *err);
train_facts run_facts(const train_run *r);
data_augment run_augment(const train_args *a);
/* Validation's weights: the average, or a file. */
vg_status run_validate(train_run *r, train_validation *out, const weights_file *weights,
                       const train_listener *listener, bool is_final, vg_error *err);

#endif
