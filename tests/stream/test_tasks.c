/* test_tasks.c: predict jobs of models of every task, with the generator's weights: what is beside
 * boxes, what is written, and that nothing is taken after the warm-up. */
#include "stream/task_jobs.h"

#include <math.h>

enum { WARM = 6 };

static void look_at_mask(const vg_mask *m, const vg_detection *b, int grid_w, int grid_h)
{
    assert_int_equal(m->grid_width, grid_w);
    assert_int_equal(m->grid_height, grid_h);
    assert_true(m->x >= 0 && m->y >= 0 && m->x + m->width <= grid_w && m->y + m->height <= grid_h);
    for (size_t i = 0; i < m->n_points; i++)
        assert_true(m->outline[2 * i] >= 0 && m->outline[2 * i] <= W &&
                    m->outline[2 * i + 1] >= 0 && m->outline[2 * i + 1] <= H);
    if (m->n_points > 0) /* near its box: a sample of the prototypes reaches over it */
        assert_true(m->outline[0] > b->x1 - 8 && m->outline[0] < b->x2 + 8);
}

static size_t look(const vg_predict_result *r, bool is_retina)
{
    const vg_extras *e = &r->extras;
    for (size_t i = 0; i < r->n_detections; i++) {
        const vg_detection *b = &r->detections[i];
        if (e->masks)
            look_at_mask(&e->masks[i], b, is_retina ? W : r->input_width,
                         is_retina ? H : r->input_height);
        for (size_t k = 0; k < e->n_keypoints; k++) {
            const vg_keypoint *p = &e->keypoints[i * e->n_keypoints + k];
            assert_true(p->x >= 0 && p->x <= W && p->y >= 0 && p->y <= H);
            assert_true(p->visibility >= 0.5F || (p->x == 0 && p->y == 0));
        }
        if (e->rotated) {
            const vg_rotated *t = &e->rotated[i];
            assert_true(t->x >= b->x1 && t->x <= b->x2 && t->y >= b->y1 && t->y <= b->y2);
            assert_true(t->angle >= 0 && t->angle < 3.1416F);
        }
    }
    for (size_t i = 1; i < e->n_top; i++)
        assert_true(e->top[i].confidence <= e->top[i - 1].confidence);
    for (size_t i = 0; i < e->n_top; i++)
        assert_true(e->probabilities[e->top[i].class_index] == e->top[i].confidence);
    double sum = 0;
    for (size_t i = 0; i < e->n_probabilities; i++)
        sum += (double)e->probabilities[i];
    assert_true(fabs(sum - (e->n_top > 0)) < 1e-5);
    assert_int_equal(e->n_probabilities, e->n_top > 0 ? classify.nc : 0);
    return r->n_detections + e->n_top;
}

static uint64_t allocations(const job *j)
{
    uint64_t n = 0;
    for (int i = 0; i < STREAM_N_ACCOUNTS; i++)
        n += j->mem.owner[i].n_allocs;
    return n;
}

static void run(job *j, const model *m, bool is_retina, const char *words)
{
    char path[512];
    uint64_t n_allocs = 0;
    size_t n_found = 0, n = 0, held = 0;
    make_weights(j, m);
    j->o.retina_masks = is_retina;
    job_start(j);
    for (const vg_predict_result *r; (r = job_next(j)) != NULL; n++) {
        assert_int_equal(r->status, VG_OK);
        n_found += look(r, is_retina);
        if (n != WARM)
            continue;
        n_allocs = allocations(j);
        held = j->mem.root.in_use_bytes;
    }
    assert_int_equal(n, N_PICTURES);
    assert_true(n_found > N_PICTURES);
    assert_int_equal(allocations(j), n_allocs);
    assert_int_equal(j->mem.root.in_use_bytes, held);
    static const int owners[] = {STREAM_DETECTIONS, STREAM_OUTPUT, STREAM_FRAMES};
    for (size_t i = 0; i < sizeof owners / sizeof *owners;
         i++) /* zlib's own part of a PNG's varies */
        assert_true(j->mem.owner[owners[i]].in_use_bytes <= j->mem.planned_bytes[owners[i]] + 8192);
    job_end(j);
    snprintf(path, sizeof path, "%s/exp/predictions.jsonl", j->project);
    char line[4096] = "";
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    bool any = false;
    while (fgets(line, sizeof line, f))
        any = any || strstr(line, words) != NULL;
    fclose(f);
    assert_true(any);
}

static void segment_has_masks(void **state)
{
    run(*state, &segment, false, "\"segments\": {\"x\": [");
}

static void retina_masks_are_in_pixels_of_the_picture(void **state)
{
    run(*state, &segment, true, "\"segments\": {\"x\": [");
}

static void pose_has_keypoints(void **state)
{
    run(*state, &pose, false, "\"keypoints\": {\"x\": [");
}

static void obb_has_turned_boxes(void **state)
{
    run(*state, &obb, false, "\"xywhr\": [");
}

static void classify_has_the_best_classes(void **state)
{
    run(*state, &classify, false, "\"boxes\": [], \"top\": [{\"class\": ");
}

static void what_a_task_does_not_have_is_refused(void **state)
{
    job *j = *state;
    make_weights(j, &obb);
    j->o.save_crop = true;
    assert_int_equal(stream_predict_open(&j->p, &j->o, &j->mem, &j->err), VG_ERR_UNSUPPORTED);
    assert_non_null(strstr(j->err.what, "obb"));
    j->o.save_crop = false;
    j->o.retina_masks = true;
    assert_int_equal(stream_predict_open(&j->p, &j->o, &j->mem, &j->err), VG_ERR_UNSUPPORTED);
    assert_non_null(strstr(j->err.where, "retina_masks"));
    j->o.retina_masks = false;
    j->o.detector.augment = true;
    assert_int_equal(stream_predict_open(&j->p, &j->o, &j->mem, &j->err), VG_ERR_UNSUPPORTED);
    assert_non_null(strstr(j->err.where, "augment"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, job_set_up, job_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(segment_has_masks),
        TEST(retina_masks_are_in_pixels_of_the_picture),
        TEST(pose_has_keypoints),
        TEST(obb_has_turned_boxes),
        TEST(classify_has_the_best_classes),
        TEST(what_a_task_does_not_have_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
