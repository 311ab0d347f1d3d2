/* build.c: the builder's primitives: each appends one op, its output value and its parameters to
 * the graph. */
#include "build.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

void nn_build_fail(nn_builder *b, vg_status status, const char *mend, const char *what, ...)
{
    if (b->status != VG_OK)
        return;
    char text[VG_WHAT_BYTES];
    va_list args;
    va_start(args, what);
    vsnprintf(text, sizeof text, what, args);
    va_end(args);
    b->status =
        base_fail(b->err, status, base_where("%s:%d, layer %d", b->source, b->line, b->layer), mend,
                  "%s", text);
}

/* Room for one more item; the arrays double. */
static bool grow(nn_builder *b, void **items, size_t n, size_t *capacity, size_t size)
{
    if (b->status != VG_OK)
        return false;
    if (n < *capacity)
        return true;
    if (n >= NN_MAX_OPS * 8) {
        nn_build_fail(b, VG_ERR_LIMIT, NULL, "a network of more than %d ops", NN_MAX_OPS);
        return false;
    }
    size_t more = *capacity ? *capacity * 2 : 64;
    void *block = base_realloc(b->mem, *items, more * size, b->err);
    if (!block) {
        b->status = VG_ERR_MEMORY;
        return false;
    }
    *items = block;
    *capacity = more;
    return true;
}

static int add_value(nn_builder *b, int c, int down)
{
    nn_graph *g = b->graph;
    if (b->status == VG_OK && (c < 1 || c > NN_MAX_CHANNELS))
        nn_build_fail(b, VG_ERR_LIMIT, NULL, "%d channels, outside 1..%d", c, NN_MAX_CHANNELS);
    if (!grow(b, (void **)&g->values, g->n_values, &g->values_capacity, sizeof *g->values))
        return NN_NO_VALUE;
    g->values[g->n_values] = (nn_value){.c = c, .parent = NN_NO_VALUE, .down = down};
    return (int)g->n_values++;
}

static nn_op *add_op(nn_builder *b, nn_op_kind kind, const int *in, int n_in, int c, int down)
{
    nn_graph *g = b->graph;
    if (b->status == VG_OK && g->n_ops >= NN_MAX_OPS)
        nn_build_fail(b, VG_ERR_LIMIT, NULL, "a network of more than %d ops", NN_MAX_OPS);
    int out = add_value(b, c, down);
    if (!grow(b, (void **)&g->ops, g->n_ops, &g->ops_capacity, sizeof *g->ops))
        return NULL;
    nn_op *op = &g->ops[g->n_ops++];
    *op = (nn_op){.kind = kind, .layer = b->layer, .n_in = n_in, .out = out};
    memcpy(op->in, in, (size_t)n_in * sizeof *in);
    return op;
}

int nn_build_input(nn_builder *b)
{
    for (int i = 0; i < NN_N_RESULTS; i++)
        b->graph->results[i] = NN_NO_VALUE;
    return add_value(b, 3, NN_DOWN_ONE);
}

/* The value's facts, or harmless ones after an error. */
static nn_value value_of(const nn_builder *b, int v)
{
    if (b->status != VG_OK || v < 0)
        return (nn_value){.c = 1, .parent = NN_NO_VALUE, .down = NN_DOWN_ONE};
    return b->graph->values[v];
}

int nn_build_channels(const nn_builder *b, int value)
{
    return value_of(b, value).c;
}

static void add_param(nn_builder *b, nn_param_kind kind, const char *key, int n_dims, int d0,
                      int d1, int d2, int d3)
{
    nn_graph *g = b->graph;
    if (!grow(b, (void **)&g->params, g->n_params, &g->params_capacity, sizeof *g->params))
        return;
    nn_param *p = &g->params[g->n_params++];
    *p = (nn_param){.kind = kind,
                    .n_dims = n_dims,
                    .shape = {d0, d1, d2, d3},
                    .layer = b->layer,
                    .n_elements = 1};
    if (!base_format(p->key, sizeof p->key, "%s", key))
        nn_build_fail(b, VG_ERR_LIMIT, NULL, "a parameter name longer than %d bytes",
                      NN_KEY_BYTES - 1);
    for (int i = 0; i < n_dims; i++)
        if (!base_mul_size(&p->n_elements, p->n_elements, (size_t)p->shape[i]) ||
            p->n_elements > (size_t)1 << 32)
            nn_build_fail(b, VG_ERR_LIMIT, NULL, "the parameter \"%s\" has more than 2^32 elements",
                          key);
}

int nn_build_conv(nn_builder *b, const char *key, int in, nn_conv_args a)
{
    int k = a.k ? a.k : 1, s = a.s ? a.s : 1, groups = a.g ? a.g : 1;
    nn_value x = value_of(b, in);
    if (k < 1 || k > 7 || (k % 2 == 0 && s != 2))
        nn_build_fail(b, VG_ERR_UNSUPPORTED,
                      "use a kernel of 1, 3, 5 or 7, or with stride 2 one of 2, 4 or 6",
                      "a convolution of kernel %d with stride %d", k, s);
    if (s != 1 && s != 2)
        nn_build_fail(b, VG_ERR_UNSUPPORTED, "use stride 1 or 2", "a convolution of stride %d", s);
    if (groups != 1 && !(groups == x.c && groups == a.c2))
        nn_build_fail(b, VG_ERR_UNSUPPORTED,
                      "use groups 1, or a depthwise convolution of equal widths",
                      "a convolution of %d groups from %d to %d channels", groups, x.c, a.c2);
    if (x.down > NN_MAX_STRIDE * NN_DOWN_ONE / s)
        nn_build_fail(b, VG_ERR_LIMIT, "use fewer strides of 2",
                      "a map with a cell for more than %d input pixels", NN_MAX_STRIDE);
    nn_op *op = add_op(b, NN_CONV, &in, 1, a.c2, b->status == VG_OK ? x.down * s : x.down);
    if (!op)
        return NN_NO_VALUE;
    op->conv = (nn_conv_spec){.ic = x.c,
                              .oc = a.c2,
                              .k = k,
                              .stride = s,
                              .groups = groups,
                              .bn = !a.plain,
                              .silu = !a.plain && !a.linear,
                              .eps = b->bn_eps,
                              .momentum = b->bn_momentum,
                              .form = a.form,
                              .first_param = b->graph->n_params};
    base_format(op->key, sizeof op->key, "%s", key);
    int out = op->out;
    if (a.form == NN_FORM_TRANSPOSED) {
        add_param(b, NN_PARAM_WEIGHT, NN_KEY(key, ".weight"), 4, x.c, a.c2 / 4, 2, 2);
        add_param(b, NN_PARAM_BIAS, NN_KEY(key, ".bias"), 1, a.c2 / 4, 0, 0, 0);
    } else if (a.form == NN_FORM_LINEAR) {
        add_param(b, NN_PARAM_WEIGHT, NN_KEY(key, ".weight"), 2, a.c2, x.c, 0, 0);
        add_param(b, NN_PARAM_BIAS, NN_KEY(key, ".bias"), 1, a.c2, 0, 0, 0);
    } else if (a.plain) {
        add_param(b, NN_PARAM_WEIGHT, NN_KEY(key, ".weight"), 4, a.c2, x.c / groups, k, k);
        add_param(b, NN_PARAM_BIAS, NN_KEY(key, ".bias"), 1, a.c2, 0, 0, 0);
    } else {
        add_param(b, NN_PARAM_WEIGHT, NN_KEY(key, ".conv.weight"), 4, a.c2, x.c / groups, k, k);
        add_param(b, NN_PARAM_BN_WEIGHT, NN_KEY(key, ".bn.weight"), 1, a.c2, 0, 0, 0);
        add_param(b, NN_PARAM_BN_BIAS, NN_KEY(key, ".bn.bias"), 1, a.c2, 0, 0, 0);
        add_param(b, NN_PARAM_BN_MEAN, NN_KEY(key, ".bn.running_mean"), 1, a.c2, 0, 0, 0);
        add_param(b, NN_PARAM_BN_VAR, NN_KEY(key, ".bn.running_var"), 1, a.c2, 0, 0, 0);
    }
    return b->status == VG_OK ? out : NN_NO_VALUE;
}

/* The output value of a fresh op, or none. */
static int out_of(const nn_op *op)
{
    return op ? op->out : NN_NO_VALUE;
}

int nn_build_maxpool(nn_builder *b, int in, int k)
{
    if (k < 1 || k > 31 || k % 2 == 0)
        nn_build_fail(b, VG_ERR_UNSUPPORTED, "use an odd size up to 31", "a max pool of size %d",
                      k);
    nn_value x = value_of(b, in);
    nn_op *op = add_op(b, NN_MAXPOOL, &in, 1, x.c, x.down);
    if (op)
        op->k = k;
    return out_of(op);
}

int nn_build_upsample(nn_builder *b, int in)
{
    nn_value x = value_of(b, in);
    if (x.down % 2 != 0)
        nn_build_fail(b, VG_ERR_UNSUPPORTED, NULL, "an upsampling to more than %d times the input",
                      NN_DOWN_ONE);
    return out_of(add_op(b, NN_UPSAMPLE, &in, 1, x.c, x.down / 2));
}

int nn_build_transposed(nn_builder *b, const char *key, int in, int c2)
{
    const nn_value x = value_of(b, in);
    if (x.down % 2 != 0)
        nn_build_fail(b, VG_ERR_UNSUPPORTED, NULL, "an upsampling to more than %d times the input",
                      NN_DOWN_ONE);
    if (c2 > NN_MAX_CHANNELS / 4)
        nn_build_fail(b, VG_ERR_LIMIT, NULL, "a transposed convolution to %d channels", c2);
    if (b->status != VG_OK)
        return NN_NO_VALUE;
    const int taps = nn_build_conv(
        b, key, in, (nn_conv_args){.c2 = 4 * c2, .plain = true, .form = NN_FORM_TRANSPOSED});
    return out_of(add_op(b, NN_SHUFFLE, &taps, 1, c2, x.down / 2));
}

int nn_build_mean(nn_builder *b, int in)
{
    const nn_value x = value_of(b, in);
    return out_of(add_op(b, NN_MEAN, &in, 1, x.c, x.down));
}

int nn_build_concat(nn_builder *b, const int *in, int n_in)
{
    if (n_in < 1 || n_in > NN_MAX_INPUTS) {
        nn_build_fail(b, VG_ERR_LIMIT, NULL, "a concat of %d maps, outside 1..%d", n_in,
                      NN_MAX_INPUTS);
        return NN_NO_VALUE;
    }
    int c = 0, down = value_of(b, in[0]).down;
    for (int i = 0; i < n_in; i++) {
        nn_value x = value_of(b, in[i]);
        if (x.down != down)
            nn_build_fail(b, VG_ERR_FORMAT, "check the row's `from`",
                          "a concat of maps of different sizes");
        c += x.c;
    }
    return out_of(add_op(b, NN_CONCAT, in, n_in, c, down));
}

int nn_build_add(nn_builder *b, int x, int y)
{
    nn_value vx = value_of(b, x), vy = value_of(b, y);
    if (vx.c != vy.c || vx.down != vy.down)
        nn_build_fail(b, VG_ERR_FORMAT, NULL, "a sum of maps of different shapes");
    int in[2] = {x, y};
    return out_of(add_op(b, NN_ADD, in, 2, vx.c, vx.down));
}

int nn_build_slice(nn_builder *b, int in, int c0, int c)
{
    nn_value x = value_of(b, in);
    int v = add_value(b, c, x.down);
    if (v == NN_NO_VALUE)
        return v;
    assert(c0 >= 0 && c0 + c <= x.c);
    b->graph->values[v].parent = in;
    b->graph->values[v].c0 = c0;
    return v;
}

int nn_build_attention(nn_builder *b, int in, int heads, int key_dim, int head_dim)
{
    nn_value x = value_of(b, in);
    nn_op *op = add_op(b, NN_ATTENTION, &in, 1, heads * head_dim, x.down);
    if (op) {
        assert(x.c == heads * (2 * key_dim + head_dim));
        op->heads = heads;
        op->key_dim = key_dim;
        op->head_dim = head_dim;
    }
    return out_of(op);
}

void nn_build_level(nn_builder *b, int box, int cls, int extra)
{
    if (b->status != VG_OK)
        return;
    nn_graph *g = b->graph;
    if (g->n_levels == NN_MAX_LEVELS) {
        nn_build_fail(b, VG_ERR_LIMIT, NULL, "a head of more than %d levels", NN_MAX_LEVELS);
        return;
    }
    int down = value_of(b, box).down;
    if (down % NN_DOWN_ONE != 0)
        nn_build_fail(b, VG_ERR_UNSUPPORTED, NULL, "a head level finer than the input");
    g->levels[g->n_levels++] =
        (nn_level){.box = box, .cls = cls, .extra = extra, .stride = down / NN_DOWN_ONE};
}

void nn_build_result(nn_builder *b, nn_result which, int value)
{
    if (b->status == VG_OK)
        b->graph->results[which] = value;
}

void nn_build_dfl(nn_builder *b, const char *key)
{
    add_param(b, NN_PARAM_DFL, key, 4, 1, NN_REG_MAX, 1, 1);
}

nn_key nn_key_make(const char *prefix, const char *format, ...)
{
    /* Cut when too long: rows of a YAML give keys of some forty bytes at the most. */
    nn_key key;
    size_t n = strlen(prefix);
    if (n >= sizeof key.text)
        n = sizeof key.text - 1;
    memcpy(key.text, prefix, n);
    va_list args;
    va_start(args, format);
    vsnprintf(key.text + n, sizeof key.text - n, format, args);
    va_end(args);
    return key;
}
