/* predict_summary.c: the sums over all pictures, and how far the work is. */
#include <math.h>
#include <time.h>
#include <unistd.h>

#include "predict.h"

static const double log_every_s = 30; /* a log file wants few lines */

double predict_now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void predict_sums_add(predict_sums *s, const vg_predict_result *r)
{
    s->total = r->total;
    if (r->status != VG_OK) {
        s->n_skipped++;
        return;
    }
    s->n_done++;
    s->times.decode_ms += r->times.decode_ms;
    s->times.preprocess_ms += r->times.preprocess_ms;
    s->times.inference_ms += r->times.inference_ms;
    s->times.postprocess_ms += r->times.postprocess_ms;
    s->times.save_ms += r->times.save_ms;
}

void predict_memory_print(FILE *to, const vg_memory *m)
{
    char a[32], b[32], c[32], d[32];
    fprintf(to, "Memory: planned %s (", cli_bytes(a, (double)m->planned_bytes));
    bool first = true;
    for (int i = 0; i < m->n_items; i++) {
        if (m->items[i].planned_bytes == 0 || m->items[i].is_on_gpu)
            continue;
        fprintf(to, "%s%s %s", first ? "" : ", ", m->items[i].owner,
                cli_bytes(b, (double)m->items[i].planned_bytes));
        first = false;
    }
    fprintf(to, "), in use %s, libraries %s, resident %s, peak %s\n",
            cli_bytes(a, (double)m->in_use_bytes), cli_bytes(b, (double)m->library_bytes),
            cli_bytes(c, (double)m->resident_bytes), cli_bytes(d, (double)m->peak_resident_bytes));
    cli_gpu_print(to, m);
}

void predict_summary_print(FILE *to, const predict_sums *s, const vg_memory *m)
{
    double n = s->n_done > 0 ? (double)s->n_done : 1, wall_s = predict_now_s() - s->started_s;
    const vg_predict_times *t = &s->times;
    char count[64];
    fprintf(to,
            "Speed: %.1fms decode, %.1fms preprocess, %.1fms inference, %.1fms postprocess, %.1fms "
            "save per picture; "
            "%s in %.1fs, %.1f pictures/s\n",
            t->decode_ms / n, t->preprocess_ms / n, t->inference_ms / n, t->postprocess_ms / n,
            t->save_ms / n, vg_count_format(count, sizeof count, s->n_done, "picture"), wall_s,
            (double)s->n_done / fmax(wall_s, 1e-9));
    predict_memory_print(to, m);
}

predict_progress predict_progress_make(bool quiet)
{
    return (predict_progress){.on = quiet || !isatty(STDOUT_FILENO),
                              .bar = cli_bar_make(stderr, "predicting"),
                              .next_s = predict_now_s() + log_every_s};
}

void predict_progress_show(predict_progress *p, const predict_sums *s)
{
    const double now_s = predict_now_s();
    const size_t n = s->n_done + s->n_skipped;
    char count[64];
    if (!p->on || n >= s->total)
        return;
    if (p->bar.on) {
        cli_bar_show(&p->bar, n, s->total);
    } else if (now_s >= p->next_s) {
        p->next_s = now_s + log_every_s;
        const double per_s = (double)n / fmax(now_s - s->started_s, 1e-9);
        fprintf(stderr, "%zu of %s, %.1f/s, %.0f s left\n", n,
                vg_count_format(count, sizeof count, s->total, "picture"), per_s,
                (double)(s->total - n) / fmax(per_s, 1e-9));
    }
}

void predict_progress_clear(predict_progress *p)
{
    cli_bar_clear(&p->bar);
}
