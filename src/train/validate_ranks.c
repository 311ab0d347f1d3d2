/* validate_ranks.c: figures over all pictures, whose detections ranks have found. Average precision
 * depends on the order of detections of equal confidence, so they are put into the order in which
 * one process meets them: batch by batch, and within one rank by rank. */
#include "validate_ranks.h"

size_t validate_ranks_bytes(const ranks *r, size_t n_batches)
{
    if (r == NULL)
        return 0;
    const size_t n = (size_t)ranks_n(r);
    return n_batches * (VALIDATE_RANKS_SUMS * sizeof(double) + (n + 1) * sizeof(uint32_t)) +
           n * sizeof(size_t);
}

vg_status validate_ranks_open(validate_ranks *v, ranks *r, size_t n_batches, base_mem *mem,
                              vg_error *err)
{
    *v = (validate_ranks){.ranks = r, .n_batches = n_batches};
    if (r == NULL)
        return VG_OK;
    const size_t n = (size_t)ranks_n(r);
    v->sums = base_alloc_zero(mem, n_batches, sizeof *v->sums, err);
    v->n_rows = base_alloc_zero(mem, n_batches, sizeof *v->n_rows, err);
    v->all_rows = base_alloc_zero(mem, n * n_batches, sizeof *v->all_rows, err);
    v->sizes = base_alloc_zero(mem, n, sizeof *v->sizes, err);
    return v->sums != NULL && v->n_rows != NULL && v->all_rows != NULL && v->sizes != NULL
               ? VG_OK
               : VG_ERR_MEMORY;
}

void validate_ranks_close(validate_ranks *v)
{
    base_free(v->sums);
    base_free(v->n_rows);
    base_free(v->all_rows);
    base_free(v->sizes);
    *v = (validate_ranks){0};
}

void validate_ranks_begin(validate_ranks *v)
{
    if (v->ranks == NULL)
        return;
    memset(v->sums, 0, v->n_batches * sizeof *v->sums);
    memset(v->n_rows, 0, v->n_batches * sizeof *v->n_rows);
}

static double divisor(double scores)
{
    return scores > 1 ? scores : 1;
}

void validate_ranks_loss(validate_ranks *v, size_t batch, const detect_loss_value *value)
{
    if (v->ranks == NULL)
        return;
    const double by = divisor(value->scores_sum);
    double *s = v->sums[batch];
    s[0] = value->scores_sum;
    for (int k = 0; k < 3; k++)
        s[1 + k] = value->items[k] * by;
}

void validate_ranks_rows(validate_ranks *v, size_t batch, size_t n_rows)
{
    if (v->ranks != NULL)
        v->n_rows[batch] += (uint32_t)n_rows;
}

static vg_status merge_losses(validate_ranks *v, double loss[3], vg_error *err)
{
    const vg_status st = ranks_sum(v->ranks, v->sums[0], v->n_batches * VALIDATE_RANKS_SUMS, err);
    if (st != VG_OK)
        return st;
    for (int k = 0; k < 3; k++) {
        loss[k] = 0;
        for (size_t b = 0; b < v->n_batches; b++)
            loss[k] += v->sums[b][k + 1] / divisor(v->sums[b][0]);
        loss[k] /= (double)(v->n_batches > 0 ? v->n_batches : 1);
    }
    return VG_OK;
}

/* From room, rank by rank, into rows, batch by batch. */
static void order_rows(validate_ranks *v, const detect_metrics_parts *p)
{
    size_t at = 0;
    for (int rank = 0; rank < ranks_n(v->ranks); rank++) {
        const size_t bytes = v->sizes[rank];
        v->sizes[rank] = at;
        at += bytes;
    }
    char *to = p->rows;
    for (size_t b = 0; b < v->n_batches; b++)
        for (int rank = 0; rank < ranks_n(v->ranks); rank++) {
            const size_t bytes = v->all_rows[(size_t)rank * v->n_batches + b] * p->row_bytes;
            memcpy(to, (const char *)p->room + v->sizes[rank], bytes);
            v->sizes[rank] += bytes;
            to += bytes;
        }
}

vg_status validate_ranks_merge(validate_ranks *v, detect_metrics *m, double loss[3], vg_error *err)
{
    detect_metrics_parts p;
    if (v->ranks == NULL)
        return VG_OK;
    vg_status st = merge_losses(v, loss, err);
    detect_metrics_parts_get(&p, m);
    for (int i = 0; i < DETECT_METRICS_COUNTS && st == VG_OK; i++)
        st = ranks_sum_counts(v->ranks, p.counts[i].at, p.counts[i].n, err);
    if (st == VG_OK)
        st = ranks_share(v->ranks, v->all_rows, v->n_rows, v->n_batches * sizeof *v->n_rows, err);
    if (st != VG_OK)
        return st;
    size_t n_rows = 0;
    for (int rank = 0; rank < ranks_n(v->ranks); rank++) {
        v->sizes[rank] = 0;
        for (size_t b = 0; b < v->n_batches; b++)
            v->sizes[rank] += v->all_rows[(size_t)rank * v->n_batches + b] * p.row_bytes;
        n_rows += v->sizes[rank] / p.row_bytes;
    }
    const bool is_first = ranks_me(v->ranks) == 0;
    st = ranks_collect(v->ranks, is_first ? p.room : NULL, p.most_rows * p.row_bytes, p.rows,
                       v->sizes, err);
    if (st == VG_OK && is_first) {
        order_rows(v, &p);
        detect_metrics_set_rows(m, n_rows);
    }
    return st;
}
