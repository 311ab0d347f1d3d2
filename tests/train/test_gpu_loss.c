/* test_gpu_loss.c: the loss on a device against the golden files and against the CPU's, on the
 * device that VIGIL_TEST_DEVICE names (opencl:0: PoCL's, where the tests' packages are installed).
 * VIGIL_TEST_SMALL=1: few and small cases, for what watches every access.
 * VIGIL_TEST_NO_DOUBLE=1: the kernels were compiled for a device without double, as the second test
 * of this program does, and digits are fewer.
 */
#include "support/test.h"

#include <math.h>

#include "detect/levels.h"
#include "support/golden.h"
#include "support/gpu.h"
#include "train/gpu/loss.h"

enum { MOST_LABELS = 200 };

static base_mem mem, device_mem;
static nn_device *device;
static double lenience = 1;

static int setup(void **state)
{
    (void)state;
    lenience = getenv("VIGIL_TEST_NO_DOUBLE") ? 100 : 1;
    base_mem_init(&mem, "test", NULL, 0);
    base_mem_init(&device_mem, "device", NULL, 0);
    test_gpu_open(&device, &mem);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    nn_device_close(&device);
    assert_int_equal(mem.in_use_bytes, 0);
    assert_int_equal(device_mem.in_use_bytes, 0);
    return 0;
}

static void ok(vg_status st, const vg_error *err)
{
    if (st != VG_OK)
        fail_msg("%s at %s", err->what, err->where);
}

static void *take(size_t n, size_t size)
{
    void *p = base_alloc_zero(&mem, n ? n : 1, size, NULL);
    assert_non_null(p);
    return p;
}

/* ---- a batch on both sides ---- */

/* Maps of one level one behind the other: the level's floats, and its gradient's. */
typedef struct sides {
    const detect_level *level;
    int n_levels, nc, batch;
    size_t n[DETECT_MAX_LEVELS], at[DETECT_MAX_LEVELS], n_all, n_anchors;
    float *cpu, *gpu; /* (n_all) gradients, beginning as rubbish */
    detect_gradient gradient[DETECT_MAX_LEVELS];
    int32_t *index;
    float *weight;
    detect_loss *twin;
    detect_loss_value cpu_value, gpu_value;
} sides;

static void sides_make(sides *s, const detect_level *level, int n_levels, int nc, int batch)
{
    *s = (sides){.level = level, .n_levels = n_levels, .nc = nc, .batch = batch};
    s->n_anchors = detect_n_anchors(level, n_levels);
    for (int i = 0; i < n_levels; i++) {
        s->at[i] = s->n_all;
        s->n[i] = (size_t)(batch * level[i].h * level[i].w) * level[i].box_pitch;
        s->n_all += s->n[i];
    }
    s->cpu = take(s->n_all, sizeof(float));
    s->gpu = take(s->n_all, sizeof(float));
    s->index = take((size_t)batch * s->n_anchors, sizeof *s->index);
    s->weight = take((size_t)batch * s->n_anchors, sizeof *s->weight);
    for (size_t k = 0; k < s->n_all; k++)
        s->cpu[k] = s->gpu[k] = 1e9f;
    for (int i = 0; i < n_levels; i++)
        s->gradient[i] = (detect_gradient){.box = s->cpu + s->at[i],
                                           .cls = s->cpu + s->at[i] + DETECT_BOX_CHANNELS,
                                           .box_pitch = level[i].box_pitch,
                                           .cls_pitch = level[i].cls_pitch};
    const detect_loss_bounds b = {.most_batch = (size_t)batch,
                                  .most_anchors = s->n_anchors,
                                  .most_labels = MOST_LABELS,
                                  .n_threads = 1};
    assert_int_equal(detect_loss_create(&s->twin, &b, &mem, NULL), VG_OK);
}

static void sides_free(sides *s)
{
    detect_loss_destroy(&s->twin);
    base_free(s->cpu);
    base_free(s->gpu);
    base_free(s->index);
    base_free(s->weight);
}

static void run_gpu(sides *s, const detect_batch *b, float scale)
{
    vg_error err = {0};
    gpu_memory maps;
    gpu_loss *l = NULL;
    const detect_loss_bounds bounds = {.most_batch = (size_t)s->batch,
                                       .most_anchors = s->n_anchors,
                                       .most_labels = MOST_LABELS,
                                       .n_threads = 1};
    const gpu_host *host = device->host;
    void *driver = device->driver;
    /* Maps, then gradients. */
    ok(gpu_memory_take(&maps, device, 2 * s->n_all * sizeof(float), &device_mem, &err), &err);
    ok(gpu_loss_create(&l, device, &bounds, s->nc, &device_mem, &mem, &mem, &err), &err);
    gpu_loss_maps places = {.maps = &maps.block, .d_maps = &maps.block};
    for (int i = 0; i < s->n_levels; i++) {
        const int pitch = (int)s->level[i].box_pitch;
        const gpu_u64 at = s->at[i], d_at = s->n_all + at;
        places.level[i] = (gpu_loss_level){.box_at = at,
                                           .cls_at = at + DETECT_BOX_CHANNELS,
                                           .d_box_at = d_at,
                                           .d_cls_at = d_at + DETECT_BOX_CHANNELS,
                                           .box_pitch = pitch,
                                           .cls_pitch = pitch,
                                           .d_box_pitch = pitch,
                                           .d_cls_pitch = pitch};
        ok(host->upload(driver, &maps.block, at * sizeof(float), s->level[i].box,
                        s->n[i] * sizeof(float), &err),
           &err);
    }
    ok(host->upload(driver, &maps.block, s->n_all * sizeof(float), s->gpu, s->n_all * sizeof(float),
                    &err),
       &err);
    const size_t held = device_mem.in_use_bytes, before = mem.in_use_bytes;
    ok(gpu_loss_run(l, &places, b, &DETECT_LOSS_GAINS, scale, &err), &err);
    assert_int_equal(device_mem.in_use_bytes, held);
    assert_int_equal(mem.in_use_bytes, before);
    ok(host->download(driver, s->gpu, &maps.block, s->n_all * sizeof(float),
                      s->n_all * sizeof(float), &err),
       &err);
    ok(host->finish(driver, &err), &err);
    s->gpu_value = gpu_loss_value(l);
    ok(gpu_loss_targets(l, s->index, s->weight, &err), &err);
    gpu_loss_destroy(&l);
    gpu_memory_give(&maps, device);
}

static void run_both(sides *s, const detect_batch *b)
{
    assert_int_equal(
        detect_loss_run(s->twin, &s->cpu_value, s->gradient, b, &DETECT_LOSS_GAINS, NULL, NULL),
        VG_OK);
    run_gpu(s, b, 1);
}

static void assert_near(const char *what, double got, double want, double relative, double absolute)
{
    if (isnan(want) && isnan(got))
        return;
    if (!(fabs(got - want) <= absolute + lenience * relative * fabs(want)))
        fail_msg("%s: %.9g on the device, %.9g on the CPU", what, got, want);
}

static void assert_alike(const sides *s)
{
    const detect_loss_value *a = &s->gpu_value, *b = &s->cpu_value;
    assert_near("box", a->items[0], b->items[0], 1e-6, 1e-9);
    assert_near("cls", a->items[1], b->items[1], 1e-6, 1e-9);
    assert_near("dfl", a->items[2], b->items[2], 1e-6, 1e-9);
    assert_near("total", a->total, b->total, 1e-6, 1e-9);
    assert_near("scores", a->scores_sum, b->scores_sum, 1e-6, 1e-9);
    assert_int_equal(a->n_foreground, b->n_foreground);
    for (int i = 0; i < s->batch; i++) {
        const detect_targets t = detect_loss_targets(s->twin, i);
        for (size_t k = 0; k < s->n_anchors; k++) {
            const size_t at = (size_t)i * s->n_anchors + k;
            if (s->index[at] != t.truth_index[k])
                fail_msg("picture %d, anchor %zu: object %d on the device, %d on the CPU", i, k,
                         s->index[at], t.truth_index[k]);
            assert_near("weight", (double)s->weight[at], (double)t.weight[k], 1e-6, 1e-12);
        }
    }
    for (size_t k = 0; k < s->n_all; k++)
        assert_near("gradient", (double)s->gpu[k], (double)s->cpu[k], 1e-5, 1e-8);
}

/* ---- golden ---- */

/* With the CPU's tolerances, whatever the device knows. */
static void check_golden(const char *name)
{
    const double as_is = lenience;
    lenience = 1;
    golden_file *f = golden_open(name);
    const int nc = (int)strtol(golden_meta(f, "nc"), NULL, 10);
    const size_t n = golden_dim(f, "raw0", 0), channels = (size_t)(DETECT_BOX_CHANNELS + nc);
    detect_level level[TEST_LEVELS];
    float *data[TEST_LEVELS];
    for (int i = 0; i < TEST_LEVELS; i++) {
        char key[16];
        snprintf(key, sizeof key, "raw%d", i);
        const float *raw = golden_f32(f, key, NULL);
        detect_level *l = &level[i];
        *l = (detect_level){.box_pitch = channels,
                            .cls_pitch = channels,
                            .h = (int)golden_dim(f, key, 2),
                            .w = (int)golden_dim(f, key, 3),
                            .stride = (float)(8 << i)};
        const size_t pixels = (size_t)(l->h * l->w);
        data[i] = take(n * pixels * channels, sizeof(float));
        for (size_t e = 0; e < n * pixels * channels; e++) {
            const size_t b = e / (channels * pixels), c = e / pixels % channels, p = e % pixels;
            data[i][(b * pixels + p) * channels + c] = raw[e];
        }
        l->box = data[i];
        l->cls = data[i] + DETECT_BOX_CHANNELS;
    }
    const size_t n_labels = golden_dim(f, "targets", 0);
    detect_label *labels = take(n_labels, sizeof *labels);
    const float *t = golden_f32(f, "targets", NULL);
    for (size_t i = 0; i < n_labels; i++, t += 6)
        labels[i] = (detect_label){
            .picture = (int)t[0], .class_index = (int)t[1], .xywh_norm = {t[2], t[3], t[4], t[5]}};
    const detect_batch batch = {.levels = level,
                                .n_levels = TEST_LEVELS,
                                .nc = nc,
                                .batch = (int)n,
                                .labels = labels,
                                .n_labels = n_labels};
    sides s;
    sides_make(&s, level, TEST_LEVELS, nc, (int)n);
    run_gpu(&s, &batch, 1);

    const float *items = golden_f32(f, "loss_items", NULL);
    assert_near("box", s.gpu_value.items[0], (double)items[0], 1e-4, 0);
    assert_near("cls", s.gpu_value.items[1], (double)items[1], 1e-4, 0);
    assert_near("dfl", s.gpu_value.items[2], (double)items[2], 1e-4, 0);
    assert_near("total", s.gpu_value.total, (double)*golden_f32(f, "loss_total", NULL), 1e-4, 0);
    assert_near("scores", fmax(s.gpu_value.scores_sum, 1),
                (double)*golden_f32(f, "target_scores_sum", NULL), 1e-4, 0);
    const uint8_t *fg = golden_u8(f, "fg_mask", NULL);
    const int64_t *classes = golden_i64(f, "target_labels", NULL);
    const int64_t *index = golden_i64(f, "target_gt_idx", NULL);
    const float *scores = golden_f32(f, "target_scores", NULL);
    for (size_t at = 0; at < n * s.n_anchors; at++) {
        assert_int_equal(s.index[at] >= 0, fg[at]);
        if (fg[at])
            assert_int_equal(s.index[at], index[at]);
        const float want = fg[at] ? scores[at * (size_t)nc + (size_t)classes[at]] : 0;
        assert_near("weight", (double)s.weight[at], (double)want, 1e-4, 1e-9);
    }
    for (int i = 0; i < TEST_LEVELS; i++) {
        char key[16];
        snprintf(key, sizeof key, "grad%d", i);
        const float *want = golden_f32(f, key, NULL);
        const size_t pixels = (size_t)(level[i].h * level[i].w);
        for (size_t e = 0; e < s.n[i]; e++) {
            const size_t b = e / (channels * pixels), c = e / pixels % channels, p = e % pixels;
            assert_near("gradient", (double)s.gpu[s.at[i] + (b * pixels + p) * channels + c],
                        (double)want[e], 1e-3, 1e-5);
        }
    }
    sides_free(&s);
    base_free(labels);
    for (int i = 0; i < TEST_LEVELS; i++)
        base_free(data[i]);
    golden_close(f);
    lenience = as_is;
}

static void golden_losses_targets_and_gradients_are_met(void **state)
{
    (void)state;
    if (!device)
        skip();
    if (test_gpu_is_small())
        return;
    check_golden("loss_a_regular.safetensors");
    check_golden("loss_b_one_image_empty.safetensors");
    check_golden("loss_c_overlap.safetensors");
    check_golden("loss_d_no_objects.safetensors");
    check_golden("loss_e_tiny_boxes.safetensors");
}

/* ---- against the CPU ---- */

static size_t random_labels(detect_label *out, size_t n, int batch, int nc, uint64_t seed)
{
    test_random r = {seed};
    for (size_t i = 0; i < n; i++) {
        out[i].picture = (int)(random_u64(&r) % (uint64_t)batch);
        out[i].class_index = (int)(random_u64(&r) % (uint64_t)nc);
        for (int k = 0; k < 2; k++) {
            out[i].xywh_norm[k] = random_float(&r, 0, 1);
            out[i].xywh_norm[k + 2] = random_float(&r, 0, i % 3 == 0 ? 0.9f : 0.2f);
        }
    }
    return n;
}

static void compare(int batch, int h, int w, int nc, int gap, float least, float most,
                    const detect_label *labels, size_t n_labels, uint64_t seed)
{
    test_levels t;
    sides s;
    levels_make(&t, batch, h, w, nc, gap, least, most, seed, &mem);
    sides_make(&s, t.level, TEST_LEVELS, nc, batch);
    const detect_batch b = {.levels = t.level,
                            .n_levels = TEST_LEVELS,
                            .nc = nc,
                            .batch = batch,
                            .labels = labels,
                            .n_labels = n_labels};
    run_both(&s, &b);
    assert_alike(&s);
    sides_free(&s);
    levels_free(&t);
}

static void odd_sizes_classes_and_gaps_are_the_cpus(void **state)
{
    (void)state;
    static detect_label labels[MOST_LABELS];
    if (!device)
        skip();
    if (test_gpu_is_small()) {
        compare(2, 32, 64, 3, 1, -4, 4, labels, random_labels(labels, 3, 2, 3, 2), 5);
        return;
    }
    compare(3, 96, 160, 1, 0, -4, 4, labels, random_labels(labels, 11, 3, 1, 2), 5);
    compare(2, 64, 64, 80, 3, -6, 2, labels, random_labels(labels, 40, 2, 80, 3), 6);
    compare(1, 320, 224, 7, 5, -12, -3, labels, random_labels(labels, 60, 1, 7, 4), 7);
    compare(5, 32, 32, 300, 1, -4, 4, labels, random_labels(labels, 9, 5, 300, 5), 8);
}

static void pictures_without_objects_and_with_most_are_the_cpus(void **state)
{
    (void)state;
    static detect_label labels[MOST_LABELS];
    if (!device)
        skip();
    if (test_gpu_is_small()) {
        compare(1, 32, 32, 1, 0, -4, 4, NULL, 0, 9);
        return;
    }
    compare(2, 64, 96, 3, 0, -4, 4, NULL, 0, 9);
    random_labels(labels, MOST_LABELS, 3, 5, 10);
    for (int i = 0; i < MOST_LABELS; i++)
        labels[i].picture = 1; /* as many as planned; none before it, none behind it */
    compare(3, 128, 128, 5, 0, -4, 4, labels, MOST_LABELS, 11);
}

/* Equal logits everywhere: anchors whose place to the object is the same fit it equally. */
static void ties_go_to_the_first_as_on_the_cpu(void **state)
{
    (void)state;
    if (!device)
        skip();
    if (test_gpu_is_small())
        return;
    const detect_label labels[] = {
        {.picture = 0, .class_index = 2, .xywh_norm = {0.5f, 0.5f, 0.5f, 0.5f}},
        {.picture = 0, .class_index = 2, .xywh_norm = {0.5f, 0.5f, 0.5f, 0.5f}},
        {.picture = 0, .class_index = 1, .xywh_norm = {0.25f, 0.25f, 0.5f, 0.5f}},
        {.picture = 1, .class_index = 0, .xywh_norm = {0.5f, 0.5f, 1, 1}},
        {.picture = 1, .class_index = 3, .xywh_norm = {0.75f, 0.5f, 0.25f, 0.125f}},
    };
    test_levels t;
    sides s;
    levels_make(&t, 2, 128, 128, 4, 0, -1, 1, 4, &mem);
    for (int i = 0; i < TEST_LEVELS; i++)
        for (size_t k = 0; k < (size_t)(2 * t.level[i].h * t.level[i].w) * t.level[i].box_pitch;
             k++)
            t.data[i][k] = 0.25f;
    sides_make(&s, t.level, TEST_LEVELS, 4, 2);
    const detect_batch b = {.levels = t.level,
                            .n_levels = TEST_LEVELS,
                            .nc = 4,
                            .batch = 2,
                            .labels = labels,
                            .n_labels = 5};
    run_both(&s, &b);
    assert_alike(&s);
    assert_true(s.gpu_value.n_foreground > 20);
    for (size_t a = 0; a < s.n_anchors; a++)
        assert_true(s.index[a] != 1); /* the twin of the first gets nothing */
    sides_free(&s);
    levels_free(&t);
}

static void boxes_that_count_as_none_get_no_anchors(void **state)
{
    (void)state;
    if (!device)
        skip();
    const detect_label label = {
        .picture = 0, .class_index = 2, .xywh_norm = {-0.01f, 0, 0.9f, 0.9f}};
    compare(1, 64, 64, 5, 0, -1, 1, &label, 1, 4);
}

static void logits_that_are_no_numbers_end_as_on_the_cpu(void **state)
{
    (void)state;
    if (!device)
        skip();
    if (test_gpu_is_small())
        return;
    detect_label labels[8];
    test_levels t;
    sides s;
    levels_make(&t, 1, 64, 64, 5, 0, -100, 100, 4, &mem);
    for (int k = 0; k < 60; k++)
        t.data[0][k * 31] = k % 3 == 0 ? NAN : k % 3 == 1 ? INFINITY : -INFINITY;
    t.data[0][DETECT_BOX_CHANNELS] = NAN;
    sides_make(&s, t.level, TEST_LEVELS, 5, 1);
    const detect_batch b = {.levels = t.level,
                            .n_levels = TEST_LEVELS,
                            .nc = 5,
                            .batch = 1,
                            .labels = labels,
                            .n_labels = random_labels(labels, 8, 1, 5, 1)};
    run_both(&s, &b);
    for (size_t a = 0; a < s.n_anchors; a++)
        assert_int_equal(s.index[a], detect_loss_targets(s.twin, 0).truth_index[a]);
    assert_true(isnan(s.gpu_value.total) && isnan(s.cpu_value.total));
    sides_free(&s);
    levels_free(&t);
}

static void the_scale_multiplies_gradients_and_not_the_loss(void **state)
{
    (void)state;
    static detect_label labels[20];
    if (!device)
        skip();
    if (test_gpu_is_small())
        return;
    test_levels t;
    sides plain, scaled;
    levels_make(&t, 2, 64, 64, 5, 0, -4, 4, 4, &mem);
    sides_make(&plain, t.level, TEST_LEVELS, 5, 2);
    sides_make(&scaled, t.level, TEST_LEVELS, 5, 2);
    const detect_batch b = {.levels = t.level,
                            .n_levels = TEST_LEVELS,
                            .nc = 5,
                            .batch = 2,
                            .labels = labels,
                            .n_labels = random_labels(labels, 20, 2, 5, 1)};
    run_gpu(&plain, &b, 1);
    run_gpu(&scaled, &b, 1024);
    assert_memory_equal(&plain.gpu_value, &scaled.gpu_value, sizeof plain.gpu_value);
    for (size_t k = 0; k < plain.n_all; k++)
        assert_true(scaled.gpu[k] == 1024 * plain.gpu[k]);
    sides_free(&plain);
    sides_free(&scaled);
    levels_free(&t);
}

static void a_second_run_gives_the_same_bits(void **state)
{
    (void)state;
    static detect_label labels[60];
    if (!device)
        skip();
    if (test_gpu_is_small())
        return;
    test_levels t;
    sides one, two;
    levels_make(&t, 3, 128, 160, 20, 0, -4, 4, 4, &mem);
    sides_make(&one, t.level, TEST_LEVELS, 20, 3);
    sides_make(&two, t.level, TEST_LEVELS, 20, 3);
    const detect_batch b = {.levels = t.level,
                            .n_levels = TEST_LEVELS,
                            .nc = 20,
                            .batch = 3,
                            .labels = labels,
                            .n_labels = random_labels(labels, 60, 3, 20, 1)};
    run_gpu(&one, &b, 1);
    run_gpu(&two, &b, 1);
    assert_memory_equal(&one.gpu_value, &two.gpu_value, sizeof one.gpu_value);
    assert_memory_equal(one.gpu, two.gpu, one.n_all * sizeof *one.gpu);
    assert_memory_equal(one.weight, two.weight, 3 * one.n_anchors * sizeof *one.weight);
    sides_free(&one);
    sides_free(&two);
    levels_free(&t);
}

/* ---- bounds ---- */

static void what_was_not_planned_is_refused_before_anything_is_sent(void **state)
{
    (void)state;
    if (!device)
        skip();
    vg_error err = {0};
    gpu_loss *l = NULL;
    test_levels t;
    detect_label labels[3] = {
        {.picture = 0, .class_index = 0, .xywh_norm = {0.5f, 0.5f, 0.5f, 0.5f}},
        {.picture = 0, .class_index = 1, .xywh_norm = {0.5f, 0.5f, 0.5f, 0.5f}},
        {.picture = 0, .class_index = 2, .xywh_norm = {0.5f, 0.5f, 0.5f, 0.5f}}};
    levels_make(&t, 2, 64, 64, 3, 0, -1, 1, 4, &mem);
    detect_loss_bounds bounds = {
        .most_batch = 1, .most_anchors = t.n_anchors, .most_labels = 2, .n_threads = 1};
    size_t device_bytes, staging_bytes;
    assert_true(gpu_loss_bytes(&device_bytes, &staging_bytes, &bounds, 3));
    const size_t before = mem.in_use_bytes;
    ok(gpu_loss_create(&l, device, &bounds, 3, &device_mem, &mem, &mem, &err), &err);
    assert_int_equal(device_mem.in_use_bytes, device_bytes);
    const gpu_block none = {0};
    const gpu_loss_maps maps = {.maps = &none, .d_maps = &none};
    detect_batch b = {.levels = t.level,
                      .n_levels = TEST_LEVELS,
                      .nc = 3,
                      .batch = 2,
                      .labels = labels,
                      .n_labels = 1};
    assert_int_equal(gpu_loss_run(l, &maps, &b, &DETECT_LOSS_GAINS, 1, &err), VG_ERR_LIMIT);
    b.batch = 1;
    b.n_labels = 3;
    assert_int_equal(gpu_loss_run(l, &maps, &b, &DETECT_LOSS_GAINS, 1, &err), VG_ERR_LIMIT);
    assert_non_null(strstr(err.what, "more than 2 labels"));
    b.n_labels = 1;
    labels[0].class_index = 3;
    assert_int_equal(gpu_loss_run(l, &maps, &b, &DETECT_LOSS_GAINS, 1, &err), VG_ERR_ARGUMENT);
    labels[0] = (detect_label){.picture = 1};
    assert_int_equal(gpu_loss_run(l, &maps, &b, &DETECT_LOSS_GAINS, 1, &err), VG_ERR_ARGUMENT);
    gpu_loss_destroy(&l);
    assert_int_equal(mem.in_use_bytes, before);
    bounds.most_batch = 0;
    assert_int_equal(gpu_loss_create(&l, device, &bounds, 3, &device_mem, &mem, &mem, &err),
                     VG_ERR_ARGUMENT);
    bounds.most_batch = (size_t)1 << 16;
    assert_int_equal(gpu_loss_create(&l, device, &bounds, 3, &device_mem, &mem, &mem, &err),
                     VG_ERR_ARGUMENT);
    base_mem small;
    base_mem_init(&small, "small", NULL, device_bytes - 1);
    bounds.most_batch = 1;
    assert_int_equal(gpu_loss_create(&l, device, &bounds, 3, &small, &mem, &mem, &err),
                     VG_ERR_MEMORY);
    assert_null(l);
    levels_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_losses_targets_and_gradients_are_met),
        cmocka_unit_test(odd_sizes_classes_and_gaps_are_the_cpus),
        cmocka_unit_test(pictures_without_objects_and_with_most_are_the_cpus),
        cmocka_unit_test(ties_go_to_the_first_as_on_the_cpu),
        cmocka_unit_test(boxes_that_count_as_none_get_no_anchors),
        cmocka_unit_test(logits_that_are_no_numbers_end_as_on_the_cpu),
        cmocka_unit_test(the_scale_multiplies_gradients_and_not_the_loss),
        cmocka_unit_test(a_second_run_gives_the_same_bits),
        cmocka_unit_test(what_was_not_planned_is_refused_before_anything_is_sent)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
