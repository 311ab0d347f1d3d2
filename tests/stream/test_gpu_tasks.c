/* test_gpu_tasks.c: models of every task on a device: what they find is what the CPU finds. */
#include "stream/task_jobs.h"

#include <math.h>

#include "support/gpu.h"

/* Both round their sums in another order. */
#define CLOSE 0.02 /* pixels, also of the longer sides of what was 96 pixels wide */

typedef struct found {
    size_t n, n_points, n_keypoints, n_top;
    vg_detection boxes[50];
    vg_keypoint keypoints[50 * 17];
    vg_rotated rotated[50];
    size_t n_bits[50]; /* of masks */
    vg_class_score top[5];
    bool has_masks, has_rotated;
} found;

static void assert_close(double a, double b, double tolerance)
{
    if (!(fabs(a - b) <= tolerance))
        fail_msg("%.9g and %.9g", a, b);
}

static size_t count_bits(const vg_mask *m)
{
    size_t n = 0;
    for (int y = 0; y < m->height; y++)
        for (size_t i = 0; i < m->row_bytes; i++)
            n += (size_t)__builtin_popcount(m->bits[(size_t)y * m->row_bytes + i]);
    return n;
}

static void keep(found *f, const vg_predict_result *r)
{
    const vg_extras *e = &r->extras;
    *f = (found){.n = r->n_detections, .n_keypoints = e->n_keypoints, .n_top = e->n_top};
    f->has_masks = e->masks != NULL;
    f->has_rotated = e->rotated != NULL;
    assert_true(f->n <= 50 && e->n_keypoints <= 17 && e->n_top <= 5);
    for (size_t i = 0; i < f->n; i++) {
        f->boxes[i] = r->detections[i];
        if (e->masks)
            f->n_bits[i] = count_bits(&e->masks[i]);
        if (e->rotated)
            f->rotated[i] = e->rotated[i];
    }
    for (size_t i = 0; i < f->n * f->n_keypoints; i++)
        f->keypoints[i] = e->keypoints[i];
    for (size_t i = 0; i < f->n_top; i++)
        f->top[i] = e->top[i];
}

static void assert_alike(const found *a, const found *b)
{
    assert_int_equal(a->n, b->n);
    assert_int_equal(a->n_top, b->n_top);
    assert_int_equal(a->has_masks, b->has_masks);
    for (size_t i = 0; i < a->n; i++) {
        const vg_detection *x = &a->boxes[i], *y = &b->boxes[i];
        assert_int_equal(x->class_index, y->class_index);
        assert_close(x->x1, y->x1, CLOSE);
        assert_close(x->y2, y->y2, CLOSE);
        assert_close(x->confidence, y->confidence, 1e-5);
        if (a->has_masks) /* a pixel or two lie on the threshold */
            assert_close((double)a->n_bits[i], (double)b->n_bits[i], 3);
        if (a->has_rotated)
            assert_close(a->rotated[i].angle, b->rotated[i].angle, 1e-4);
    }
    for (size_t i = 0; i < a->n * a->n_keypoints; i++) {
        assert_close(a->keypoints[i].x, b->keypoints[i].x, CLOSE);
        assert_close(a->keypoints[i].visibility, b->keypoints[i].visibility, 1e-5);
    }
    for (size_t i = 0; i < a->n_top; i++) {
        assert_int_equal(a->top[i].class_index, b->top[i].class_index);
        assert_close(a->top[i].confidence, b->top[i].confidence, 1e-5);
    }
}

static const char *device_name(void)
{
    const char *name = getenv("VIGIL_TEST_DEVICE");
    return name ? name : "opencl:0";
}

static bool is_there(void)
{
    base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};
    nn_device *d;
    if (!test_gpu_open(&d, &mem))
        return false;
    nn_device_close(&d);
    return true;
}

static void collect(found out[N_PICTURES], job *j, const char *device, const char *run)
{
    const vg_predict_result *r;
    size_t n = 0;
    j->o.detector.device = device;
    j->o.name = run;
    job_start(j);
    for (; (r = job_next(j)) != NULL; n++) {
        assert_int_equal(r->status, VG_OK);
        keep(&out[n], r);
    }
    assert_int_equal(n, N_PICTURES);
    job_end(j);
}

static void a_task_finds_on_a_device_what_it_finds_here(job *j, const model *m)
{
    static found here[N_PICTURES], there[N_PICTURES];
    size_t n = 0;
    if (!is_there())
        skip();
    make_weights(j, m);
    j->o.save = j->o.save_txt = j->o.save_json = false;
    collect(here, j, "cpu", "here");
    collect(there, j, device_name(), "there");
    for (size_t i = 0; i < N_PICTURES; i++) {
        assert_alike(&here[i], &there[i]);
        n += here[i].n + here[i].n_top;
    }
    assert_true(n > N_PICTURES);
}

/* The driver's own threads stay. */
static int tear_down(void **state)
{
    job *j = *state;
    stream_predict_close(&j->p, NULL);
    const bool left = j->mem.root.in_use_bytes != 0;
    folder_remove(j->folder);
    free(j);
    return left ? -1 : 0;
}

static void segment_is_the_same(void **state)
{
    a_task_finds_on_a_device_what_it_finds_here(*state, &segment);
}

static void pose_is_the_same(void **state)
{
    a_task_finds_on_a_device_what_it_finds_here(*state, &pose);
}

static void obb_is_the_same(void **state)
{
    a_task_finds_on_a_device_what_it_finds_here(*state, &obb);
}

static void classify_is_the_same(void **state)
{
    a_task_finds_on_a_device_what_it_finds_here(*state, &classify);
}

/* Logits and prototypes are floats; what is before them is not. */
static void numbers_of_16_bits_are_close(void **state)
{
    static found here[N_PICTURES], there[N_PICTURES];
    job *j = *state;
    if (!is_there())
        skip();
    make_weights(j, &classify);
    j->o.save = j->o.save_txt = j->o.save_json = false;
    collect(here, j, device_name(), "here");
    j->o.detector.half = true;
    collect(there, j, device_name(), "there");
    float most = 0;
    for (size_t i = 0; i < N_PICTURES; i++) {
        assert_int_equal(here[i].top[0].class_index, there[i].top[0].class_index);
        most = fmaxf(most, fabsf(here[i].top[0].confidence - there[i].top[0].confidence));
    }
    assert_true(most > 0 && most < 0.01F);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, job_set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(segment_is_the_same), TEST(pose_is_the_same),
                                       TEST(obb_is_the_same), TEST(classify_is_the_same),
                                       TEST(numbers_of_16_bits_are_close)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
