/* kind_state_dict.c: a full state dict of a network against the generator, and against the graph's
 * list of names and shapes. */
#include <inttypes.h>

#include "kind.h"
#include "recipe.h"
#include "support/generator.h"

static bool recognises(const gold_file *f)
{
    return gold_has(f, "model.0.conv.weight") && gold_has(f, "model.0.bn.running_var");
}

/* Every parameter of the graph that the file's tensors fit is there: counts missing ones. */
static vg_status check_names(gold_file *f, gold_job *job, vg_error *err)
{
    nn_graph *g = NULL;
    vg_status st = nn_graph_from_weights(&g, f->weights, job->mem, err);
    if (st != VG_OK)
        return st;
    gold_diff d = gold_diff_make(0, 0);
    for (size_t i = 0; i < nn_graph_n_params(g); i++) {
        const nn_param *p = nn_graph_param(g, i);
        const weights_tensor *t = weights_find(f->weights, p->key);
        bool same = t && t->n_dims == p->n_dims;
        for (int k = 0; same && k < p->n_dims; k++)
            same = t->shape[k] == p->shape[k];
        gold_diff_add(&d, same ? 0 : 1, 0);
    }
    gold_report_row(job->report, &d, "names and shapes (%zu parameters)", nn_graph_n_params(g));
    nn_graph_destroy(&g);
    return VG_OK;
}

static vg_status check_tensor(gold_file *f, gold_job *job, const weights_tensor *t,
                              const gold_recipe *r, gold_diff *all, uint64_t *sum, vg_error *err)
{
    gold_tensor want;
    vg_status st = gold_get(&want, f, WEIGHTS_F32, 0, err, "%s", t->name);
    float *made =
        st == VG_OK ? base_alloc_zero(job->mem, t->n_elements + 1, sizeof *made, err) : NULL;
    if (!made)
        return st != VG_OK ? st : VG_ERR_MEMORY;
    if (!generator_fill(made, t->name, t->shape, t->n_dims, (uint64_t)r->seed, r->head_g))
        st = gold_bad(f, err, "the generator has no rule for \"%s\"", t->name);
    gold_diff d = gold_diff_make(0, 0);
    for (size_t i = 0; i < want.n && st == VG_OK; i++)
        gold_diff_add(&d, made[i], want.f32[i]);
    if (st == VG_OK)
        gold_report_member(job->report, &d, all, "%s", t->name);
    *sum = generator_sum(*sum, want.f32, want.n);
    base_free(made);
    return st;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    gold_recipe r;
    gold_diff all = gold_diff_make(0, 0);
    uint64_t sum = 0;
    size_t n = weights_count(f->weights);
    vg_status st = gold_recipe_read(&r, f, err);
    if (st == VG_OK)
        st = check_names(f, job, err);
    for (size_t i = 0; i < n && st == VG_OK; i++)
        st = check_tensor(f, job, weights_at(f->weights, i), &r, &all, &sum, err);
    if (st != VG_OK)
        return st;
    gold_report_row(job->report, &all, "all values (%zu tensors)", n);
    const char *said = gold_meta_text(f, "wsum_u64", NULL);
    if (said) {
        char text[32];
        gold_diff d = gold_diff_make(0, 0);
        base_format(text, sizeof text, "%" PRIu64, sum);
        gold_diff_add(&d, strcmp(text, said) != 0, 0);
        gold_report_row(job->report, &d, "metadata wsum_u64");
    }
    return VG_OK;
}

const gold_kind gold_kind_state_dict = {.name = "state dict",
                                        .help = "every tensor of a network, generator's values",
                                        .recognises = recognises,
                                        .check = check};
