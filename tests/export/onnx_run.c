/* onnx_run.c: one function an operator. */
#include "export/onnx_call.h"

#include <math.h>

#include "support/ok.h"
#include "weights/weights.h"

enum { MOST_TENSORS = 8192 };

/* ---- tensors ---- */

run_tensor *call_add(onnx_run *r, const char *name, bool is_int, int n_dims, const int64_t *dims)
{
    assert_true(r->n_tensors < MOST_TENSORS);
    assert_in_range(n_dims, 0, RUN_MOST_DIMS);
    run_tensor *t = &r->tensors[r->n_tensors++];
    *t = (run_tensor){.name = name, .is_int = is_int, .n_dims = n_dims, .n = 1};
    for (int d = 0; d < n_dims; d++) {
        assert_true(dims[d] >= 0);
        t->dims[d] = dims[d];
        t->n *= (size_t)dims[d];
    }
    void *block;
    OK((block = base_alloc_zero(&r->mem, t->n + 1, 8, err)) != NULL ? VG_OK : VG_ERR_MEMORY);
    t->f = is_int ? NULL : block;
    t->i = is_int ? block : NULL;
    return t;
}

static const run_tensor *find(const onnx_run *r, const char *name)
{
    for (size_t i = r->n_tensors; i-- > 0;)
        if (strcmp(r->tensors[i].name, name) == 0)
            return &r->tensors[i];
    fail_msg("no value \"%s\": it is used before it is made", name);
    return NULL;
}

run_tensor *call_result(const call *c, bool is_int, int n_dims, const int64_t *dims)
{
    return call_add(c->r, c->node->output[0], is_int, n_dims, dims);
}

const Vigil__Onnx__AttributeProto *call_attribute(const call *c, const char *name)
{
    for (size_t i = 0; i < c->node->n_attribute; i++)
        if (strcmp(c->node->attribute[i]->name, name) == 0)
            return c->node->attribute[i];
    return NULL;
}

int64_t call_int(const call *c, const char *name, int64_t preset)
{
    const Vigil__Onnx__AttributeProto *a = call_attribute(c, name);
    return a != NULL ? a->i : preset;
}

/* Product of dims [from, to). */
size_t call_span(const run_tensor *t, int from, int to)
{
    size_t n = 1;
    for (int d = from; d < to; d++)
        n *= (size_t)t->dims[d];
    return n;
}

void call_copy(run_tensor *to, size_t at, const run_tensor *from, size_t from_at)
{
    assert_int_equal(to->is_int, from->is_int);
    if (to->is_int)
        to->i[at] = from->i[from_at];
    else
        to->f[at] = from->f[from_at];
}

/* ---- elementwise ---- */

static double combine(const char *op, double a, double b)
{
    if (strcmp(op, "Mul") == 0)
        return (float)a * (float)b;
    if (strcmp(op, "Add") == 0)
        return (float)a + (float)b;
    return strcmp(op, "Sub") == 0 ? (float)a - (float)b : a > b;
}

static void run_pair(const call *c)
{
    const run_tensor *x = c->in[0], *y = c->in[1];
    const int n = x->n_dims > y->n_dims ? x->n_dims : y->n_dims;
    int64_t dims[RUN_MOST_DIMS], x_dims[RUN_MOST_DIMS], y_dims[RUN_MOST_DIMS];
    for (int d = 0; d < n; d++) {
        x_dims[d] = d >= n - x->n_dims ? x->dims[d - n + x->n_dims] : 1;
        y_dims[d] = d >= n - y->n_dims ? y->dims[d - n + y->n_dims] : 1;
        assert_true(x_dims[d] == y_dims[d] || x_dims[d] == 1 || y_dims[d] == 1);
        dims[d] = x_dims[d] > y_dims[d] ? x_dims[d] : y_dims[d];
    }
    run_tensor *out = call_result(c, false, n, dims);
    for (size_t i = 0; i < out->n; i++) {
        size_t rest = i, ax = 0, ay = 0, sx = 1, sy = 1;
        for (int d = n - 1; d >= 0; d--) {
            const size_t at = rest % (size_t)dims[d];
            rest /= (size_t)dims[d];
            ax += (x_dims[d] == 1 ? 0 : at) * sx;
            ay += (y_dims[d] == 1 ? 0 : at) * sy;
            sx *= (size_t)x_dims[d];
            sy *= (size_t)y_dims[d];
        }
        out->f[i] = (float)combine(c->node->op_type, (double)x->f[ax], (double)y->f[ay]);
    }
}

static void run_sigmoid(const call *c)
{
    run_tensor *out = call_result(c, false, c->in[0]->n_dims, c->in[0]->dims);
    for (size_t i = 0; i < out->n; i++)
        out->f[i] = (float)(1 / (1 + exp(-(double)c->in[0]->f[i])));
}

static void run_cast(const call *c)
{
    const run_tensor *x = c->in[0];
    const int64_t to = call_int(c, "to", 0);
    assert_true(to == 1 || to == 10);
    run_tensor *out = call_result(c, false, x->n_dims, x->dims);
    for (size_t i = 0; i < out->n; i++)
        out->f[i] = x->is_int ? (float)x->i[i] : x->f[i];
}

/* ---- the network ---- */

static void run_conv(const call *c)
{
    const run_tensor *x = c->in[0], *w = c->in[1], *bias = c->node->n_input > 2 ? c->in[2] : NULL;
    const Vigil__Onnx__AttributeProto *pads = call_attribute(c, "pads"),
                                      *steps = call_attribute(c, "strides");
    const int64_t groups = call_int(c, "group", 1), pad = pads ? pads->ints[0] : 0,
                  step = steps ? steps->ints[0] : 1;
    const int64_t kh = w->dims[2], kw = w->dims[3], ic = w->dims[1], h = x->dims[2],
                  wd = x->dims[3];
    const int64_t dims[4] = {x->dims[0], w->dims[0], (h + 2 * pad - kh) / step + 1,
                             (wd + 2 * pad - kw) / step + 1};
    assert_int_equal(ic * groups, x->dims[1]);
    run_tensor *out = call_result(c, false, 4, dims);
    const int64_t oc_of_group = dims[1] / groups;
    float *at = out->f;
    for (int64_t n = 0; n < dims[0]; n++)
        for (int64_t o = 0; o < dims[1]; o++)
            for (int64_t oy = 0; oy < dims[2]; oy++)
                for (int64_t ox = 0; ox < dims[3]; ox++) {
                    double sum = bias ? (double)bias->f[o] : 0;
                    for (int64_t i = 0; i < ic; i++) {
                        const float *plane =
                            x->f + (n * x->dims[1] + o / oc_of_group * ic + i) * h * wd;
                        const float *kernel = w->f + (o * ic + i) * kh * kw;
                        for (int64_t ky = 0; ky < kh; ky++)
                            for (int64_t kx = 0; kx < kw; kx++) {
                                const int64_t iy = oy * step + ky - pad, ix = ox * step + kx - pad;
                                if (iy >= 0 && iy < h && ix >= 0 && ix < wd)
                                    sum +=
                                        (double)plane[iy * wd + ix] * (double)kernel[ky * kw + kx];
                            }
                    }
                    *at++ = (float)sum;
                }
}

static void run_maxpool(const call *c)
{
    const run_tensor *x = c->in[0];
    const int64_t k = call_attribute(c, "kernel_shape")->ints[0],
                  pad = call_attribute(c, "pads")->ints[0];
    const int64_t h = x->dims[2], w = x->dims[3];
    assert_int_equal(2 * pad + 1, k);
    run_tensor *out = call_result(c, false, 4, x->dims);
    for (int64_t p = 0; p < x->dims[0] * x->dims[1]; p++)
        for (int64_t y = 0; y < h; y++)
            for (int64_t z = 0; z < w; z++) {
                float most = -INFINITY;
                for (int64_t iy = y - pad; iy <= y + pad; iy++)
                    for (int64_t ix = z - pad; ix <= z + pad; ix++)
                        if (iy >= 0 && iy < h && ix >= 0 && ix < w)
                            most = fmaxf(most, x->f[(p * h + iy) * w + ix]);
                out->f[(p * h + y) * w + z] = most;
            }
}

static bool text_is(const call *c, const char *name, const char *want)
{
    const Vigil__Onnx__AttributeProto *a = call_attribute(c, name);
    return a != NULL && a->s.len == strlen(want) && memcmp(a->s.data, want, a->s.len) == 0;
}

static void run_resize(const call *c)
{
    const run_tensor *x = c->in[0], *scales = c->in[2];
    assert_true(text_is(c, "mode", "nearest") && text_is(c, "nearest_mode", "floor") &&
                text_is(c, "coordinate_transformation_mode", "asymmetric"));
    assert_int_equal(scales->n, 4);
    int64_t dims[4];
    for (int d = 0; d < 4; d++)
        dims[d] = (int64_t)floorf((float)x->dims[d] * scales->f[d]);
    run_tensor *out = call_result(c, false, 4, dims);
    for (int64_t p = 0; p < dims[0] * dims[1]; p++)
        for (int64_t y = 0; y < dims[2]; y++)
            for (int64_t z = 0; z < dims[3]; z++)
                out->f[(p * dims[2] + y) * dims[3] + z] =
                    x->f[(p * x->dims[2] + (int64_t)floorf((float)y / scales->f[2])) * x->dims[3] +
                         (int64_t)floorf((float)z / scales->f[3])];
}

static void run_matmul(const call *c)
{
    const run_tensor *a = c->in[0], *b = c->in[1];
    const int n = a->n_dims;
    assert_int_equal(n, b->n_dims);
    int64_t dims[RUN_MOST_DIMS];
    memcpy(dims, a->dims, sizeof dims);
    dims[n - 1] = b->dims[n - 1];
    assert_int_equal(a->dims[n - 1], b->dims[n - 2]);
    run_tensor *out = call_result(c, false, n, dims);
    const size_t rows = (size_t)a->dims[n - 2], inner = (size_t)a->dims[n - 1],
                 columns = (size_t)b->dims[n - 1];
    for (size_t m = 0; m < call_span(a, 0, n - 2); m++)
        for (size_t y = 0; y < rows; y++)
            for (size_t x = 0; x < columns; x++) {
                double sum = 0;
                for (size_t k = 0; k < inner; k++)
                    sum += (double)a->f[(m * rows + y) * inner + k] *
                           (double)b->f[(m * inner + k) * columns + x];
                out->f[(m * rows + y) * columns + x] = (float)sum;
            }
}

/* Before opset 13 all dimensions from the axis on are one. */
static void run_softmax(const call *c)
{
    const run_tensor *x = c->in[0];
    const bool is_old = c->r->file->opset < 13;
    int64_t axis = call_int(c, "axis", is_old ? 1 : -1);
    axis += axis < 0 ? x->n_dims : 0;
    const size_t n = is_old ? call_span(x, (int)axis, x->n_dims) : (size_t)x->dims[axis];
    const size_t inner = is_old ? 1 : call_span(x, (int)axis + 1, x->n_dims);
    run_tensor *out = call_result(c, false, x->n_dims, x->dims);
    for (size_t o = 0; o < x->n / n / inner; o++)
        for (size_t i = 0; i < inner; i++) {
            const float *from = x->f + o * n * inner + i;
            float *to = out->f + o * n * inner + i;
            double most = -INFINITY, sum = 0;
            for (size_t k = 0; k < n; k++)
                most = fmax(most, (double)from[k * inner]);
            for (size_t k = 0; k < n; k++)
                sum += exp((double)from[k * inner] - most);
            for (size_t k = 0; k < n; k++)
                to[k * inner] = (float)(exp((double)from[k * inner] - most) / sum);
        }
}

/* ---- shapes ---- */

static void run_concat(const call *c)
{
    const int axis = (int)call_int(c, "axis", 0);
    int64_t dims[RUN_MOST_DIMS];
    memcpy(dims, c->in[0]->dims, sizeof dims);
    dims[axis] = 0;
    for (size_t k = 0; k < c->node->n_input; k++) {
        for (int d = 0; d < c->in[0]->n_dims; d++)
            assert_true(d == axis || c->in[k]->dims[d] == c->in[0]->dims[d]);
        dims[axis] += c->in[k]->dims[axis];
    }
    run_tensor *out = call_result(c, c->in[0]->is_int, c->in[0]->n_dims, dims);
    size_t at = 0;
    for (size_t o = 0; o < call_span(out, 0, axis); o++)
        for (size_t k = 0; k < c->node->n_input; k++) {
            const size_t n = call_span(c->in[k], axis, out->n_dims);
            for (size_t i = 0; i < n; i++)
                call_copy(out, at++, c->in[k], o * n + i);
        }
}

static void run_slice(const call *c)
{
    const run_tensor *x = c->in[0];
    assert_int_equal(c->in[1]->n, 1);
    const int axis = (int)c->in[3]->i[0];
    const int64_t begin = c->in[1]->i[0], end = c->in[2]->i[0];
    assert_true(begin >= 0 && begin < end && end <= x->dims[axis]);
    int64_t dims[RUN_MOST_DIMS];
    memcpy(dims, x->dims, sizeof dims);
    dims[axis] = end - begin;
    run_tensor *out = call_result(c, x->is_int, x->n_dims, dims);
    const size_t inner = call_span(x, axis + 1, x->n_dims), all = (size_t)x->dims[axis];
    size_t at = 0;
    for (size_t o = 0; o < call_span(x, 0, axis); o++)
        for (int64_t k = begin; k < end; k++)
            for (size_t i = 0; i < inner; i++)
                call_copy(out, at++, x, (o * all + (size_t)k) * inner + i);
}

static void run_reshape(const call *c)
{
    const run_tensor *x = c->in[0], *shape = c->in[1];
    int64_t dims[RUN_MOST_DIMS];
    size_t known = 1;
    int open = -1;
    for (size_t d = 0; d < shape->n; d++) {
        dims[d] = shape->i[d] == 0 ? x->dims[d] : shape->i[d];
        if (dims[d] < 0)
            open = (int)d;
        else
            known *= (size_t)dims[d];
    }
    if (open >= 0)
        dims[open] = (int64_t)(x->n / known);
    run_tensor *out = call_result(c, x->is_int, (int)shape->n, dims);
    assert_int_equal(out->n, x->n);
    for (size_t i = 0; i < x->n; i++)
        call_copy(out, i, x, i);
}

static void run_transpose(const call *c)
{
    const run_tensor *x = c->in[0];
    const Vigil__Onnx__AttributeProto *order = call_attribute(c, "perm");
    int64_t dims[RUN_MOST_DIMS];
    size_t step[RUN_MOST_DIMS];
    assert_int_equal(order->n_ints, x->n_dims);
    for (int d = 0; d < x->n_dims; d++) {
        dims[d] = x->dims[order->ints[d]];
        step[d] = call_span(x, (int)order->ints[d] + 1, x->n_dims);
    }
    run_tensor *out = call_result(c, x->is_int, x->n_dims, dims);
    for (size_t i = 0; i < out->n; i++) {
        size_t rest = i, from = 0;
        for (int d = x->n_dims - 1; d >= 0; d--) {
            from += rest % (size_t)dims[d] * step[d];
            rest /= (size_t)dims[d];
        }
        call_copy(out, i, x, from);
    }
}

static void run_shape(const call *c)
{
    const int64_t dims[1] = {c->in[0]->n_dims};
    run_tensor *out = call_result(c, true, 1, dims);
    memcpy(out->i, c->in[0]->dims, out->n * sizeof *out->i);
}

static void run_gather(const call *c)
{
    const run_tensor *x = c->in[0], *index = c->in[1];
    const int axis = (int)call_int(c, "axis", 0);
    int64_t dims[RUN_MOST_DIMS];
    int n = 0;
    for (int d = 0; d < axis; d++)
        dims[n++] = x->dims[d];
    for (int d = 0; d < index->n_dims; d++)
        dims[n++] = index->dims[d];
    for (int d = axis + 1; d < x->n_dims; d++)
        dims[n++] = x->dims[d];
    run_tensor *out = call_result(c, x->is_int, n, dims);
    const size_t inner = call_span(x, axis + 1, x->n_dims), all = (size_t)x->dims[axis];
    size_t at = 0;
    for (size_t o = 0; o < call_span(x, 0, axis); o++)
        for (size_t k = 0; k < index->n; k++)
            for (size_t i = 0; i < inner; i++)
                call_copy(out, at++, x, (o * all + (size_t)index->i[k]) * inner + i);
}

static void run_range(const call *c)
{
    for (int k = 0; k < 3; k++)
        assert_int_equal(c->in[k]->n_dims, 0);
    const int64_t from = c->in[0]->i[0], by = c->in[2]->i[0];
    const int64_t dims[1] = {(c->in[1]->i[0] - from + by - 1) / by};
    run_tensor *out = call_result(c, true, 1, dims);
    for (size_t i = 0; i < out->n; i++)
        out->i[i] = from + (int64_t)i * by;
}

static void run_expand(const call *c)
{
    const run_tensor *x = c->in[0];
    assert_int_equal(c->in[1]->n, x->n_dims);
    int64_t dims[RUN_MOST_DIMS];
    for (int d = 0; d < x->n_dims; d++)
        dims[d] = x->dims[d] > c->in[1]->i[d] ? x->dims[d] : c->in[1]->i[d];
    run_tensor *out = call_result(c, x->is_int, x->n_dims, dims);
    for (size_t i = 0; i < out->n; i++) {
        size_t rest = i, from = 0, step = 1;
        for (int d = x->n_dims - 1; d >= 0; d--) {
            from += (x->dims[d] == 1 ? 0 : rest % (size_t)dims[d]) * step;
            rest /= (size_t)dims[d];
            step *= (size_t)x->dims[d];
        }
        call_copy(out, i, x, from);
    }
}

/* ---- the file ---- */

static const struct {
    const char *op;
    void (*run)(const call *c);
} ops[] = {{"Add", run_pair},
           {"ArgMax", run_most},
           {"Cast", run_cast},
           {"Concat", run_concat},
           {"Conv", run_conv},
           {"Expand", run_expand},
           {"Gather", run_gather},
           {"GatherND", run_gather_nd},
           {"Greater", run_pair},
           {"MatMul", run_matmul},
           {"MaxPool", run_maxpool},
           {"Mul", run_pair},
           {"NonMaxSuppression", run_suppression},
           {"Range", run_range},
           {"ReduceMax", run_most},
           {"Reshape", run_reshape},
           {"Resize", run_resize},
           {"ScatterND", run_scatter_nd},
           {"Shape", run_shape},
           {"Sigmoid", run_sigmoid},
           {"Slice", run_slice},
           {"Softmax", run_softmax},
           {"Sub", run_pair},
           {"TopK", run_top},
           {"Transpose", run_transpose}};

static void run_node(onnx_run *r, const Vigil__Onnx__NodeProto *node)
{
    call c = {.r = r, .node = node};
    assert_in_range(node->n_input, 1, 16);
    for (size_t i = 0; i < node->n_input; i++)
        c.in[i] = *node->input[i] != '\0' ? find(r, node->input[i]) : NULL;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (strcmp(ops[i].op, node->op_type) == 0) {
            ops[i].run(&c);
            return;
        }
    fail_msg("the operator \"%s\"", node->op_type);
}

static void add_constant(onnx_run *r, const Vigil__Onnx__TensorProto *t)
{
    run_tensor *to = call_add(r, t->name, t->data_type == 7, (int)t->n_dims, t->dims);
    const size_t size = t->data_type == 7 ? 8 : t->data_type == 1 ? 4 : 2;
    assert_true(t->data_type == 1 || t->data_type == 7 || t->data_type == 10);
    assert_int_equal(t->raw_data.len, to->n * size);
    if (t->data_type != 10 && to->n > 0)
        memcpy(to->is_int ? (void *)to->i : (void *)to->f, t->raw_data.data, t->raw_data.len);
    for (size_t i = 0; t->data_type == 10 && i < to->n; i++) {
        uint16_t half;
        memcpy(&half, t->raw_data.data + 2 * i, 2);
        to->f[i] = weights_f16_to_f32(half);
    }
}

const run_tensor *onnx_run_file(onnx_run *r, const onnx_file *f, const float *images, int n, int h,
                                int w)
{
    const int64_t dims[4] = {n, 3, h, w};
    *r = (onnx_run){.file = f, .mem = {.tag = "test", .limit_bytes = SIZE_MAX}};
    OK((r->tensors = base_alloc_zero(&r->mem, MOST_TENSORS, sizeof *r->tensors, err)) != NULL
           ? VG_OK
           : VG_ERR_MEMORY);
    run_tensor *in = call_add(r, f->input->name, false, 4, dims);
    memcpy(in->f, images, in->n * sizeof *images);
    for (size_t i = 0; i < f->n_tensors; i++)
        add_constant(r, f->tensors[i]);
    for (size_t i = 0; i < f->n_nodes; i++)
        run_node(r, f->nodes[i]);
    return find(r, f->output->name);
}

void onnx_run_end(onnx_run *r)
{
    for (size_t i = 0; i < r->n_tensors; i++) {
        base_free(r->tensors[i].f);
        base_free(r->tensors[i].i);
    }
    base_free(r->tensors);
    assert_int_equal(r->mem.in_use_bytes, 0);
}
