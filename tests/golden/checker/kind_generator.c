/* kind_generator.c: the generator's own numbers: units by seed, first values of every tensor, and
 * sums of whole networks. */
#include <inttypes.h>

#include "kind.h"
#include "recipe.h"
#include "support/generator.h"

static bool recognises(const gold_file *f)
{
    return gold_has_prefix(f, "raw_v/seed") || gold_has(f, "n.wsum_u64_as_i64") ||
           gold_has(f, "wsum_u64_as_i64");
}

/* "raw_v/seed7": v of model.0.conv.weight. */
static vg_status check_units(gold_file *f, gold_job *job, vg_error *err)
{
    for (size_t i = 0; i < weights_count(f->weights); i++) {
        const char *name = weights_at(f->weights, i)->name;
        uint64_t seed;
        gold_tensor t;
        if (sscanf(name, "raw_v/seed%" SCNu64, &seed) != 1)
            continue;
        vg_status st = gold_get(&t, f, WEIGHTS_F32, 1, err, "%s", name);
        if (st != VG_OK)
            return st;
        gold_diff d = gold_diff_make(0, 0);
        for (size_t k = 0; k < t.n; k++)
            gold_diff_add(&d, generator_unit("model.0.conv.weight", seed, k), t.f32[k]);
        gold_report_row(job->report, &d, "%s", name);
    }
    return VG_OK;
}

static vg_status check_first(gold_file *f, gold_job *job, const char *scale,
                             const weights_file *made, vg_error *err)
{
    char prefix[32];
    gold_diff all = gold_diff_make(0, 0);
    size_t n_tensors = 0;
    base_format(prefix, sizeof prefix, "%s.first4/", scale);
    for (size_t i = 0; i < weights_count(f->weights); i++) {
        const char *name = weights_at(f->weights, i)->name;
        gold_tensor t;
        if (!base_starts_with(name, prefix))
            continue;
        const weights_tensor *whole = weights_find(made, name + strlen(prefix));
        if (!whole)
            return gold_bad(f, err, "%s names no tensor of the network", name);
        vg_status st = gold_get(&t, f, WEIGHTS_F32, 1, err, "%s", name);
        if (st != VG_OK)
            return st;
        if (t.n > whole->n_elements)
            return gold_bad(f, err, "%s has more elements than the tensor", name);
        gold_diff d = gold_diff_make(0, 0);
        for (size_t k = 0; k < t.n; k++)
            gold_diff_add(&d, ((const float *)whole->data)[k], t.f32[k]);
        gold_report_member(job->report, &d, &all, "%s", name);
        n_tensors++;
    }
    if (n_tensors)
        gold_report_row(job->report, &all, "%s* (%zu tensors)", prefix, n_tensors);
    return VG_OK;
}

/* prefix: of the two names, "n." or "". */
static vg_status check_sums(gold_file *f, gold_job *job, const gold_recipe *r, const char *prefix,
                            const char *scale, vg_error *err)
{
    synthetic_weights s = {0};
    gold_tensor sum, n_floats;
    vg_status st = gold_get(&sum, f, WEIGHTS_I64, 0, err, "%swsum_u64_as_i64", prefix);
    if (st == VG_OK)
        st = gold_get(&n_floats, f, WEIGHTS_I64, 0, err, "%sn_state_floats", prefix);
    if (st == VG_OK && (sum.n != 1 || n_floats.n != 1))
        st = gold_bad(f, err, "the sums of scale %s are not one number each", scale);
    if (st == VG_OK)
        st = gold_synthetic_make(&s, r, job->mem, err);
    if (st == VG_OK) {
        gold_diff same = gold_diff_make(0, 0), count = gold_diff_make(0, 0);
        gold_diff_add(&same, s.sum != (uint64_t)sum.i64[0], 0); /* a double would round it */
        gold_diff_add(&count, (double)s.n_floats, (double)n_floats.i64[0]);
        gold_report_row(job->report, &same, "%swsum_u64_as_i64", prefix);
        gold_report_row(job->report, &count, "%sn_state_floats", prefix);
        st = check_first(f, job, scale, s.weights, err);
    }
    synthetic_close(&s);
    return st;
}

static vg_status check_scale(gold_file *f, gold_job *job, gold_recipe r, const char *scale,
                             vg_error *err)
{
    char prefix[4];
    base_format(r.scale, sizeof r.scale, "%s", scale);
    base_format(prefix, sizeof prefix, "%s.", scale);
    return check_sums(f, job, &r, prefix, scale, err);
}

/* Of a network for another task, which the tensors name that it alone has. */
static vg_status check_task(gold_file *f, gold_job *job, vg_error *err)
{
    gold_recipe r;
    const char *scale = gold_meta_text(f, "scale", "n");
    const char *task = gold_has(f, "%s.first4/model.10.linear.weight", scale)           ? "classify"
                       : gold_has(f, "%s.first4/model.23.proto.upsample.weight", scale) ? "segment"
                       : gold_meta_text(f, "kpt_shape", "None")[0] == '('               ? "pose"
                                                                                        : "obb";
    vg_status st = gold_recipe_read_task(&r, f, task, err);
    return st == VG_OK ? check_sums(f, job, &r, "", scale, err) : st;
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    static const char *const scales[] = {"n", "s", "m", "l", "x"};
    gold_recipe r;
    if (gold_has(f, "wsum_u64_as_i64"))
        return check_task(f, job, err);
    vg_status st = gold_recipe_read(&r, f, err);
    if (st == VG_OK)
        st = check_units(f, job, err);
    for (size_t i = 0; i < sizeof scales / sizeof *scales && st == VG_OK; i++)
        if (gold_has(f, "%s.wsum_u64_as_i64", scales[i]))
            st = check_scale(f, job, r, scales[i], err);
    return st;
}

const gold_kind gold_kind_generator = {.name = "generator",
                                       .help = "units, first values and sums of the generator",
                                       .recognises = recognises,
                                       .check = check};
