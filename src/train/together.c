/* together.c: buckets of gradients, and the few numbers that go with every batch. */
#include "together.h"

#include <string.h>

enum { TAIL_LABELS = DETECT_MOST_ITEMS, TAIL_STOPS, TAIL_LATE, TAIL_SAVES, TAIL_LOOKS };

static size_t padded_floats(const train_param *p)
{
    return base_round_up(p->info->n_elements, BASE_MEM_ALIGN / sizeof(float));
}

/* ---- what the network and the loss ask ---- */

static void sum_statistics(void *ctx, double *sums, size_t n)
{
    ranks_sum(((together *)ctx)->ranks, sums, n,
              NULL); /* a failure stays: together_wait tells it */
}

static void hear_ready(void *ctx, size_t first, size_t n)
{
    together *t = ctx;
    if (!t->adds_up)
        return;
    for (size_t i = first; i < first + n; i++) {
        if (t->bucket_of[i] < 0)
            continue;
        together_bucket *b = &t->buckets[t->bucket_of[i]];
        if (--b->n_left == 0)
            ranks_sum_begin(t->ranks, b->at, b->n);
    }
    ranks_push(t->ranks);
}

static vg_status sum_scores(void *ctx, double *sum, vg_error *err)
{
    return ranks_sum(((together *)ctx)->ranks, sum, 1, err);
}

/* ---- buckets ---- */

/* Stretches of parameters that learn, one behind the other in memory. */
static void fill_buckets(together *t, const train_engine *e)
{
    const float *end = NULL;
    t->n_buckets = 0;
    for (size_t i = 0; i < e->n_params; i++) {
        const train_param *p = &e->params[i];
        t->bucket_of[i] = -1;
        if (p->grad == NULL || !e->needs_grad[i])
            continue;
        together_bucket *b = t->n_buckets > 0 ? &t->buckets[t->n_buckets - 1] : NULL;
        if (b == NULL || p->grad != end || b->n >= TOGETHER_BUCKET_BYTES / sizeof(float)) {
            b = &t->buckets[t->n_buckets++];
            *b = (together_bucket){.at = p->grad};
        }
        b->n += padded_floats(p);
        b->n_params++;
        end = p->grad + padded_floats(p);
        t->bucket_of[i] = t->n_buckets - 1;
    }
}

/* Every parameter may be one of its own, where each second is frozen. */
size_t together_bytes(const ranks *r, size_t n_params)
{
    return r == NULL ? 0
                     : n_params * (sizeof(together_bucket) + sizeof(int)) +
                           2 * (size_t)ranks_n(r) * sizeof(double);
}

vg_status together_open(together *t, ranks *r, train_engine *e, bool sync_bn, base_mem *mem,
                        vg_error *err)
{
    *t = (together){.ranks = r};
    if (r == NULL)
        return VG_OK;
    t->buckets = base_alloc_zero(mem, e->n_params, sizeof *t->buckets, err);
    t->bucket_of = base_alloc_zero(mem, e->n_params, sizeof *t->bucket_of, err);
    t->looks = base_alloc_zero(mem, 2 * (size_t)ranks_n(r), sizeof *t->looks, err);
    if (t->buckets == NULL || t->bucket_of == NULL || t->looks == NULL)
        return VG_ERR_MEMORY;
    fill_buckets(t, e);
    if (t->n_buckets >= RANKS_MOST_SUMS)
        return base_fail(err, VG_ERR_LIMIT, "freeze", "freeze layers that follow one another",
                         "the learning parameters lie in %d pieces, more than %d", t->n_buckets,
                         RANKS_MOST_SUMS - 1);
    t->net =
        (nn_train_together){.ctx = t, .sum = sync_bn ? sum_statistics : NULL, .ready = hear_ready};
    t->share = (train_engine_share){.ctx = t, .scores = sum_scores};
    t->seen = (together_time){.took_ns = base_now_ns()};
    nn_train_join(e->net, &t->net);
    return VG_OK;
}

void together_close(together *t)
{
    base_free(t->buckets);
    base_free(t->bucket_of);
    base_free(t->looks);
    *t = (together){0};
}

/* ---- a batch ---- */

void together_batch(together *t, int n_all, bool adds_up)
{
    if (t->ranks == NULL)
        return;
    t->net.n_pictures = t->share.n_all = n_all;
    t->adds_up = adds_up;
    t->is_folded = false;
    for (int i = 0; i < t->n_buckets; i++)
        t->buckets[i].n_left = t->buckets[i].n_params;
}

vg_status together_wait(together *t, detect_loss_value *loss, size_t *n_labels, together_word *word,
                        vg_error *err)
{
    if (t->ranks == NULL)
        return VG_OK;
    const bool is_first = ranks_me(t->ranks) == 0;
    double *tail = t->tail;
    memcpy(tail, loss->items, sizeof loss->items); /* of a rank without pictures: all 0 */
    tail[TAIL_LABELS] = (double)*n_labels;
    tail[TAIL_STOPS] = word->stops;
    tail[TAIL_LATE] = is_first && word->is_late;
    tail[TAIL_SAVES] = is_first && word->saves;
    tail[TAIL_LOOKS] = is_first && word->looks;
    ranks_sum_begin_doubles(t->ranks, tail, TOGETHER_TAIL);
    const vg_status st = ranks_wait(t->ranks, err);
    if (st != VG_OK)
        return st;
    t->adds_up = false;
    memcpy(loss->items, tail, sizeof loss->items);
    *n_labels = (size_t)tail[TAIL_LABELS];
    *word = (together_word){.stops = tail[TAIL_STOPS] > 0,
                            .is_late = tail[TAIL_LATE] > 0,
                            .saves = tail[TAIL_SAVES] > 0,
                            .looks = tail[TAIL_LOOKS] > 0};
    return VG_OK;
}

vg_status together_fold(together *t, train_engine *e, vg_error *err)
{
    if (t->ranks == NULL || t->is_folded)
        return VG_OK;
    for (int i = 0; i < t->n_buckets; i++)
        ranks_sum_begin(t->ranks, t->buckets[i].at, t->buckets[i].n);
    vg_status st = ranks_wait(t->ranks, err);
    if (st == VG_OK && ranks_me(t->ranks) != 0)
        st = nn_train_zero_grad(e->net, err);
    t->is_folded = st == VG_OK;
    return st;
}

/* ---- who waits for whom ---- */

/* From which part of the time on a rank is slow that the others wait for. */
#define SLOW_PART 0.2

/* The slowest is who waits least: the others wait for it. What it waits itself is what the exchange
 * costs everybody. */
void together_judge(vg_train_ranks *out, const double *parts, int n)
{
    *out = (vg_train_ranks){.n_ranks = n};
    for (int i = 0; i < n; i++) {
        int at = out->n_shown < VG_RANKS_SHOWN ? out->n_shown++ : VG_RANKS_SHOWN;
        for (; at > 0 && parts[2 * i] < out->shown[at - 1].waiting; at--)
            if (at < VG_RANKS_SHOWN)
                out->shown[at] = out->shown[at - 1];
        if (at < VG_RANKS_SHOWN)
            out->shown[at] = (vg_rank_wait){.rank = i, .waiting = parts[2 * i]};
    }
    out->exchange = out->shown[0].waiting;
    for (int i = 0; i < n; i++) {
        out->for_slowest += n > 1 ? (parts[2 * i] - out->exchange) / (n - 1) : 0;
        out->pushing += parts[2 * i + 1] / n;
    }
    out->is_slow = out->for_slowest >= SLOW_PART;
}

vg_status together_compare(together *t, const together_time *mine, vg_train_ranks *out,
                           vg_error *err)
{
    const double took = mine->took_ns > 0 ? (double)mine->took_ns : 1,
                 parts[] = {(double)mine->wait_ns / took, (double)mine->push_ns / took};
    *out = (vg_train_ranks){0};
    const vg_status st = ranks_share(t->ranks, t->looks, parts, sizeof parts, err);
    if (st != VG_OK)
        return st;
    together_judge(out, t->looks, ranks_n(t->ranks));
    for (int i = 0; i < out->n_shown; i++)
        base_format(out->shown[i].host, sizeof out->shown[i].host, "%s",
                    ranks_host(t->ranks, out->shown[i].rank));
    return VG_OK;
}

vg_status together_look_at(together *t, vg_train_ranks *out, vg_error *err)
{
    const ranks_figures f = ranks_figures_get(t->ranks);
    const together_time mine = {base_now_ns() - t->seen.took_ns, f.wait_ns - t->seen.wait_ns,
                                f.push_ns - t->seen.push_ns};
    const vg_status st = together_compare(t, &mine, out, err);
    const ranks_figures now = ranks_figures_get(t->ranks); /* this exchange is no training */
    t->seen = (together_time){base_now_ns(), now.wait_ns, now.push_ns};
    return st;
}
