/* kind_fused.c: convolutions with their batch normalisation folded in. */
#include "kind.h"
#include "recipe.h"

static const double fold_rel = 1e-5, fold_abs = 1e-7; /* README: relative; abs for those near 0 */
static const char weight_tail[] = ".conv.weight";

static bool recognises(const gold_file *f)
{
    for (size_t i = 0; i < weights_count(f->weights); i++) {
        const char *name = weights_at(f->weights, i)->name;
        size_t n = strlen(name);
        if (base_starts_with(name, "model.") && n > 10 && strcmp(name + n - 10, ".conv.bias") == 0)
            return !gold_has(f, "model.0.bn.weight");
    }
    return false;
}

static void check_values(gold_job *job, const gold_tensor *want, const float *got)
{
    gold_diff d = gold_diff_make(fold_abs, fold_rel);
    for (size_t i = 0; i < want->n; i++)
        gold_diff_add(&d, got[i], want->f32[i]);
    gold_report_row(job->report, &d, "%s", want->name);
}

static vg_status check_conv(gold_file *f, gold_job *job, const nn_graph *g, const weights_file *w,
                            const char *key, vg_error *err)
{
    gold_tensor weight, bias;
    float *got_weight = NULL, *got_bias = NULL;
    size_t n_weight = 0, n_bias = 0;
    vg_status st = gold_get(&weight, f, WEIGHTS_F32, 4, err, "%s.conv.weight", key);
    if (st == VG_OK)
        st = gold_get(&bias, f, WEIGHTS_F32, 1, err, "%s.conv.bias", key);
    if (st == VG_OK)
        st = nn_fold_conv(g, w, key, &got_weight, &got_bias, &n_weight, &n_bias, job->mem, err);
    if (st != VG_OK)
        return st;
    if (n_weight == weight.n && n_bias == bias.n) {
        check_values(job, &weight, got_weight);
        check_values(job, &bias, got_bias);
    } else {
        st = gold_bad(f, err, "%s is of another size in the network", key);
    }
    base_free(got_weight);
    base_free(got_bias);
    return st;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    gold_recipe r;
    nn_graph *g = NULL;
    synthetic_weights s = {0};
    vg_status st = gold_recipe_read(&r, f, err);
    if (st == VG_OK)
        st = gold_synthetic_make(&s, &r, job->mem, err);
    if (st == VG_OK)
        st = synthetic_graph(&g, r.scale, r.nc, job->mem, err);
    for (size_t i = 0; i < weights_count(f->weights) && st == VG_OK; i++) {
        const char *name = weights_at(f->weights, i)->name;
        size_t n = strlen(name), tail = strlen(weight_tail);
        char key[NN_KEY_BYTES];
        if (n <= tail || strcmp(name + n - tail, weight_tail) != 0)
            continue;
        if (base_format(key, sizeof key, "%.*s", (int)(n - tail), name))
            st = check_conv(f, job, g, s.weights, key, err);
    }
    nn_graph_destroy(&g);
    synthetic_close(&s);
    return st;
}

const gold_kind gold_kind_fused = {.name = "fused convolutions",
                                   .help = "weights and biases with batch norm folded in",
                                   .recognises = recognises,
                                   .check = check};
