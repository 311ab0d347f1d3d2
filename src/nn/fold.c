/* fold.c: W' = W s, b' = bias - mean s, s = weight / sqrt(var + eps). Spec 1.7. */
#include "graph.h"

#include <math.h>
#include <string.h>

size_t nn_conv_weight_elements(const nn_conv_spec *c)
{
    return (size_t)c->oc * (size_t)(c->ic / c->groups) * (size_t)c->k * (size_t)c->k;
}

static void shape_text(char *buf, size_t n, const int64_t *shape, int n_dims)
{
    size_t used = 0;
    base_format(buf, n, "(");
    for (int d = 0; d < n_dims && used + 1 < n; d++) {
        used = strlen(buf);
        base_format(buf + used, n - used, "%s%lld", d ? ", " : "", (long long)shape[d]);
    }
    used = strlen(buf);
    base_format(buf + used, n - used, ")");
}

/* The tensor of a parameter, in its shape. */
static vg_status find_param(const weights_tensor **out, const nn_param *p, const weights_file *w,
                            vg_error *err)
{
    const weights_tensor *t = *out = weights_find(w, p->key);
    if (!t)
        return base_fail(err, VG_ERR_FORMAT, base_where("tensor %s", p->key),
                         "give weights of the same architecture and scale",
                         "a tensor of the model is missing in the weights");
    bool same = t->n_dims == p->n_dims;
    int64_t want[4];
    for (int d = 0; d < p->n_dims; d++) {
        want[d] = p->shape[d];
        same = same && t->shape[d] == want[d];
    }
    if (same)
        return VG_OK;
    char has[64], wants[64];
    shape_text(has, sizeof has, t->shape, t->n_dims);
    shape_text(wants, sizeof wants, want, p->n_dims);
    return base_fail(err, VG_ERR_FORMAT, base_where("tensor %s", p->key),
                     "give weights of the same architecture, scale and class count",
                     "a tensor of shape %s where the model has %s", has, wants);
}

/* Elements [first, first + n) of it. */
static vg_status read_part(float *dst, const nn_param *p, const weights_tensor *t, size_t first,
                           size_t n, vg_error *err)
{
    weights_part_to_float(dst, t, first, n);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(dst[i]))
            return base_fail(err, VG_ERR_FORMAT,
                             base_where("tensor %s, element %zu", p->key, first + i),
                             "the training run diverged: take an earlier checkpoint",
                             "a weight that is not finite");
    return VG_OK;
}

static vg_status read_param(float *dst, const nn_param *p, const weights_file *w, vg_error *err)
{
    const weights_tensor *t;
    vg_status st = find_param(&t, p, w, err);
    return st == VG_OK ? read_part(dst, p, t, 0, p->n_elements, err) : st;
}

/* (ic, c, 2, 2) to (4 c, ic), tap by tap: the 1x1 convolution that a shuffle follows. A tap's
 * weights lie apart in the file, so they come by way of a row of scratch. */
static vg_status read_transposed(float *weight, float *bias, const nn_conv_spec *spec,
                                 const nn_param *p, const weights_file *w, float *scratch,
                                 vg_error *err)
{
    const weights_tensor *t;
    const size_t ic = (size_t)spec->ic, c = (size_t)spec->oc / 4;
    vg_status st = find_param(&t, &p[0], w, err);
    for (size_t i = 0; i < ic && st == VG_OK; i++) {
        st = read_part(scratch, &p[0], t, i * 4 * c, 4 * c, err);
        for (size_t o = 0; o < c; o++)
            for (size_t tap = 0; tap < 4; tap++)
                weight[(tap * c + o) * ic + i] = scratch[o * 4 + tap];
    }
    if (st == VG_OK)
        st = read_param(bias, &p[1], w, err);
    for (size_t tap = 1; tap < 4 && st == VG_OK; tap++)
        memcpy(bias + tap * c, bias, c * sizeof *bias);
    return st;
}

/* A fused file has conv.bias in the place of bn.*. */
static bool is_fused(const nn_op *op, const weights_file *w, nn_param *bias)
{
    *bias = (nn_param){.kind = NN_PARAM_BIAS,
                       .n_dims = 1,
                       .shape = {op->conv.oc},
                       .n_elements = (size_t)op->conv.oc};
    char bn_key[NN_KEY_BYTES];
    return base_format(bias->key, sizeof bias->key, "%s.conv.bias", op->key) &&
           weights_find(w, bias->key) &&
           base_format(bn_key, sizeof bn_key, "%s.bn.weight", op->key) && !weights_find(w, bn_key);
}

vg_status nn_fold(float *weight, float *bias, const nn_graph *g, const nn_op *op,
                  const weights_file *w, float *scratch, vg_error *err)
{
    const nn_param *p = &g->params[op->conv.first_param];
    size_t oc = (size_t)op->conv.oc;
    const double bn_eps = op->conv.eps;
    nn_param fused;
    if (op->conv.form == NN_FORM_TRANSPOSED)
        return read_transposed(weight, bias, &op->conv, p, w, scratch, err);
    vg_status st = read_param(weight, &p[0], w, err);
    if (st != VG_OK)
        return st;
    if (!op->conv.bn)
        return read_param(bias, &p[1], w, err);
    if (is_fused(op, w, &fused))
        return read_param(bias, &fused, w, err);
    for (size_t i = 0; i < 4 && st == VG_OK; i++) /* weight, bias, mean, var */
        st = read_param(scratch + i * oc, &p[1 + i], w, err);
    if (st != VG_OK)
        return st;
    size_t per_channel = nn_conv_weight_elements(&op->conv) / oc;
    for (size_t o = 0; o < oc; o++) {
        double var = scratch[3 * oc + o];
        if (var + bn_eps <= 0)
            return base_fail(err, VG_ERR_FORMAT, base_where("tensor %s, element %zu", p[4].key, o),
                             NULL, "a running variance of %g", var);
        double s = scratch[o] / sqrt(var + bn_eps);
        bias[o] = (float)(scratch[oc + o] - scratch[2 * oc + o] * s);
        for (size_t i = 0; i < per_channel; i++)
            weight[o * per_channel + i] = (float)(weight[o * per_channel + i] * s);
    }
    return VG_OK;
}

vg_status nn_fold_conv(const nn_graph *g, const weights_file *w, const char *key, float **weight,
                       float **bias, size_t *n_weight, size_t *n_bias, base_mem *mem, vg_error *err)
{
    *weight = *bias = NULL;
    for (size_t i = 0; i < g->n_ops; i++) {
        const nn_op *op = &g->ops[i];
        if (op->kind != NN_CONV || strcmp(op->key, key) != 0)
            continue;
        *n_weight = nn_conv_weight_elements(&op->conv);
        *n_bias = (size_t)op->conv.oc;
        *weight = base_alloc_zero(mem, *n_weight, sizeof **weight, err);
        *bias =
            base_alloc_zero(mem, *n_bias * 5, sizeof **bias, err); /* four more: fold's scratch */
        vg_status st = *weight && *bias ? nn_fold(*weight, *bias, g, op, w, *bias + *n_bias, err)
                                        : VG_ERR_MEMORY;
        if (st != VG_OK) {
            base_free(*weight);
            base_free(*bias);
            *weight = *bias = NULL;
        }
        return st;
    }
    return base_fail(err, VG_ERR_ARGUMENT, NULL, NULL, "no convolution \"%s\"", key);
}
