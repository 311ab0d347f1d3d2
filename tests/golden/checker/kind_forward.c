/* kind_forward.c: a network's layers, raw head maps and decoded output for an input, with the
 * generator's weights; by kernel table, and with two threads against one. */
#include <math.h>

#include "decoded.h"
#include "recipe.h"

/* Tolerances: the golden data's README. */
static const double map_abs = 1e-4, map_rel = 1e-4, box_px = 2e-3, score_abs = 1e-5,
                    threads_abs = 1e-5, threads_rel = 1e-5;
enum { MOST_LAYERS = 1024, N_STATS = 5 };

static bool recognises(const gold_file *f)
{
    return gold_has(f, "input") && !gold_has(f, "targets") &&
           (gold_has(f, "decoded") || gold_has(f, "raw0") || gold_has(f, "layer0.sample"));
}

static vg_status check_sample(gold_file *f, gold_job *job, const nn_map *m, int layer,
                              const char *isa, vg_error *err)
{
    gold_tensor step, sample;
    vg_status st = gold_get(&step, f, WEIGHTS_I64, 0, err, "layer%d.step", layer);
    if (st == VG_OK)
        st = gold_get(&sample, f, WEIGHTS_F32, 1, err, "layer%d.sample", layer);
    if (st != VG_OK)
        return st;
    size_t n = (size_t)m->n * (size_t)m->c * (size_t)m->h * (size_t)m->w;
    size_t every = step.n == 1 && step.i64[0] > 0 ? (size_t)step.i64[0] : 0;
    if (every == 0 || sample.n != (n + every - 1) / every)
        return gold_bad(f, err, "layer%d.sample has %zu elements of %zu, step %zu", layer, sample.n,
                        n, every);
    gold_diff d = gold_diff_make(map_abs, map_rel);
    for (size_t i = 0; i < sample.n; i++)
        gold_diff_add(&d, gold_map_nchw(m, i * every), sample.f32[i]);
    gold_report_row(job->report, &d, "layer%d.sample [%s]", layer, isa);
    return VG_OK;
}

/* Mean, population deviation, L2, least, most over every element: what a sample may miss. */
static vg_status check_stats(gold_file *f, gold_job *job, const nn_map *m, int layer,
                             const char *isa, vg_error *err)
{
    gold_tensor stats;
    if (!gold_has(f, "layer%d.stats", layer))
        return VG_OK;
    vg_status st = gold_get(&stats, f, WEIGHTS_F64, 1, err, "layer%d.stats", layer);
    if (st != VG_OK || stats.n != N_STATS)
        return st != VG_OK ? st : gold_bad(f, err, "layer%d.stats has no 5 elements", layer);
    size_t n = (size_t)m->n * (size_t)m->c * (size_t)m->h * (size_t)m->w;
    double sum = 0, squares = 0, least = INFINITY, most = -INFINITY, deviation = 0;
    for (size_t i = 0; i < n; i++) {
        double x = gold_map_nchw(m, i);
        sum += x;
        squares += x * x;
        least = fmin(least, x);
        most = fmax(most, x);
    }
    for (size_t i = 0; i < n; i++) {
        double x = gold_map_nchw(m, i) - sum / (double)n;
        deviation += x * x;
    }
    const double got[N_STATS] = {sum / (double)n, sqrt(deviation / (double)n), sqrt(squares), least,
                                 most};
    gold_diff d = gold_diff_make(map_abs, map_rel);
    for (size_t i = 0; i < N_STATS; i++)
        gold_diff_add(&d, got[i], stats.f64[i]);
    gold_report_row(job->report, &d, "layer%d.stats [%s]", layer, isa);
    return VG_OK;
}

static vg_status check_layer(gold_file *f, gold_job *job, const gold_network *net, int layer,
                             const char *isa, vg_error *err)
{
    gold_tensor shape;
    nn_map m;
    vg_status st = gold_get(&shape, f, WEIGHTS_I64, 1, err, "layer%d.shape", layer);
    if (st != VG_OK)
        return st;
    if (!nn_plan_layer(net->plan, layer, &m))
        return gold_bad(f, err, "layer %d is none of the network's", layer);
    if (shape.n != 4 || shape.i64[0] != m.n || shape.i64[1] != m.c || shape.i64[2] != m.h ||
        shape.i64[3] != m.w)
        return gold_bad(f, err, "layer %d is %d x %d x %d x %d (N,C,H,W), not as golden", layer,
                        m.n, m.c, m.h, m.w);
    st = check_sample(f, job, &m, layer, isa, err);
    return st == VG_OK ? check_stats(f, job, &m, layer, isa, err) : st;
}

vg_status gold_check_layers(gold_file *f, gold_job *job, const gold_network *net, const char *isa,
                            vg_error *err)
{
    vg_status st = VG_OK;
    for (int i = 0; i < MOST_LAYERS && st == VG_OK; i++)
        if (gold_has(f, "layer%d.sample", i))
            st = check_layer(f, job, net, i, isa, err);
    return st;
}

static vg_status check_layers(gold_file *f, gold_job *job, const weights_file *w,
                              const gold_recipe *r, const gold_tensor *input, const char *isa,
                              vg_error *err)
{
    gold_network net;
    const nn_engine_options o = {
        .threads = 1, .isa = isa, .device = job->device, .keep_layers = true};
    vg_status st = gold_network_open(&net, w, r->scale, r->nc, &o, job->mem, err);
    if (st == VG_OK)
        st = gold_network_run(&net, input->f32, input->shape, err);
    if (st == VG_OK)
        st = gold_check_layers(f, job, &net, isa, err);
    gold_network_close(&net);
    return st;
}

vg_status gold_check_raw(gold_file *f, gold_job *job, const gold_network *net, const char *isa,
                         vg_error *err)
{
    detect_level levels[DETECT_MAX_LEVELS];
    int n_levels = gold_network_levels(net, levels);
    for (int k = 0; gold_has(f, "raw%d", k); k++) {
        gold_tensor raw;
        vg_status st = gold_get(&raw, f, WEIGHTS_F32, 4, err, "raw%d", k);
        if (st != VG_OK)
            return st;
        const detect_level *l = &levels[k];
        size_t pixels = raw.shape[2] * raw.shape[3], n = (size_t)nn_plan_head(net->plan, 0).box.n;
        if (k >= n_levels || raw.shape[0] != n ||
            raw.shape[1] != (size_t)(DETECT_BOX_CHANNELS + net->nc) ||
            raw.shape[2] != (size_t)l->h || raw.shape[3] != (size_t)l->w)
            return gold_bad(f, err, "raw%d has not the shape of the network's level", k);
        gold_diff d = gold_diff_make(map_abs, map_rel);
        for (size_t i = 0; i < n; i++)
            for (size_t c = 0; c < raw.shape[1]; c++)
                for (size_t p = 0; p < pixels; p++)
                    gold_diff_add(&d, gold_level_at(l, i, p, c),
                                  raw.f32[(i * raw.shape[1] + c) * pixels + p]);
        gold_report_row(job->report, &d, "raw%d [%s]", k, isa);
    }
    return VG_OK;
}

vg_status gold_check_decoded(gold_file *f, gold_job *job, gold_network *net, const char *isa,
                             vg_error *err)
{
    gold_tensor want;
    vg_status st = gold_get(&want, f, WEIGHTS_F32, 3, err, "decoded");
    if (st == VG_OK)
        st = gold_network_decode(net, err);
    if (st != VG_OK)
        return st;
    size_t rows = (size_t)(4 + net->nc), n = (size_t)nn_plan_head(net->plan, 0).box.n;
    if (want.shape[0] != n || want.shape[1] != rows || want.shape[2] != net->n_anchors)
        return gold_bad(f, err, "decoded is not of %zu x %zu x %zu", n, rows, net->n_anchors);
    gold_diff boxes = gold_diff_make(box_px, 0), scores = gold_diff_make(score_abs, 0);
    for (size_t i = 0; i < want.n; i++)
        gold_diff_add(i / net->n_anchors % rows < 4 ? &boxes : &scores, net->decoded[i],
                      want.f32[i]);
    gold_report_row(job->report, &boxes, "decoded boxes, px [%s]", isa);
    gold_report_row(job->report, &scores, "decoded scores [%s]", isa);
    return VG_OK;
}

/* Two threads share work otherwise than one; the numbers must not. */
static vg_status check_threads(gold_job *job, const weights_file *w, const gold_recipe *r,
                               const gold_tensor *input, const gold_network *one, const char *isa,
                               vg_error *err)
{
    gold_network two;
    const nn_engine_options o = {.threads = 2, .isa = isa, .device = job->device};
    detect_level a[DETECT_MAX_LEVELS], b[DETECT_MAX_LEVELS];
    vg_status st = gold_network_open(&two, w, r->scale, r->nc, &o, job->mem, err);
    if (st == VG_OK)
        st = gold_network_run(&two, input->f32, input->shape, err);
    if (st == VG_OK) {
        gold_diff d = gold_diff_make(threads_abs, threads_rel);
        int n_levels = gold_network_levels(one, a);
        gold_network_levels(&two, b);
        for (int k = 0; k < n_levels; k++)
            for (size_t i = 0; i < input->shape[0]; i++)
                for (size_t p = 0; p < (size_t)(a[k].h * a[k].w); p++)
                    for (size_t c = 0; c < (size_t)(DETECT_BOX_CHANNELS + r->nc); c++)
                        gold_diff_add(&d, gold_level_at(&b[k], i, p, c),
                                      gold_level_at(&a[k], i, p, c));
        gold_report_row(job->report, &d, "raw maps, 2 threads against 1 [%s]", isa);
    }
    gold_network_close(&two);
    return st;
}

static vg_status check_isa(gold_file *f, gold_job *job, const weights_file *w, const gold_recipe *r,
                           const gold_tensor *input, const char *isa, vg_error *err)
{
    gold_network net;
    const nn_engine_options o = {.threads = 1, .isa = isa, .device = job->device};
    vg_status st = check_layers(f, job, w, r, input, isa, err);
    if (st != VG_OK)
        return st;
    st = gold_network_open(&net, w, r->scale, r->nc, &o, job->mem, err);
    if (st == VG_OK)
        st = gold_network_run(&net, input->f32, input->shape, err);
    if (st == VG_OK)
        st = gold_check_raw(f, job, &net, isa, err);
    if (st == VG_OK && gold_has(f, "decoded"))
        st = gold_check_decoded(f, job, &net, isa, err);
    if (st == VG_OK && !job->device)
        st = check_threads(job, w, r, input, &net, isa, err);
    gold_network_close(&net);
    return st;
}

/* The file's sum of its weights' bits: the two sides speak of the same network. */
vg_status gold_check_sum(const gold_file *f, gold_job *job, const synthetic_weights *s,
                         vg_error *err)
{
    const char *text = gold_meta_text(f, "wsum_u64", NULL);
    char got[32];
    if (!text)
        return VG_OK;
    base_format(got, sizeof got, "%llu", (unsigned long long)s->sum);
    gold_diff d = gold_diff_make(0, 0);
    gold_diff_add(&d, strcmp(got, text) != 0, 0);
    gold_report_row(job->report, &d, "metadata wsum_u64");
    return gold_diff_passes(&d)
               ? VG_OK
               : gold_bad(f, err, "its weights' sum is %s, the generator's %s", text, got);
}

static vg_status check(gold_file *f, gold_job *job, vg_error *err)
{
    gold_recipe r;
    gold_tensor input;
    synthetic_weights s = {0};
    vg_status st = gold_recipe_read(&r, f, err);
    if (st == VG_OK)
        st = gold_get(&input, f, WEIGHTS_F32, 4, err, "input");
    if (st == VG_OK)
        st = gold_synthetic_make(&s, &r, job->mem, err);
    if (st == VG_OK) {
        gold_report_note(job->report,
                         "scale %s, nc %d, generator seed %lld, head_g %g, input %zu x %zu x %zu",
                         r.scale, r.nc, (long long)r.seed, r.head_g, input.shape[0], input.shape[2],
                         input.shape[3]);
        st = gold_check_sum(f, job, &s, err);
    }
    for (int i = 0; i < job->n_isas && st == VG_OK; i++)
        st = check_isa(f, job, s.weights, &r, &input, job->isas[i], err);
    synthetic_close(&s);
    return st;
}

const gold_kind gold_kind_forward = {.on_device = true,
                                     .name = "forward",
                                     .help = "a network's maps for an input, generator's weights",
                                     .recognises = recognises,
                                     .check = check};
