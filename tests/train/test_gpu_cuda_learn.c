/* test_gpu_cuda_learn.c: loss and optimizer through the CUDA host, against the stand-in for
 * NVIDIA's driver (support/fake_cuda.c): order, places and sizes of all calls, and each of them
 * failing once.
 */
#include "support/test.h"

#include "support/fake_cuda.h"
#include "train/gpu/loss.h"
#include "train/gpu/optimizer.h"

enum { NC = 3, BATCH = 2, FLOATS = 20000, MOVED = 9000, STATISTICS = 10 };

static base_mem mem;
static fake_cuda *fake;

static int setup(void **state)
{
    fake_cuda *(*ask)(void) = NULL;
    void *library = NULL;
    vg_error err = {0};
    (void)state;
    base_mem_init(&mem, "test", NULL, 0);
    if (base_library_open(&library, "libcuda.so.1", "the test", "", &err) != VG_OK ||
        base_library_find(&ask, library, "fake_cuda_state", &err) != VG_OK)
        fail_msg("not the stand-in: %s", err.what);
    fake = ask();
    return 0;
}

static bool is_built(void)
{
    return nn_devices_lack()[0] == '\0';
}

static void assert_clean(void)
{
    if (fake->n_mistakes > 0)
        fail_msg("%d mistakes, first: %s", fake->n_mistakes, fake->mistake);
    assert_int_equal(fake->n_contexts, 0);
    assert_int_equal(fake->n_blocks, 0);
    assert_int_equal(fake->bytes, 0);
    assert_int_equal(mem.in_use_bytes, 0);
}

/* A batch with objects, one without, and a step. */
static vg_status use(int *n_done, vg_error *err)
{
    static const detect_label labels[] = {
        {.picture = 1, .class_index = 2, .xywh_norm = {0.5f, 0.5f, 0.5f, 0.5f}},
        {.picture = 0, .class_index = 0, .xywh_norm = {0.25f, 0.5f, 0.25f, 0.5f}}};
    const detect_level levels[] = {
        {.h = 4, .w = 8, .stride = 8, .box_pitch = 67, .cls_pitch = 67},
        {.h = 2, .w = 4, .stride = 16, .box_pitch = 67, .cls_pitch = 67}};
    const detect_loss_bounds bounds = {
        .most_batch = BATCH, .most_anchors = 40, .most_labels = 5, .n_threads = 1};
    const gpu_tensor tensors[] = {{.n = MOVED, .group = TRAIN_GROUP_WEIGHT},
                                  {.value_at = MOVED, .n = STATISTICS, .group = TRAIN_GROUP_NONE}};
    nn_device *d = NULL;
    gpu_memory maps = {0}, values = {0}, grads = {0};
    gpu_loss *loss = NULL;
    gpu_optimizer *optimizer = NULL;
    *n_done = 0;
    vg_status st = nn_device_open(&d, "cuda:0", &mem, err);
    if (st == VG_OK)
        st = gpu_memory_take(&maps, d, FLOATS * sizeof(float), &mem, err);
    if (st == VG_OK)
        st = gpu_memory_take(&values, d, (MOVED + STATISTICS) * sizeof(float), &mem, err);
    if (st == VG_OK)
        st = gpu_memory_take(&grads, d, MOVED * sizeof(float), &mem, err);
    if (st == VG_OK)
        st = gpu_loss_create(&loss, d, &bounds, NC, &mem, &mem, &mem, err);
    if (st == VG_OK)
        st = gpu_optimizer_create(&optimizer, d, tensors, 2, TRAIN_OPTIMIZER_ADAMW, &mem, &mem,
                                  &mem, err);
    if (st == VG_OK)
        st = gpu_optimizer_start(optimizer, &values.block, err);
    gpu_loss_maps places = {.maps = &maps.block, .d_maps = &maps.block};
    for (int i = 0; i < 2; i++) {
        const gpu_u64 at = i == 0 ? 0 : 2 * 32 * 67, d_at = at + FLOATS / 2;
        places.level[i] = (gpu_loss_level){.box_at = at,
                                           .cls_at = at + 64,
                                           .d_box_at = d_at,
                                           .d_cls_at = d_at + 64,
                                           .box_pitch = 67,
                                           .cls_pitch = 67,
                                           .d_box_pitch = 67,
                                           .d_cls_pitch = 67};
    }
    for (int i = 0; i < 2 && st == VG_OK; i++) {
        const detect_batch b = {.levels = levels,
                                .n_levels = 2,
                                .nc = NC,
                                .batch = BATCH,
                                .labels = labels,
                                .n_labels = i == 0 ? 2 : 0};
        st = gpu_loss_run(loss, &places, &b, &DETECT_LOSS_GAINS, 1, err);
        if (st == VG_OK)
            st = d->host->finish(d->driver, err);
        *n_done += st == VG_OK;
    }
    if (st == VG_OK)
        st = gpu_optimizer_step(optimizer, &values.block, &grads.block,
                                &(gpu_step){.unscale = 1, .decay = 0.5}, err);
    if (st == VG_OK)
        st = d->host->finish(d->driver, err);
    if (st == VG_OK) {
        ++*n_done;
        assert_false(fake->is_pending);
        size_t loss_bytes, staging_bytes, state_bytes, average_bytes;
        gpu_loss_bytes(&loss_bytes, &staging_bytes, &bounds, NC);
        gpu_optimizer_bytes(&state_bytes, &average_bytes, tensors, 2, TRAIN_OPTIMIZER_ADAMW);
        assert_int_equal(fake->bytes, loss_bytes + state_bytes + average_bytes +
                                          (FLOATS + 2 * MOVED + STATISTICS) * sizeof(float));
    }
    gpu_optimizer_destroy(&optimizer);
    gpu_loss_destroy(&loss);
    gpu_memory_give(&grads, d);
    gpu_memory_give(&values, d);
    gpu_memory_give(&maps, d);
    nn_device_close(&d);
    return st;
}

static void every_call_is_in_order_and_within_its_blocks(void **state)
{
    (void)state;
    vg_error err = {0};
    int n_done = 0;
    if (!is_built())
        skip();
    fake->n_launches = 0;
    if (use(&n_done, &err) != VG_OK)
        fail_msg("%s", err.what);
    assert_int_equal(n_done, 3);
    /* Clears 2, the average's start with one 2; the losses 8 and, without objects, 5; a step 4. */
    assert_int_equal(fake->n_launches, 2 + 2 + 8 + 5 + 4);
    assert_clean();
}

static void every_call_may_fail_and_all_is_given_back(void **state)
{
    (void)state;
    int n_done = 0, n_failed = 0;
    if (!is_built())
        skip();
    for (int64_t k = 1;; k++) {
        vg_error err = {0};
        fake->fail_at = k;
        fake->fail_with = k % 2 ? 2 : 719; /* out of memory, or a kernel that failed */
        const vg_status st = use(&n_done, &err);
        const bool was_reached = fake->fail_at == 0;
        fake->fail_at = 0;
        assert_clean();
        if (!was_reached) {
            assert_int_equal(st, VG_OK);
            break;
        }
        if (st == VG_OK)
            continue; /* a fact that is only shown, or on the way out */
        n_failed++;
        assert_true(err.what[0] != '\0' && err.mend[0] != '\0');
    }
    assert_true(n_failed > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_is_in_order_and_within_its_blocks),
        cmocka_unit_test(every_call_may_fail_and_all_is_given_back)};
    return cmocka_run_group_tests(tests, setup, NULL);
}
