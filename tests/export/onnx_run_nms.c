/* onnx_run_nms.c: the operators of suppression. */
#include "export/onnx_call.h"

#include <math.h>

#include "support/ok.h"

/* Over axis 1, keeping it. */
void run_most(const call *c)
{
    const run_tensor *x = c->in[0];
    const bool is_index = strcmp(c->node->op_type, "ArgMax") == 0;
    const Vigil__Onnx__AttributeProto *axes = call_attribute(c, "axes");
    const int64_t axis = is_index               ? call_int(c, "axis", 0)
                         : axes != NULL         ? axes->ints[0]
                         : c->node->n_input > 1 ? c->in[1]->i[0]
                                                : -1;
    assert_int_equal(axis, 1);
    assert_int_equal(axes != NULL, !is_index && c->r->file->opset < 18);
    assert_int_equal(call_int(c, "keepdims", 1), 1);
    const int64_t dims[3] = {x->dims[0], 1, x->dims[2]};
    run_tensor *out = call_result(c, is_index, 3, dims);
    for (int64_t n = 0; n < dims[0]; n++)
        for (int64_t a = 0; a < dims[2]; a++) {
            int64_t best = 0;
            for (int64_t k = 1; k < x->dims[1]; k++)
                if (x->f[(n * x->dims[1] + k) * dims[2] + a] >
                    x->f[(n * x->dims[1] + best) * dims[2] + a])
                    best = k;
            if (is_index)
                out->i[n * dims[2] + a] = best;
            else
                out->f[n * dims[2] + a] = x->f[(n * x->dims[1] + best) * dims[2] + a];
        }
}

static float overlap(const float *a, const float *b)
{
    const float w = fminf(a[2], b[2]) - fmaxf(a[0], b[0]),
                h = fminf(a[3], b[3]) - fmaxf(a[1], b[1]);
    const float both = fmaxf(w, 0) * fmaxf(h, 0);
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both);
}

/* One class. The standard leaves the order open: here the last picture first, and each backwards.
 */
void run_suppression(const call *c)
{
    const run_tensor *boxes = c->in[0], *scores = c->in[1];
    const int64_t n_cells = boxes->dims[1], most = c->in[2]->i[0];
    assert_int_equal(scores->dims[1], 1);
    int64_t *kept, n_kept = 0, n_all = boxes->dims[0] * n_cells;
    bool *gone;
    OK((kept = base_alloc_zero(&c->r->mem, (size_t)n_all * 2, 8, err)) ? VG_OK : VG_ERR_MEMORY);
    OK((gone = base_alloc_zero(&c->r->mem, (size_t)n_cells, 1, err)) ? VG_OK : VG_ERR_MEMORY);
    for (int64_t n = 0; n < boxes->dims[0]; n++) {
        memset(gone, 0, (size_t)n_cells);
        for (int64_t k = 0; k < most; k++) {
            int64_t best = -1;
            for (int64_t a = 0; a < n_cells; a++)
                if (!gone[a] && scores->f[n * n_cells + a] > c->in[4]->f[0] &&
                    (best < 0 || scores->f[n * n_cells + a] > scores->f[n * n_cells + best]))
                    best = a;
            if (best < 0)
                break;
            gone[best] = true;
            kept[n_kept * 2] = n;
            kept[n_kept++ * 2 + 1] = best;
            for (int64_t a = 0; a < n_cells; a++)
                gone[a] = gone[a] || overlap(boxes->f + (n * n_cells + best) * 4,
                                             boxes->f + (n * n_cells + a) * 4) > c->in[3]->f[0];
        }
    }
    const int64_t dims[2] = {n_kept, 3};
    run_tensor *out = call_result(c, true, 2, dims);
    for (int64_t k = 0; k < n_kept; k++) {
        out->i[(n_kept - 1 - k) * 3] = kept[k * 2];
        out->i[(n_kept - 1 - k) * 3 + 2] = kept[k * 2 + 1];
    }
    base_free(kept);
    base_free(gone);
}

static size_t offset_of(const run_tensor *x, int from, const int64_t *index, int n)
{
    size_t at = 0;
    for (int d = 0; d < n; d++) {
        assert_in_range(index[d], 0, x->dims[from + d] - 1);
        at += (size_t)index[d] * call_span(x, from + d + 1, x->n_dims);
    }
    return at;
}

void run_gather_nd(const call *c)
{
    const run_tensor *x = c->in[0], *index = c->in[1];
    const int n_batch = (int)call_int(c, "batch_dims", 0),
              last = (int)index->dims[index->n_dims - 1];
    int64_t dims[RUN_MOST_DIMS];
    int n = 0;
    for (int d = 0; d < index->n_dims - 1; d++)
        dims[n++] = index->dims[d];
    for (int d = n_batch + last; d < x->n_dims; d++)
        dims[n++] = x->dims[d];
    run_tensor *out = call_result(c, x->is_int, n, dims);
    const size_t inner = call_span(x, n_batch + last, x->n_dims), n_index = index->n / (size_t)last;
    const size_t of_batch = n_index / call_span(index, 0, n_batch),
                 whole = call_span(x, n_batch, x->n_dims);
    for (size_t k = 0; k < n_index; k++)
        for (size_t i = 0; i < inner; i++)
            call_copy(out, k * inner + i, x,
                      (n_batch > 0 ? k / of_batch * whole : 0) +
                          offset_of(x, n_batch, index->i + k * (size_t)last, last) + i);
}

void run_scatter_nd(const call *c)
{
    const run_tensor *x = c->in[0], *index = c->in[1], *values = c->in[2];
    const int last = (int)index->dims[index->n_dims - 1];
    assert_int_equal(last, x->n_dims);
    run_tensor *out = call_result(c, false, x->n_dims, x->dims);
    memcpy(out->f, x->f, x->n * sizeof *x->f);
    for (size_t k = 0; k < values->n; k++)
        out->f[offset_of(x, 0, index->i + k * (size_t)last, last)] = values->f[k];
}

/* Along axis 1 of (n, m), largest first; of equals the first. */
void run_top(const call *c)
{
    const run_tensor *x = c->in[0];
    const int64_t k = c->in[1]->i[0], m = x->dims[1], dims[2] = {x->dims[0], k};
    assert_true(k <= m && x->n_dims == 2 && call_int(c, "axis", -1) == 1);
    run_tensor *values = call_result(c, false, 2, dims);
    run_tensor *places = call_add(c->r, c->node->output[1], true, 2, dims);
    bool *used;
    OK((used = base_alloc_zero(&c->r->mem, (size_t)m, 1, err)) ? VG_OK : VG_ERR_MEMORY);
    for (int64_t n = 0; n < dims[0]; n++) {
        memset(used, 0, (size_t)m);
        for (int64_t i = 0; i < k; i++) {
            int64_t best = -1;
            for (int64_t a = 0; a < m; a++)
                if (!used[a] && (best < 0 || x->f[n * m + a] > x->f[n * m + best]))
                    best = a;
            used[best] = true;
            values->f[n * k + i] = x->f[n * m + best];
            places->i[n * k + i] = best;
        }
    }
    base_free(used);
}
