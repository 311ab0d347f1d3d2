/* test_gpu_tasks.c: steps of training of every task on the device that VIGIL_TEST_DEVICE names
 * (opencl:0: PoCL's, where the tests' packages are installed) against the CPU's, whose own are the
 * golden ones (golden/tasks). */
#include "train/gpu_run.h"

enum { N = 2, SIDE = 64, MASK = SIDE / 4, KEYPOINTS = 17, LABELS = 6 };

static const train_optimizer_options sgd = {
    .kind = TRAIN_OPTIMIZER_SGD, .momentum = 0.9, .weight_decay = 5e-4};
/* So small that rounding does not decide where the next step goes. */
static const train_rates rates = {.lr = {1e-4, 1e-4, 1e-4}, .momentum = 0.9, .accumulate = 1};

typedef struct task_case {
    const char *model;
    const detect_loss_kind *kind;
    bool is_whole;
} task_case;

static int32_t index_maps[N * MASK * MASK];
static float keypoints[LABELS * KEYPOINTS * 3];

/* Three objects a picture, side by side; each seen where its box is. */
static void draw_labels(run *r, bool is_whole)
{
    static const float boxes[3][4] = {
        {0.3F, 0.3F, 0.4F, 0.35F}, {0.7F, 0.6F, 0.3F, 0.5F}, {0.4F, 0.75F, 0.5F, 0.3F}};
    r->n_labels = is_whole ? N : LABELS;
    memset(index_maps, 0, sizeof index_maps);
    for (int i = 0; i < (int)r->n_labels; i++) {
        const float *b = boxes[i % 3];
        detect_label *l = &r->labels[i];
        *l = (detect_label){.picture = is_whole ? i : i / 3,
                            .class_index = i % NC,
                            .xywh_norm = {b[0], b[1], b[2], b[3]},
                            .angle = 0.3F * (float)(i % 3)};
        for (int y = 0; y < MASK && !is_whole; y++)
            for (int x = 0; x < MASK; x++)
                if (fabsf(((float)x + 0.5F) / MASK - b[0]) < b[2] / 2 &&
                    fabsf(((float)y + 0.5F) / MASK - b[1]) < b[3] / 2)
                    index_maps[((i / 3) * MASK + y) * MASK + x] = i % 3 + 1;
        for (int k = 0; k < KEYPOINTS && !is_whole; k++) {
            float *at = keypoints + (i * KEYPOINTS + k) * 3;
            at[0] = b[0] + b[2] * ((float)(k % 5) / 5 - 0.4F);
            at[1] = b[1] + b[3] * ((float)(k % 4) / 4 - 0.4F);
            at[2] = (float)(k % 3);
        }
    }
}

static void begin(run *r, const task_case *c, nn_device *d, bool amp)
{
    test_random random = {7};
    *r = (run){.n = N, .h = SIDE, .w = SIDE, .model = c->model, .kind = c->kind};
    r->extras = (detect_extras){.keypoints = keypoints,
                                .n_keypoints = KEYPOINTS,
                                .keypoint_dims = 3,
                                .index_maps = index_maps,
                                .mask_h = MASK,
                                .mask_w = MASK};
    r->input = base_alloc(&mem, (size_t)N * SIDE * SIDE * 3 * sizeof *r->input, NULL);
    for (size_t i = 0; i < (size_t)N * SIDE * SIDE * 3; i++)
        r->input[i] = random_float(&random, 0, 1);
    draw_labels(r, c->is_whole);
    run_open(r, d, amp, &sgd);
}

static double norm_of_gradients(run *r)
{
    double sum = 0;
    for (size_t i = 0; i < r->n_params; i++)
        if (train_engine_has(&r->engine, TRAIN_SET_GRAD, i)) {
            const double norm =
                training_norm(run_read(r, TRAIN_SET_GRAD, i), r->params[i].info->n_elements);
            sum += norm * norm;
        }
    return sqrt(sum);
}

/* Each tensor's gradient, by its difference from the CPU's. */
static void compare_gradients(run *here, run *there)
{
    const double all = norm_of_gradients(here);
    for (size_t i = 0; i < here->n_params; i++) {
        static float of_here[MOST_ELEMENTS];
        const size_t n = here->params[i].info->n_elements;
        const char *key = here->params[i].info->key;
        if (!train_engine_has(&here->engine, TRAIN_SET_GRAD, i))
            continue;
        memcpy(of_here, run_read(here, TRAIN_SET_GRAD, i), n * sizeof *of_here);
        const float *of_there = run_read(there, TRAIN_SET_GRAD, i);
        double off = 0;
        for (size_t k = 0; k < n; k++)
            off += ((double)of_here[k] - (double)of_there[k]) *
                   ((double)of_here[k] - (double)of_there[k]);
        assert_near(sqrt(off), 0, 0, 2e-3 * training_norm(of_here, n) + 1e-6 * all, key);
    }
}

static void a_task_learns_there_what_it_learns_here(const task_case *c)
{
    static run here, there;
    double norm = 0;
    if (!device)
        skip();
    begin(&here, c, NULL, false);
    begin(&there, c, device, false);
    const detect_loss_value a = run_try(&here, NULL, NULL), b = run_try(&there, NULL, NULL);
    assert_int_equal(a.n_items, b.n_items);
    assert_true(a.total > 0);
    for (int i = 0; i < a.n_items; i++)
        assert_near(b.items[i], a.items[i], 1e-4, 1e-6, "a loss");
    compare_gradients(&here, &there);
    for (int step = 0; step < 3; step++) {
        const double want = run_step(&here, &rates, &norm).total,
                     got = run_step(&there, &rates, &norm).total;
        assert_near(got, want, 1e-3, 0, "the loss of a step");
    }
    run_close(&here);
    run_close(&there);
}

/* Prototypes are of 16 bits then, logits and heads are not. */
static void with_amp_losses_are_near(const task_case *c)
{
    static run whole, half;
    double norm = 0;
    if (!device)
        skip();
    begin(&whole, c, device, false);
    begin(&half, c, device, true);
    half.engine.scaler.scale = 1024;
    const double want = run_step(&whole, &rates, &norm).total;
    double of_half = 0;
    const double got = run_step(&half, &rates, &of_half).total;
    assert_near(got, want, 0.03, 0,
                "the loss with amp"); /* an anchor or two are assigned otherwise */
    assert_near(of_half, norm, 0.2, 0, "the gradient's norm with amp");
    run_close(&whole);
    run_close(&half);
}

static const task_case segment = {"yolo11n-seg", &DETECT_LOSS_MASKS, false},
                       pose = {"yolo11n-pose", &DETECT_LOSS_KEYPOINTS, false},
                       obb = {"yolo11n-obb", &DETECT_LOSS_ROTATED, false},
                       classify = {"yolo11n-cls", &DETECT_LOSS_CLASSES, true};

static void segment_learns(void **state)
{
    (void)state;
    a_task_learns_there_what_it_learns_here(&segment);
}

static void pose_learns(void **state)
{
    (void)state;
    a_task_learns_there_what_it_learns_here(&pose);
}

static void obb_learns(void **state)
{
    (void)state;
    a_task_learns_there_what_it_learns_here(&obb);
}

static void classify_learns(void **state)
{
    (void)state;
    a_task_learns_there_what_it_learns_here(&classify);
}

static void segment_and_classify_learn_with_amp(void **state)
{
    (void)state;
    with_amp_losses_are_near(&segment);
    with_amp_losses_are_near(&classify);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(segment_learns),
                                       cmocka_unit_test(pose_learns), cmocka_unit_test(obb_learns),
                                       cmocka_unit_test(classify_learns),
                                       cmocka_unit_test(segment_and_classify_learn_with_amp)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
