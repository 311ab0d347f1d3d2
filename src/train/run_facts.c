/* run_facts.c: what a run tells of itself. */
#include "run_parts.h"

const train_args *train_run_args(const train_run *r)
{
    return &r->args;
}

const nn_device *train_run_device(const train_run *r)
{
    return r->device;
}

const vg_plan *train_run_need(const train_run *r)
{
    return &r->need;
}

const nn_graph *train_run_graph(const train_run *r)
{
    return nn_train_graph(r->engine.net);
}

const data_set *train_run_set(const train_run *r, data_split split)
{
    return split == DATA_TRAIN ? r->train_set : r->val_set;
}

const task *train_run_task(const train_run *r)
{
    return task_of(r->info.task);
}

const char *const *train_run_names(const train_run *r)
{
    return r->names;
}

int64_t train_run_plain_epoch(const train_run *r)
{
    return r->plain_epoch;
}

const train_optimizer_options *train_run_optimizer(const train_run *r)
{
    return &r->optimizer_options;
}

const train_position *train_run_position(const train_run *r)
{
    return &r->state.position;
}

const char *train_run_best_path(const train_run *r)
{
    return r->best_path;
}

const char *train_run_last_path(const train_run *r)
{
    return r->last_path;
}

bool train_run_transferred(const train_run *r, size_t *n_transferred, size_t *n_items)
{
    *n_transferred = r->n_transferred;
    *n_items = r->n_params;
    return r->has_transferred;
}

const char *train_run_few_notice(const train_run *r)
{
    return r->few_notice;
}

const char *train_run_names_notice(const train_run *r)
{
    return r->names_notice;
}

const vg_train_ranks *train_run_waits(const train_run *r)
{
    return r->waits.n_ranks > 0 ? &r->waits : NULL;
}

const char *train_run_ranks_notice(const train_run *r)
{
    return r->ranks_notice;
}

int train_run_asked_imgsz(const train_run *r)
{
    return r->asked_imgsz;
}

bool train_run_fell_back(const train_run *r, const vg_error **why)
{
    *why = &r->why;
    return r->fell_back;
}

const train_validation *train_run_final(const train_run *r)
{
    return r->has_final ? &r->final : NULL;
}

double train_run_loader_wait(const train_run *r)
{
    if (r->batches_ns == 0)
        return 0;
    return (double)data_loader_stats_get(r->loader).wait_ns / (double)r->batches_ns;
}
