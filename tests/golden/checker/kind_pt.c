/* kind_pt.c: a checkpoint of torch's with the generator's weights, rounded to its own precision.
 *
 * Such a file does not say its seed: the state dict of the same stem beside it does, else the seed
 * is found by trial, small ones first. A .pt of other weights (trained ones) is of no kind. */
#include <math.h>

#include "kind.h"
#include "recipe.h"
#include "support/generator.h"

enum { MOST_TRIED_SEED = 4095, MOST_PROBES = 64 };

/* What a value becomes in the tensor's precision. */
static float rounded(float x, weights_dtype t)
{
    return t == WEIGHTS_F16    ? weights_f16_to_f32(weights_f32_to_f16(x))
           : t == WEIGHTS_BF16 ? weights_bf16_to_f32(weights_f32_to_bf16(x))
                               : x;
}

/* Most of the first values of BN's scales are the seed's: one wrong value must not hide the rest.
 */
static bool is_seed(const weights_file *w, uint64_t seed)
{
    size_t n = 0, n_same = 0;
    for (size_t i = 0; i < weights_count(w) && n < MOST_PROBES; i++) {
        const weights_tensor *t = weights_at(w, i);
        size_t length = strlen(t->name);
        float first;
        if (length < 10 || strcmp(t->name + length - 10, ".bn.weight") != 0 || t->n_elements == 0)
            continue;
        weights_tensor one = *t;
        one.n_dims = 1;
        one.shape[0] = one.stride[0] = 1;
        one.n_elements = 1;
        weights_to_float(&first, &one);
        n_same += rounded(generator_unit(t->name, seed, 0) * 0.25f + 1, t->dtype) == first;
        n++;
    }
    return n > 0 && 2 * n_same > n;
}

static bool find_seed(uint64_t *seed, const weights_file *w)
{
    for (uint64_t s = 0; s <= MOST_TRIED_SEED; s++)
        if (is_seed(w, s)) {
            *seed = s;
            return true;
        }
    return false;
}

/* The generator's gain of the head, which the file does not say either: from the largest weight of
 * the last convolution, in quarters. */
static double find_head_g(const weights_file *w, uint64_t seed, base_mem *mem)
{
    static const char key[] = "model.23.cv2.0.2.weight";
    const weights_tensor *t = weights_find(w, key);
    if (!t || t->n_dims != 4 || t->n_elements < 2)
        return 8;
    float *made = base_alloc(mem, 2 * t->n_elements * sizeof *made, NULL);
    float *has = made ? made + t->n_elements : NULL;
    double ratio = 8;
    if (made && generator_fill(made, key, t->shape, t->n_dims, seed, 1)) {
        size_t best = 0;
        weights_to_float(has, t);
        for (size_t i = 0; i < t->n_elements; i++)
            best = fabsf(made[i]) > fabsf(made[best]) ? i : best;
        ratio = rint(4 * (double)has[best] / (double)made[best]) / 4;
    }
    base_free(made);
    return ratio;
}

static bool recognises(const gold_file *f)
{
    uint64_t seed;
    return strcmp(weights_get_meta(f->weights)->source, "pt") == 0 && find_seed(&seed, f->weights);
}

static vg_status find_recipe(gold_recipe *r, const gold_file *f, gold_job *job, vg_error *err)
{
    char stem[256], name[300];
    *r = (gold_recipe){.head_g = 8};
    if (base_path_stem(stem, sizeof stem, f->path)) {
        gold_file beside;
        base_format(name, sizeof name, "%s.safetensors", stem);
        vg_status st = gold_file_open(&beside, f->dir, name, job->mem, NULL);
        bool says = st == VG_OK && gold_meta_text(&beside, "generator_seed", NULL);
        if (says)
            st = gold_recipe_read(r, &beside, err);
        gold_file_close(&beside);
        if (says) {
            gold_report_note(job->report, "seed %lld, head_g %g, as %s says", (long long)r->seed,
                             r->head_g, name);
            return st;
        }
    }
    uint64_t seed = 0;
    find_seed(&seed, f->weights);
    r->seed = (int64_t)seed;
    r->head_g = find_head_g(f->weights, seed, job->mem);
    gold_report_note(job->report, "seed %lld, head_g %g, found by trial", (long long)r->seed,
                     r->head_g);
    return VG_OK;
}

static vg_status check_tensor(gold_job *job, const weights_tensor *t, const gold_recipe *r,
                              gold_diff *all, vg_error *err)
{
    float *made = base_alloc_zero(job->mem, 2 * t->n_elements + 1, sizeof *made, err);
    if (!made)
        return VG_ERR_MEMORY;
    float *has = made + t->n_elements;
    weights_to_float(has, t);
    if (!generator_fill(made, t->name, t->shape, t->n_dims, (uint64_t)r->seed, r->head_g)) {
        base_free(made);
        return base_fail(err, VG_ERR_FORMAT, base_where("tensor %s", t->name), NULL,
                         "the generator has no rule for this name");
    }
    gold_diff d = gold_diff_make(0, 0);
    for (size_t i = 0; i < t->n_elements; i++)
        gold_diff_add(&d, has[i], rounded(made[i], t->dtype));
    gold_report_member(job->report, &d, all, "%s", t->name);
    base_free(made);
    return VG_OK;
}

/* The graph that its model YAML describes has these tensors, no more and no fewer. */
static vg_status check_graph(gold_file *f, gold_job *job, size_t n_values, vg_error *err)
{
    nn_graph *g = NULL;
    vg_status st = nn_graph_from_weights(&g, f->weights, job->mem, err);
    if (st != VG_OK)
        return st;
    gold_diff d = gold_diff_make(0, 0);
    gold_diff_add(&d, (double)n_values, (double)nn_graph_n_params(g));
    for (size_t i = 0; i < nn_graph_n_params(g); i++)
        gold_diff_add(&d, weights_find(f->weights, nn_graph_param(g, i)->key) ? 0 : 1, 0);
    gold_report_row(job->report, &d, "tensors of its own model YAML");
    nn_graph_destroy(&g);
    return VG_OK;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    gold_recipe r;
    gold_diff all = gold_diff_make(0, 0);
    size_t n_values = 0;
    vg_status st = find_recipe(&r, f, job, err);
    for (size_t i = 0; i < weights_count(f->weights) && st == VG_OK; i++) {
        const weights_tensor *t = gold_at(f, i);
        bool is_counter = t->dtype == WEIGHTS_I64;
        n_values += !is_counter;
        if (!is_counter)
            st = check_tensor(job, t, &r, &all, err);
    }
    if (st == VG_OK) {
        gold_report_row(job->report, &all, "all values, as rounded (%zu tensors)", n_values);
        st = check_graph(f, job, n_values, err);
    }
    return st;
}

const gold_kind gold_kind_pt = {.name = ".pt checkpoint",
                                .help = "a checkpoint of torch's with the generator's weights",
                                .recognises = recognises,
                                .check = check};
