/* kernels.c: our convolutions against oneDNN's, layer by layer of YOLO11 at 640x640, one thread,
 * f32.
 *
 *     bench/kernels [n|s] [rounds] [table] [part of a layer's name]
 *
 * Every distinct convolution of the model (fused: bias, SiLU where the layer has it) runs on both,
 * taking turns; the median of CPU times is printed with GF/s and the ratio oneDNN / ours (above 1:
 * ours is faster), and the sums over the whole model, each shape counted as often as it occurs.
 * oneDNN gets nhwc activations, weights in the format it asks for, swish as post-op. Run with
 * OMP_NUM_THREADS=1. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <dnnl.h>

#include "../src/nn/cpu/kernels.h"

typedef struct layer {
    int ic, oc, k, stride, side; /* side: of the input */
    bool depthwise, silu;
    int count;
} layer;

static layer layers[128];
static int n_layers;

static void layer_add(int ic, int oc, int k, int stride, int side, bool depthwise, bool silu)
{
    const layer l = {ic, oc, k, stride, side, depthwise, silu, 1};
    for (int i = 0; i < n_layers; i++) {
        layer o = layers[i];
        o.count = 1;
        if (!memcmp(&o, &l, sizeof l)) {
            layers[i].count++;
            return;
        }
    }
    layers[n_layers++] = l;
}

static void conv(int ic, int oc, int k, int stride, int side)
{
    layer_add(ic, oc, k, stride, side, false, true);
}

static void bottleneck(int c, int inner, int side)
{
    conv(c, inner, 3, 1, side);
    conv(inner, c, 3, 1, side);
}

static void c3k2(int ic, int oc, int c, bool c3k, int side)
{
    conv(ic, 2 * c, 1, 1, side);
    if (c3k) {
        conv(c, c / 2, 1, 1, side);
        conv(c, c / 2, 1, 1, side);
        bottleneck(c / 2, c / 2, side);
        bottleneck(c / 2, c / 2, side);
        conv(c, c, 1, 1, side);
    } else {
        bottleneck(c, c / 2, side);
    }
    conv(3 * c, oc, 1, 1, side);
}

/* w: channels of the first layer, 16 for n, 32 for s. Spec 1.2 and 1.3. */
static void model(int w)
{
    conv(3, w, 3, 2, 640);
    conv(w, 2 * w, 3, 2, 320);
    c3k2(2 * w, 4 * w, w, false, 160);
    conv(4 * w, 4 * w, 3, 2, 160);
    c3k2(4 * w, 8 * w, 2 * w, false, 80);
    conv(8 * w, 8 * w, 3, 2, 80);
    c3k2(8 * w, 8 * w, 4 * w, true, 40);
    conv(8 * w, 16 * w, 3, 2, 40);
    c3k2(16 * w, 16 * w, 8 * w, true, 20);
    conv(16 * w, 8 * w, 1, 1, 20); /* SPPF */
    conv(32 * w, 16 * w, 1, 1, 20);
    conv(16 * w, 16 * w, 1, 1, 20); /* C2PSA */
    layer_add(8 * w, 16 * w, 1, 1, 20, false, false);
    layer_add(8 * w, 8 * w, 3, 1, 20, true, false);
    layer_add(8 * w, 8 * w, 1, 1, 20, false, false);
    conv(8 * w, 16 * w, 1, 1, 20);
    layer_add(16 * w, 8 * w, 1, 1, 20, false, false);
    conv(16 * w, 16 * w, 1, 1, 20);
    c3k2(24 * w, 8 * w, 4 * w, false, 40);
    c3k2(16 * w, 4 * w, 2 * w, false, 80);
    conv(4 * w, 4 * w, 3, 2, 80);
    c3k2(12 * w, 8 * w, 4 * w, false, 40);
    conv(8 * w, 8 * w, 3, 2, 40);
    c3k2(24 * w, 16 * w, 8 * w, true, 20);
    const int ch[3] = {4 * w, 8 * w, 16 * w}, sides[3] = {80, 40, 20}, c3 = ch[0] > 80 ? ch[0] : 80;
    for (int i = 0; i < 3; i++) {
        conv(ch[i], 64, 3, 1, sides[i]);
        conv(64, 64, 3, 1, sides[i]);
        layer_add(64, 64, 1, 1, sides[i], false, false);
        layer_add(ch[i], ch[i], 3, 1, sides[i], true, true);
        conv(ch[i], c3, 1, 1, sides[i]);
        layer_add(c3, c3, 3, 1, sides[i], true, true);
        conv(c3, c3, 1, 1, sides[i]);
        layer_add(c3, 80, 1, 1, sides[i], false, false);
    }
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int double_compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, double_compare);
    return v[n / 2];
}

static void *take(size_t bytes)
{
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!p) {
        fprintf(stderr, "error: no memory for %zu bytes\n", bytes);
        exit(1);
    }
    return p;
}

static float *floats(size_t n, float by)
{
    static unsigned state = 1;
    float *p = take(n * sizeof *p);
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525U + 1013904223U;
        p[i] = ((float)(state >> 8) / (float)(1U << 23) - 1.0F) * by;
    }
    return p;
}

static void check(dnnl_status_t st)
{
    if (st != dnnl_success) {
        fprintf(stderr, "error: oneDNN status %d\n", (int)st);
        exit(1);
    }
}

/* One layer in oneDNN, ready to execute. */
typedef struct peer {
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[4];
    dnnl_stream_t stream;
} peer;

static dnnl_memory_t memory_over(const dnnl_memory_desc_t *desc, dnnl_engine_t engine, void *data)
{
    dnnl_memory_t m;
    check(dnnl_memory_create(&m, desc, engine, data));
    return m;
}

static peer peer_make(const layer *l, dnnl_engine_t engine, dnnl_stream_t stream, float *src,
                      float *dst, float *weight, float *bias)
{
    const int out = (l->side + l->stride - 1) / l->stride, pad = l->k / 2, side = l->side;
    dnnl_memory_desc_t s, d, w, any, b;
    check(dnnl_memory_desc_init_by_tag(&s, 4, (dnnl_dims_t){1, l->ic, side, side}, dnnl_f32,
                                       dnnl_nhwc));
    check(dnnl_memory_desc_init_by_tag(&d, 4, (dnnl_dims_t){1, l->oc, out, out}, dnnl_f32,
                                       dnnl_nhwc));
    check(dnnl_memory_desc_init_by_tag(&b, 1, (dnnl_dims_t){l->oc}, dnnl_f32, dnnl_a));
    if (l->depthwise) {
        dnnl_dims_t dims = {l->oc, 1, 1, l->k, l->k};
        check(dnnl_memory_desc_init_by_tag(&w, 5, dims, dnnl_f32, dnnl_goihw));
        check(dnnl_memory_desc_init_by_tag(&any, 5, dims, dnnl_f32, dnnl_format_tag_any));
    } else {
        dnnl_dims_t dims = {l->oc, l->ic, l->k, l->k};
        check(dnnl_memory_desc_init_by_tag(&w, 4, dims, dnnl_f32, dnnl_oihw));
        check(dnnl_memory_desc_init_by_tag(&any, 4, dims, dnnl_f32, dnnl_format_tag_any));
    }
    const int end = (out - 1) * l->stride + l->k - pad - side;
    dnnl_convolution_desc_t desc;
    check(dnnl_convolution_forward_desc_init(&desc, dnnl_forward_inference, dnnl_convolution_direct,
                                             &s, &any, &b, &d, (dnnl_dims_t){l->stride, l->stride},
                                             (dnnl_dims_t){pad, pad}, (dnnl_dims_t){end, end}));
    dnnl_primitive_attr_t attr;
    dnnl_post_ops_t ops;
    check(dnnl_primitive_attr_create(&attr));
    check(dnnl_post_ops_create(&ops));
    if (l->silu)
        check(dnnl_post_ops_append_eltwise(ops, 1.0F, dnnl_eltwise_swish, 1.0F, 0.0F));
    check(dnnl_primitive_attr_set_post_ops(attr, ops));
    dnnl_primitive_desc_t pd;
    check(dnnl_primitive_desc_create(&pd, &desc, attr, engine, NULL));
    peer p = {.stream = stream};
    check(dnnl_primitive_create(&p.primitive, pd));
    const dnnl_memory_desc_t *wanted = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    dnnl_memory_t plain = memory_over(&w, engine, weight);
    dnnl_memory_t packed = memory_over(wanted, engine, take(dnnl_memory_desc_get_size(wanted)));
    dnnl_primitive_desc_t reorder_pd;
    dnnl_primitive_t reorder;
    check(dnnl_reorder_primitive_desc_create(&reorder_pd, &w, engine, wanted, engine, NULL));
    check(dnnl_primitive_create(&reorder, reorder_pd));
    const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, plain}, {DNNL_ARG_TO, packed}};
    check(dnnl_primitive_execute(reorder, stream, 2, args));
    p.args[0] = (dnnl_exec_arg_t){DNNL_ARG_SRC, memory_over(&s, engine, src)};
    p.args[1] = (dnnl_exec_arg_t){DNNL_ARG_WEIGHTS, packed};
    p.args[2] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, memory_over(&b, engine, bias)};
    p.args[3] = (dnnl_exec_arg_t){DNNL_ARG_DST, memory_over(&d, engine, dst)};
    return p;
}

int main(int argc, char **argv)
{
    const char *scale = argc > 1 ? argv[1] : "n", *table = argc > 3 ? argv[3] : "avx512";
    const int rounds = argc > 2 ? atoi(argv[2]) : 31;
    const cpu_kernels *k = !strcmp(table, "avx512") ? &cpu_kernels_avx512
                           : !strcmp(table, "avx2") ? &cpu_kernels_avx2
                                                    : &cpu_kernels_generic;
    model(*scale == 's' ? 32 : 16);
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    check(dnnl_engine_create(&engine, dnnl_cpu, 0));
    check(dnnl_stream_create(&stream, engine, dnnl_stream_default_flags));
    double sum_ours = 0.0, sum_peer = 0.0, sum_gflop = 0.0;
    double *ours = take(sizeof(double) * (size_t)rounds),
           *theirs = take(sizeof(double) * (size_t)rounds);
    printf("%-28s %3s %8s %8s %7s %7s %6s %9s\n", "layer", "x", "ours ms", "dnn ms", "GF/s", "GF/s",
           "ratio", "off");
    for (int i = 0; i < n_layers; i++) {
        const layer *l = &layers[i];
        const int out = (l->side + l->stride - 1) / l->stride,
                  fan = (l->depthwise ? 1 : l->ic) * l->k * l->k;
        char name[64];
        snprintf(name, sizeof name, "%s%dx%d/%d %d->%d @%d%s", l->depthwise ? "dw " : "", l->k,
                 l->k, l->stride, l->ic, l->oc, l->side, l->silu ? "" : " linear");
        if (argc > 4 && !strstr(name, argv[4]))
            continue;
        const size_t n_dst = (size_t)(out * out * l->oc);
        float *src = floats((size_t)(l->side * l->side * l->ic), 1.0F), *dst = floats(n_dst, 1.0F);
        float *dst_peer = floats(n_dst, 1.0F), *bias = floats((size_t)l->oc, 1.0F);
        float *weight = floats((size_t)(l->oc * fan), 1.0F / sqrtf((float)fan));
        const cpu_conv c = {l->ic, l->oc, l->k, l->stride, l->depthwise ? l->ic : 1, l->silu, 1};
        float *packed = take(k->conv_packed_floats(&c) * sizeof(float));
        float *scratch = take(k->conv_scratch_floats(&c) * sizeof(float) + 64);
        k->conv_pack(&c, packed, weight, bias);
        const nn_map src_map = {src, (size_t)l->ic, 1, l->side, l->side, l->ic};
        const nn_map dst_map = {dst, (size_t)l->oc, 1, out, out, l->oc};
        peer p = peer_make(l, engine, stream, src, dst_peer, weight, bias);
        for (int r = -2; r < rounds; r++) {
            const double t0 = cpu_seconds();
            k->conv_run(&c, packed, &dst_map, &src_map, NULL, scratch, 0,
                        k->conv_units(&c, &dst_map));
            const double t1 = cpu_seconds();
            check(dnnl_primitive_execute(p.primitive, p.stream, 4, p.args));
            check(dnnl_stream_wait(p.stream));
            const double t2 = cpu_seconds();
            if (r >= 0)
                ours[r] = t1 - t0, theirs[r] = t2 - t1;
        }
        double off = 0.0;
        for (size_t j = 0; j < n_dst; j++)
            off = fmax(off, fabs((double)dst[j] - (double)dst_peer[j]));
        const double gflop = 2e-9 * (double)n_dst * fan, a = median(ours, rounds),
                     b = median(theirs, rounds);
        printf("%-28s %3d %8.3f %8.3f %7.1f %7.1f %6.2f %9.1e\n", name, l->count, a * 1e3, b * 1e3,
               gflop / a, gflop / b, b / a, off);
        sum_ours += a * l->count, sum_peer += b * l->count, sum_gflop += gflop * l->count;
        free(src), free(dst), free(dst_peer), free(bias), free(weight), free(packed), free(scratch);
    }
    printf("%-28s %3s %8.3f %8.3f %7.1f %7.1f %6.2f\n", "sum", "", sum_ours * 1e3, sum_peer * 1e3,
           sum_gflop / sum_ours, sum_gflop / sum_peer, sum_peer / sum_ours);
    return 0;
}
