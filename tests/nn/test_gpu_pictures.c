/* test_gpu_pictures.c: both ends of a network on a GPU: letterbox to the bit of src/image's, and
 * candidates as they are picked of maps; and batches that overlap, whose boxes are those of the
 * maps. The device is VIGIL_TEST_DEVICE's, else opencl:0. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/nn/backend.h"
#include "../../src/video/sample.h"
#include "detect/detect.h"
#include "engines.h"
#include "image/image.h"
#include "support/gpu.h"

enum { NC = 3, BLOCK_BYTES = 8 << 20, PICTURE_AT = 4 << 20, STAGING_BYTES = 4 << 20 };

static base_mem mem = {.tag = "test"};
static nn_device *device;
static void *gpu;
static char *staging;
static image_scratch scratch;
static const nn_backend *const backend = &nn_backend_gpu;

static int setup(void **state)
{
    vg_error err = {0};
    void *none = NULL, *host = NULL;
    (void)state;
    if (!test_gpu_open(&device, &mem))
        return 0;
    vg_status st = backend->create(&gpu, &(nn_backend_options){.device = device}, &mem, &err);
    if (st == VG_OK)
        st = backend->remote->take(gpu, NN_REMOTE_BLOCK, &none, BLOCK_BYTES, &mem, &err);
    if (st == VG_OK)
        st = backend->remote->take(gpu, NN_REMOTE_STAGING, &host, STAGING_BYTES, &mem, &err);
    if (st != VG_OK)
        fail_msg("%s at %s", err.what, err.where);
    staging = host;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (gpu)
        backend->destroy(&gpu);
    image_scratch_fini(&scratch);
    nn_device_close(&device);
    assert_int_equal(mem.in_use_bytes, 0);
    return 0;
}

#define NEEDS_DEVICE()                                                                             \
    do {                                                                                           \
        if (!device)                                                                               \
            skip();                                                                                \
    } while (0)

static void *take(size_t bytes)
{
    void *p = base_alloc_zero(&mem, 1, bytes, NULL);
    assert_non_null(p);
    return p;
}

/* ---- letterbox ---- */

/* Rows with a gap behind each. */
static image_view picture_make(int w, int h, uint64_t seed)
{
    const size_t stride = 3 * (size_t)w + 7;
    image_view v = {.data = take(stride * (size_t)h), .w = w, .h = h, .stride = stride};
    test_random r = {seed};
    for (size_t i = 0; i < stride * (size_t)h; i++)
        v.data[i] = (uint8_t)random_float(&r, 0, 255.9F);
    return v;
}

static image_letterbox_fit fit_make(int w, int h, int target_w, int target_h, bool rect)
{
    image_letterbox_fit f;
    const image_letterbox_rule rule = {.target_w = target_w,
                                       .target_h = target_h,
                                       .autosize = rect,
                                       .scale_up = true,
                                       .center = true,
                                       .stride = 32};
    assert_int_equal(image_letterbox_plan(&f, w, h, &rule, NULL), VG_OK);
    return f;
}

static nn_picture picture_of(const image_view *v, const image_letterbox_fit *f)
{
    image_taps t;
    assert_int_equal(image_letterbox_taps(&t, v->w, v->h, f, &scratch, &mem, NULL), VG_OK);
    return (nn_picture){.data = v->data,
                        .row_bytes = v->stride,
                        .w = v->w,
                        .h = v->h,
                        .fit = {.out_w = f->out_w,
                                .out_h = f->out_h,
                                .left = f->left,
                                .top = f->top,
                                .new_w = f->new_w,
                                .new_h = f->new_h,
                                .how = t.copies   ? NN_COPIES
                                       : t.halves ? NN_HALVES
                                                  : NN_TAPS},
                        .x_from = t.x_from,
                        .y_from = t.y_from,
                        .x_weight = t.x_weight,
                        .y_weight = t.y_weight};
}

static void write_taps(nn_tap *out, const int32_t *from, const int16_t *weight, int n)
{
    for (int i = 0; i < n; i++)
        out[i] = (nn_tap){from[i], {weight[2 * i], weight[2 * i + 1]}};
}

static void letterbox_case(int w, int h, int target_w, int target_h, bool rect)
{
    const image_view v = picture_make(w, h, (uint64_t)(w * 31 + h));
    const image_letterbox_fit f = fit_make(w, h, target_w, target_h, rect);
    const nn_picture x = picture_of(&v, &f);
    const nn_remote *r = backend->remote;
    const size_t floats = (size_t)f.out_w * (size_t)f.out_h * 3,
                 down_at = (size_t)f.new_w * sizeof(nn_tap),
                 rows_at = down_at + (size_t)f.new_h * sizeof(nn_tap);
    float *want = take(floats * sizeof(float));
    assert_true(rows_at + 3 * (size_t)w * (size_t)h <= STAGING_BYTES &&
                (floats + 2) * sizeof(float) <= PICTURE_AT);
    write_taps((nn_tap *)(void *)staging, x.x_from, x.x_weight, f.new_w);
    write_taps((nn_tap *)(void *)(staging + down_at), x.y_from, x.y_weight, f.new_h);
    for (int y = 0; y < h; y++)
        memcpy(staging + rows_at + (size_t)y * 3 * (size_t)w, v.data + (size_t)y * v.stride,
               3 * (size_t)w);
    const nn_letterbox l = {.dst_at = sizeof(float),
                            .src_at = PICTURE_AT + rows_at,
                            .across_at = PICTURE_AT,
                            .down_at = PICTURE_AT + down_at,
                            .w = w,
                            .h = h,
                            .fit = x.fit};
    assert_int_equal(image_letterbox_to_float(want, &v, &f, &scratch, &mem, NULL), VG_OK);
    assert_int_equal(
        r->send(gpu, 0, PICTURE_AT, staging, rows_at + 3 * (size_t)w * (size_t)h, NULL), VG_OK);
    assert_int_equal(r->letterbox(gpu, &l, NULL), VG_OK);
    assert_int_equal(r->fetch(gpu, 0, staging, sizeof(float), floats * sizeof(float), NULL), VG_OK);
    assert_int_equal(r->await(gpu, 0, NULL), VG_OK);
    if (memcmp(want, staging, floats * sizeof(float)) != 0)
        fail_msg("%d x %d into %d x %d: other bits", w, h, target_w, target_h);
    base_free(want);
    base_free(v.data);
}

static void letterbox_is_the_cpus_to_the_bit(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    static const int sizes[][2] = {
        {1, 1},    {1, 200},  {200, 1}, {3, 2},   {31, 33},   {64, 64},   {128, 128}, {128, 64},
        {101, 57}, {57, 101}, {63, 65}, {97, 64}, {333, 222}, {640, 480}, {1000, 17}, {127, 129}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        letterbox_case(sizes[i][0], sizes[i][1], 64, 64, true);
        letterbox_case(sizes[i][0], sizes[i][1], 64, 64, false);
        letterbox_case(sizes[i][0], sizes[i][1], 160, 96, true);
    }
    letterbox_case(640, 480, 320, 320, true); /* exactly half */
    letterbox_case(320, 192, 320, 320, true); /* nothing to do */
}

/* ---- planes ---- */

typedef struct planes_case {
    int w, h, chroma_pitch;
    bool is_swapped, mirrors_columns, mirrors_rows;
} planes_case;

static size_t put_taps(size_t at, const video_taps *t, int n)
{
    write_taps((nn_tap *)(void *)(staging + at), t->from, t->weight, n);
    return at + (size_t)n * sizeof(nn_tap);
}

/* The device's floats are not fused, and neither are the plain sampler's. */
static void check_planes(const planes_case *k, int target_w, int target_h)
{
    const int upright_w = k->is_swapped ? k->h : k->w, upright_h = k->is_swapped ? k->w : k->h;
    const image_letterbox_fit f = fit_make(upright_w, upright_h, target_w, target_h, false);
    const nn_remote *r = backend->remote;
    const size_t chroma_row = (size_t)(k->w + 1) / 2 * (size_t)k->chroma_pitch,
                 floats = (size_t)f.out_w * (size_t)f.out_h * 3;
    const int chroma_h = (k->h + 1) / 2, n_x = k->is_swapped ? f.new_h : f.new_w,
              n_y = k->is_swapped ? f.new_w : f.new_h;
    const video_matrix m = {.y_scale = 1 / 219.0F,
                            .offset = {-0.073F, -0.078F, -0.074F},
                            .r_v = 0.0063F,
                            .g_u = -0.0015F,
                            .g_v = -0.0032F,
                            .b_u = 0.0079F};
    video_sampler sampler = {.w = 0};
    assert_int_equal(video_sampler_plan(&sampler, k->w, k->h, k->is_swapped, k->mirrors_columns,
                                        k->mirrors_rows, &f, &mem, NULL),
                     VG_OK);
    size_t at = put_taps(0, &sampler.luma_x, n_x);
    at = put_taps(at, &sampler.luma_y, n_y);
    at = put_taps(at, &sampler.chroma_x, n_x);
    at = put_taps(at, &sampler.chroma_y, n_y);
    const size_t y_at = at, u_at = y_at + (size_t)k->w * (size_t)k->h,
                 v_at = k->chroma_pitch == 2 ? u_at + 1 : u_at + chroma_row * (size_t)chroma_h,
                 end = u_at + chroma_row * (size_t)chroma_h * (k->chroma_pitch == 2 ? 1 : 2);
    assert_true(end + 4 < STAGING_BYTES);
    test_random rng = {(uint64_t)(k->w * 7 + k->h)};
    for (size_t i = y_at; i < end; i++)
        staging[i] = (char)(uint8_t)random_float(&rng, 0, 255.9F);
    const uint8_t *bytes = (const uint8_t *)staging;
    const video_yuv yuv = {.y = bytes + y_at,
                           .u = bytes + u_at,
                           .v = bytes + v_at,
                           .y_stride = (size_t)k->w,
                           .u_stride = chroma_row,
                           .chroma_pitch = k->chroma_pitch,
                           .w = k->w,
                           .h = k->h};
    float *want = take(floats * sizeof(float));
    video_sampler_run(&sampler, &VIDEO_SAMPLE_KERNELS_C, want, &yuv, &m);
    const nn_sample s = {.taps_at = PICTURE_AT,
                         .y_at = PICTURE_AT + y_at,
                         .u_at = PICTURE_AT + u_at,
                         .v_at = PICTURE_AT + v_at,
                         .w = k->w,
                         .h = k->h,
                         .chroma_pitch = k->chroma_pitch,
                         .is_swapped = k->is_swapped,
                         .matrix = {.y_scale = m.y_scale,
                                    .offset = {m.offset[0], m.offset[1], m.offset[2]},
                                    .r_v = m.r_v,
                                    .g_u = m.g_u,
                                    .g_v = m.g_v,
                                    .b_u = m.b_u},
                         .fit = {.out_w = f.out_w,
                                 .out_h = f.out_h,
                                 .left = f.left,
                                 .top = f.top,
                                 .new_w = f.new_w,
                                 .new_h = f.new_h}};
    assert_int_equal(r->send(gpu, 0, PICTURE_AT, staging, end, NULL), VG_OK);
    assert_int_equal(r->sample(gpu, &s, NULL), VG_OK);
    assert_int_equal(r->fetch(gpu, 0, staging, 0, floats * sizeof(float), NULL), VG_OK);
    assert_int_equal(r->await(gpu, 0, NULL), VG_OK);
    const float *got = (const float *)(void *)staging;
    for (size_t i = 0; i < floats; i++)
        if (!(fabsf(got[i] - want[i]) <= 1e-6F))
            fail_msg("%d x %d: %g, not %g, at %d", k->w, k->h, (double)got[i], (double)want[i],
                     (int)i);
    base_free(want);
    video_sampler_fini(&sampler);
}

static void planes_are_sampled_as_on_the_cpu(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    static const planes_case cases[] = {
        {64, 48, 1, false, false, false},   {65, 47, 2, false, false, false},
        {320, 180, 2, false, true, false},  {101, 33, 1, true, false, true},
        {33, 101, 2, true, true, false},    {1, 1, 1, false, false, false},
        {2, 300, 2, false, false, true},    {300, 1, 1, true, false, false},
        {640, 360, 1, false, false, false}, {31, 31, 2, false, true, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        check_planes(&cases[i], 64, 64);
        check_planes(&cases[i], 96, 160);
    }
}

/* ---- picking ---- */

/* Three levels of odd sizes with gaps between pixels, one behind another in the block. */
typedef struct heads {
    nn_pick k;
    detect_level level[3]; /* of the same numbers, here */
    float *floats;
    size_t n_floats;
    int n, cells;
} heads;

static heads heads_make(int n, int nc, float lo, float hi, uint64_t seed)
{
    static const int sizes[3][2] = {{21, 17}, {11, 9}, {3, 1}};
    heads x = {.n = n, .k = {.n_levels = 3}};
    size_t at = 8;
    for (int l = 0; l < 3; l++) {
        const int h = sizes[l][0], w = sizes[l][1];
        nn_map box = {.pitch = 70, .n = n, .h = h, .w = w, .c = 4 * NN_REG_MAX},
               cls = {.pitch = (size_t)nc + (size_t)l, .n = n, .h = h, .w = w, .c = nc};
        x.k.levels[l].box = box;
        x.k.levels[l].cls = cls;
        x.k.levels[l].box_at = at * sizeof(float);
        at += (size_t)(n * h * w) * box.pitch;
        x.k.levels[l].cls_at = at * sizeof(float);
        at += (size_t)(n * h * w) * cls.pitch;
        x.cells += h * w;
    }
    x.n_floats = at;
    x.floats = take(at * sizeof(float));
    test_random r = {seed};
    for (size_t i = 0; i < at; i++)
        x.floats[i] = random_float(&r, lo, hi);
    for (int l = 0; l < 3; l++)
        x.level[l] = (detect_level){.box = x.floats + x.k.levels[l].box_at / sizeof(float),
                                    .cls = x.floats + x.k.levels[l].cls_at / sizeof(float),
                                    .box_pitch = x.k.levels[l].box.pitch,
                                    .cls_pitch = x.k.levels[l].cls.pitch,
                                    .h = sizes[l][0],
                                    .w = sizes[l][1],
                                    .stride = (float)(8 << l)};
    x.k.first_at = base_round_up(at * sizeof(float), 64);
    x.k.rows_at = x.k.first_at + base_round_up((size_t)(n + 1) * 4, 64);
    x.k.counts_at =
        x.k.rows_at + base_round_up((size_t)(n * x.cells) * nn_pick_pitch(nc) * sizeof(float), 64);
    assert_true(x.k.counts_at + 4096 <= BLOCK_BYTES);
    return x;
}

/* Into *first and *rows, which are in `out`. */
static void device_picks(heads *x, float floor_logit, char *out, const uint32_t **first,
                         const float **rows)
{
    const nn_remote *r = backend->remote;
    x->k.floor_logit = floor_logit;
    const size_t bytes = x->k.counts_at - x->k.first_at;
    assert_int_equal(
        r->upload(gpu, NN_REMOTE_BLOCK, 0, x->floats, x->n_floats * sizeof(float), NULL), VG_OK);
    assert_int_equal(r->pick(gpu, &x->k, NULL), VG_OK);
    assert_int_equal(r->download(gpu, out, x->k.first_at, bytes, NULL), VG_OK);
    assert_int_equal(r->finish(gpu, NULL), VG_OK);
    *first = (const uint32_t *)(void *)out;
    *rows = (const float *)(void *)(out + (x->k.rows_at - x->k.first_at));
}

/* Every cell that has a logit there, in its order, with its logits to the bit. */
static void check_rows(const heads *x, int nc, float floor_logit, const uint32_t *first,
                       const float *rows)
{
    uint32_t n = 0;
    for (int i = 0; i < x->n; i++) {
        uint32_t cell = 0;
        assert_int_equal(first[i], n);
        for (int l = 0; l < 3; l++) {
            const detect_level *v = &x->level[l];
            for (int p = 0; p < v->h * v->w; p++, cell++) {
                const size_t at = (size_t)(i * v->h * v->w + p);
                const float *z = v->cls + at * v->cls_pitch;
                bool any = false;
                for (int c = 0; c < nc; c++)
                    any |= z[c] >= floor_logit;
                if (!any)
                    continue;
                const float *row = rows + n++ * nn_pick_pitch(nc);
                uint32_t told;
                memcpy(&told, row, sizeof told);
                assert_int_equal(told, cell);
                assert_memory_equal(row + 1, v->box + at * v->box_pitch, 64 * sizeof(float));
                assert_memory_equal(row + 65, z, (size_t)nc * sizeof(float));
            }
        }
    }
    assert_int_equal(first[x->n], n);
}

static void check_boxes(const heads *x, int nc, const uint32_t *first, const float *rows,
                        const detect_nms_options *o)
{
    enum { MOST = 100 };
    vg_detection want[MOST], got[MOST];
    detect_nms *nms = NULL;
    assert_int_equal(detect_nms_create(&nms, (size_t)(x->cells * nc), MOST, &mem, NULL), VG_OK);
    for (int i = 0; i < x->n; i++) {
        const detect_picks k = {.rows = rows + first[i] * nn_pick_pitch(nc),
                                .n = first[i + 1] - first[i],
                                .pitch = nn_pick_pitch(nc),
                                .levels = x->level,
                                .n_levels = 3};
        const size_t n = detect_run(nms, want, NULL, x->level, 3, nc, i, o);
        assert_int_equal(detect_run_picks(nms, got, NULL, &k, nc, o), n);
        assert_true(n > 0);
        assert_memory_equal(got, want, n * sizeof *got);
    }
    detect_nms_destroy(&nms);
}

static void candidates_are_all_cells_that_may_pass_in_their_order(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    char *out = take(BLOCK_BYTES);
    static const struct {
        int n, nc;
        float conf;
    } cases[] = {{1, 1, 0.25F}, {3, 5, 0.5F}, {2, 80, 0.9F}, {1, 3, 0.001F}, {5, 2, 0.95F}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int nc = cases[i].nc;
        heads x = heads_make(cases[i].n, nc, -9, 4, 11 + i);
        const uint32_t *first;
        const float *rows;
        uint8_t wanted[80] = {1, 0, 1};
        detect_nms_options o = DETECT_NMS_PREDICT;
        o.conf = cases[i].conf;
        o.max_det = 100;
        const float floor_logit = detect_logit_floor(o.conf);
        device_picks(&x, floor_logit, out, &first, &rows);
        check_rows(&x, nc, floor_logit, first, rows);
        check_boxes(&x, nc, first, rows, &o);
        o.multi_label = true;
        check_boxes(&x, nc, first, rows, &o);
        o.classes = wanted;
        check_boxes(&x, nc, first, rows, &o);
        o.multi_label = false;
        check_boxes(&x, nc, first, rows, &o);
        base_free(x.floats);
    }
    base_free(out);
}

static void nothing_and_everything_are_picked_too(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    char *out = take(BLOCK_BYTES);
    const uint32_t *first;
    const float *rows;
    heads x = heads_make(2, 4, -9, 4, 5);
    device_picks(&x, 5, out, &first, &rows);
    check_rows(&x, 4, 5, first, rows);
    assert_int_equal(first[2], 0);
    device_picks(&x, -INFINITY, out, &first, &rows);
    check_rows(&x, 4, -INFINITY, first, rows);
    assert_int_equal(first[2], 2 * x.cells);
    for (size_t i = 0; i < x.n_floats; i++)
        x.floats[i] = NAN;
    device_picks(&x, -INFINITY, out, &first, &rows);
    assert_int_equal(first[2], 0);
    base_free(x.floats);
    base_free(out);
}

/* ---- batches ---- */

static const char model[] = "nc: 3\n"
                            "scales: {n: [1.0, 1.0, 1024]}\n"
                            "backbone:\n"
                            "  - [-1, 1, Conv, [8, 3, 2]]\n"
                            "  - [-1, 1, Conv, [16, 3, 2]]\n"
                            "  - [-1, 1, C3k2, [16, True, 0.5]]\n"
                            "  - [-1, 1, SPPF, [16, 5]]\n"
                            "  - [-1, 1, nn.Upsample, [None, 2, \"nearest\"]]\n"
                            "  - [[-1, 0], 1, Concat, [1]]\n" MODEL_HEAD(5);

/* Batches of these: pictures, and the network's input. */
typedef struct shape {
    int n, w, h;
} shape;
static const shape shapes[] = {{2, 80, 61}, {3, 64, 64}, {1, 33, 90}, {3, 100, 100}, {2, 100, 40}};
enum { N_SHAPES = sizeof shapes / sizeof *shapes, SIDE = 64, MOST_BOXES = 60, MOST_N = 3 };

typedef struct found {
    size_t n[MOST_N];
    vg_detection boxes[MOST_N][MOST_BOXES];
} found;

static detect_nms_options low(void)
{
    detect_nms_options o = DETECT_NMS_PREDICT;
    o.conf = 0.001F;
    o.max_det = MOST_BOXES;
    return o;
}

/* By the maps, of floats. */
static void boxes_of_maps(found *out, test_engine *t, detect_nms *nms, const shape *s)
{
    const image_letterbox_fit f = fit_make(s->w, s->h, SIDE, SIDE, true);
    const size_t floats = (size_t)f.out_w * (size_t)f.out_h * 3;
    const detect_nms_options o = low();
    detect_level levels[DETECT_MAX_LEVELS];
    float *x = base_alloc(&mem, (size_t)s->n * floats * sizeof(float), NULL);
    assert_non_null(x);
    for (int i = 0; i < s->n; i++) {
        const image_view v = picture_make(s->w, s->h, (uint64_t)(s->w + i));
        assert_int_equal(
            image_letterbox_to_float(x + (size_t)i * floats, &v, &f, &scratch, &mem, NULL), VG_OK);
        base_free(v.data);
    }
    nn_plan *p = engine_plan(t, s->n, f.out_h, f.out_w);
    assert_int_equal(nn_engine_run(t->e, p, x, NULL), VG_OK);
    for (int i = 0; i < s->n; i++)
        out->n[i] =
            detect_run(nms, out->boxes[i], NULL, levels, nn_plan_levels(p, levels), NC, i, &o);
    base_free(x);
}

/* As what does not fit goes up. */
static void put_floats(test_engine *t, const nn_plan *p, int i, const image_view *v,
                       const image_letterbox_fit *f)
{
    float *x = take((size_t)f->out_w * (size_t)f->out_h * 3 * sizeof(float));
    assert_int_equal(image_letterbox_to_float(x, v, f, &scratch, &mem, NULL), VG_OK);
    assert_int_equal(nn_engine_put_floats(t->e, p, i, x, NULL), VG_OK);
    base_free(x);
}

static void submit(test_engine *t, const shape *s)
{
    const image_letterbox_fit f = fit_make(s->w, s->h, SIDE, SIDE, true);
    nn_plan *p = engine_plan(t, s->n, f.out_h, f.out_w);
    for (int i = 0; i < s->n; i++) {
        const image_view v = picture_make(s->w, s->h, (uint64_t)(s->w + i));
        const nn_picture x = picture_of(&v, &f);
        assert_true(nn_engine_fits(t->e, p, v.w, v.h));
        if (i == 1)
            put_floats(t, p, i, &v, &f);
        else
            assert_int_equal(nn_engine_put(t->e, p, i, &x, NULL), VG_OK);
        base_free(v.data);
    }
    assert_int_equal(nn_engine_submit(t->e, p, detect_logit_floor(low().conf), NULL), VG_OK);
}

static void collect(found *out, test_engine *t, detect_nms *nms)
{
    nn_picks k;
    vg_error err = {0};
    const detect_nms_options o = low();
    if (nn_engine_collect(t->e, &k, &err) != VG_OK)
        fail_msg("%s", err.what);
    for (int i = 0; i < k.n; i++) {
        const detect_picks picks = {.rows = k.rows + k.first[i] * k.pitch,
                                    .n = k.first[i + 1] - k.first[i],
                                    .pitch = k.pitch,
                                    .levels = k.levels,
                                    .n_levels = k.n_levels};
        out->n[i] = detect_run_picks(nms, out->boxes[i], NULL, &picks, NC, &o);
    }
}

static void open_for_pictures(test_engine *t, int max_pending)
{
    const nn_engine_options o = {.device = device,
                                 .max_plans = 3,
                                 .picture_bytes = 100 * 100 * 3,
                                 .max_pending = max_pending};
    vg_error err = {0};
    engine_open(t, model, NULL, NC, NULL, &o, &mem);
    const nn_accounts a = engine_accounts(t);
    if (nn_engine_reserve(t->e, MOST_N, SIDE, SIDE, &a, &err) != VG_OK)
        fail_msg("%s", err.what);
}

static detect_nms *nms_make(void)
{
    detect_nms *nms = NULL;
    assert_int_equal(detect_nms_create(&nms, 30000, MOST_BOXES, &mem, NULL), VG_OK);
    return nms;
}

static void assert_found(const found *got, const found *want, const shape *s)
{
    for (int i = 0; i < s->n; i++) {
        assert_int_equal(got->n[i], want->n[i]);
        assert_true(want->n[i] > 0);
        assert_memory_equal(got->boxes[i], want->boxes[i], want->n[i] * sizeof(vg_detection));
    }
}

/* However many are under way, whatever their shapes, and with more candidates than come at once. */
static void boxes_of_batches_that_overlap_are_those_of_maps(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    static found want[N_SHAPES], got;
    test_engine t;
    detect_nms *nms = nms_make();
    engine_open(&t, model, NULL, NC, NULL, &(nn_engine_options){.device = device}, &mem);
    for (int i = 0; i < N_SHAPES; i++)
        boxes_of_maps(&want[i], &t, nms, &shapes[i]);
    engine_close(&t);
    for (int most = 1; most <= NN_MOST_PENDING; most++) {
        open_for_pictures(&t, most);
        for (int i = 0; i < 2 * N_SHAPES + most; i++) {
            if (i >= most) {
                collect(&got, &t, nms);
                assert_found(&got, &want[(i - most) % N_SHAPES], &shapes[(i - most) % N_SHAPES]);
            }
            if (i < 2 * N_SHAPES)
                submit(&t, &shapes[i % N_SHAPES]);
        }
        assert_int_equal(nn_engine_n_pending(t.e), 0);
        engine_close(&t);
    }
    detect_nms_destroy(&nms);
}

/* What is planned is taken, and batches take nothing more. */
static void memory_is_as_planned_and_flat(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    static found got;
    test_engine t;
    nn_memory_need need;
    nn_graph *g = NULL;
    detect_nms *nms = nms_make();
    const nn_engine_options o = {
        .device = device, .max_plans = 3, .picture_bytes = 100 * 100 * 3, .max_pending = 2};
    const nn_accounts all = {&mem, &mem, &mem, &mem};
    open_for_pictures(&t, 2);
    assert_int_equal(graph_from_text(&g, model, NULL, NC, &mem, NULL), VG_OK);
    assert_int_equal(nn_graph_need(g, &o, MOST_N, SIDE, SIDE, &need, &all, NULL), VG_OK);
    nn_graph_destroy(&g);
    assert_int_equal(t.activations.in_use_bytes, need.activation_bytes);
    assert_int_equal(t.staging.in_use_bytes, need.staging_bytes);
    const char *runs = getenv("VIGIL_TEST_FORWARDS");
    int64_t n_runs = 40;
    if (runs)
        assert_true(base_parse_i64(&n_runs, runs, 1, 1000000));
    const uint64_t n_before =
        t.weights.n_allocs + t.activations.n_allocs + t.staging.n_allocs + t.plans.n_allocs;
    for (int64_t i = 0; i < n_runs; i++) {
        if (i >= 2)
            collect(&got, &t, nms);
        submit(&t, &shapes[i % N_SHAPES]);
    }
    assert_int_equal(t.weights.n_allocs + t.activations.n_allocs + t.staging.n_allocs +
                         t.plans.n_allocs,
                     n_before);
    assert_int_equal(t.activations.in_use_bytes, need.activation_bytes);
    engine_close(&t); /* with two under way */
    detect_nms_destroy(&nms);
}

static void a_shape_that_needs_more_memory_waits_for_those_under_way(void **state)
{
    (void)state;
    NEEDS_DEVICE();
    static found got;
    test_engine t;
    detect_nms *nms = nms_make();
    bool is_free = false;
    open_for_pictures(&t, 2);
    const nn_accounts a = engine_accounts(&t);
    submit(&t, &shapes[0]);
    assert_int_equal(nn_engine_is_free(t.e, &is_free, 1, SIDE, SIDE, &a, NULL), VG_OK);
    assert_true(is_free);
    assert_int_equal(nn_engine_is_free(t.e, &is_free, 4, SIDE, SIDE, &a, NULL), VG_OK);
    assert_false(is_free);
    submit(&t, &shapes[1]);
    assert_int_equal(nn_engine_is_free(t.e, &is_free, 1, SIDE, SIDE, &a, NULL), VG_OK);
    assert_false(is_free);
    collect(&got, &t, nms);
    collect(&got, &t, nms);
    assert_int_equal(nn_engine_is_free(t.e, &is_free, 4, SIDE, SIDE, &a, NULL), VG_OK);
    assert_true(is_free);
    nn_plan *p = engine_plan(&t, 4, SIDE, SIDE);
    assert_true(nn_engine_fits(t.e, p, 100, 100));
    assert_false(nn_engine_fits(t.e, p, 101, 100));
    engine_close(&t);
    detect_nms_destroy(&nms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(letterbox_is_the_cpus_to_the_bit),
        cmocka_unit_test(planes_are_sampled_as_on_the_cpu),
        cmocka_unit_test(candidates_are_all_cells_that_may_pass_in_their_order),
        cmocka_unit_test(nothing_and_everything_are_picked_too),
        cmocka_unit_test(boxes_of_batches_that_overlap_are_those_of_maps),
        cmocka_unit_test(memory_is_as_planned_and_flat),
        cmocka_unit_test(a_shape_that_needs_more_memory_waits_for_those_under_way),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
