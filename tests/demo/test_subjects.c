/* What the demo draws for each task: labels lie on what was drawn, the same seed draws the same
 * bits, and no label file or number is out of bounds. */
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "demo/demo.h"
#include "demo/figure.h"
#include "polygon.h"
#include "task/task.h"

enum { W = 240, H = 180, PICTURES = 10, FIELDS_MAX = 1 + 2 * DEMO_OUTLINE_POINTS };

static base_mem mem = {.tag = "test"};
static demo_sheet sheet;

static int tear_down(void **state)
{
    (void)state;
    demo_sheet_fini(&sheet);
    return mem.in_use_bytes == 0 ? 0 : -1;
}

static const demo_subject *draw(vg_task id, uint64_t seed, uint64_t number)
{
    vg_error err;
    const demo_subject *s = demo_subjects[id];
    sheet.rows.length = 0;
    sheet.n_objects = 0;
    assert_int_equal(s->draw(&sheet, seed, number, W, H, &mem, &err), VG_OK);
    assert_true(sheet.picture.view.w == W && sheet.picture.view.h == H);
    return s;
}

/* ---- rows ---- */

typedef struct row {
    float fields[FIELDS_MAX]; /* the class first */
    int n;
    demo_spot points[DEMO_OUTLINE_POINTS]; /* all but the class, in fine pixels */
    int n_points;
} row;

/* The next row of the label text at *at; false at its end. */
static bool next_row(row *r, const char **at)
{
    const demo_canvas *c = &sheet.canvas;
    r->n = r->n_points = 0;
    if (sheet.rows.length == 0 || **at == '\0')
        return false;
    for (char *end; **at != '\n'; *at = end) {
        assert_true(r->n < FIELDS_MAX);
        r->fields[r->n++] = strtof(*at, &end);
        assert_true(end != *at);
    }
    ++*at;
    for (int i = 1; i + 1 < r->n && r->n_points < DEMO_OUTLINE_POINTS; i += 2)
        r->points[r->n_points++] = (demo_spot){r->fields[i] * (float)c->fine.view.w,
                                               r->fields[i + 1] * (float)c->fine.view.h};
    return true;
}

/* Pixels that a polygon holds, by item, and how many pixels of `item` it does not hold. */
static size_t count_inside(size_t counts[DEMO_ITEMS_MAX], const demo_spot *p, int n)
{
    const demo_canvas *c = &sheet.canvas;
    size_t all = 0;
    memset(counts, 0, DEMO_ITEMS_MAX * sizeof *counts);
    for (int y = 0; y < c->fine.view.h; y++)
        for (int x = 0; x < c->fine.view.w; x++)
            if (polygon_holds(p, n, (float)x + 0.5f, (float)y + 0.5f)) {
                counts[demo_item_at(c, x, y)]++;
                all++;
            }
    return all;
}

static int most_of(const size_t counts[DEMO_ITEMS_MAX])
{
    int most = 1;
    for (int i = 2; i < DEMO_ITEMS_MAX; i++)
        if (counts[i] > counts[most])
            most = i;
    return most;
}

/* ---- the tasks ---- */

static void a_mask_is_what_is_seen_of_a_product(void **state)
{
    (void)state;
    static row r;
    static size_t counts[DEMO_ITEMS_MAX];
    bool is_taken[DEMO_ITEMS_MAX];
    size_t n = 0, n_of[16] = {0};
    for (uint64_t i = 0; i < PICTURES; i++) {
        const demo_subject *s = draw(VG_TASK_SEGMENT, 3, i);
        const char *at = sheet.rows.text;
        memset(is_taken, 0, sizeof is_taken);
        size_t n_rows = 0;
        while (next_row(&r, &at)) {
            assert_true(r.n >= 7 && r.n % 2 == 1);
            assert_true(r.fields[0] >= 0 && r.fields[0] < (float)s->n_classes);
            n_of[(int)r.fields[0]]++;
            for (int k = 1; k < r.n; k++)
                assert_true(r.fields[k] >= 0 && r.fields[k] <= 1);
            const size_t all = count_inside(counts, r.points, r.n_points);
            const int item = most_of(counts);
            const size_t both = counts[item],
                         either = all + sheet.canvas.extents[item].n_seen - both;
            assert_false(is_taken[item]);
            is_taken[item] = true;
            assert_true(both * 100 >= either * 90);
            n_rows++;
        }
        assert_int_equal(n_rows, sheet.n_objects);
        n += n_rows;
    }
    assert_true(n >= 40);
    for (int k = 0; k < demo_subjects[VG_TASK_SEGMENT]->n_classes; k++)
        assert_true(n_of[k] > 0);
}

/* Limbs that have a joint, by their side: left ones are even from DEMO_LEFT_FLANK on. */
static bool has_joint(demo_limb limb, demo_joint joint)
{
    if (joint <= DEMO_RIGHT_EAR)
        return limb == DEMO_HEAD;
    if (limb == DEMO_TRUNK)
        return joint == DEMO_LEFT_HIP || joint == DEMO_RIGHT_HIP;
    const bool left = (joint - DEMO_LEFT_SHOULDER) % 2 == 0;
    return limb >= DEMO_LEFT_FLANK && ((limb - DEMO_LEFT_FLANK) % 2 == 0) == left;
}

static void seen_keypoints_lie_on_their_own_limbs(void **state)
{
    (void)state;
    static row r;
    size_t n_seen = 0, n_hidden = 0, n_outside = 0, n_faces = 0;
    for (uint64_t i = 0; i < 2 * PICTURES; i++) {
        draw(VG_TASK_POSE, 3, i);
        const demo_canvas *c = &sheet.canvas;
        const float w = (float)c->fine.view.w, h = (float)c->fine.view.h;
        const char *at = sheet.rows.text;
        while (next_row(&r, &at)) {
            assert_int_equal(r.n, 5 + 3 * DEMO_N_JOINTS);
            const float x1 = (r.fields[1] - r.fields[3] / 2) * w - 1,
                        x2 = (r.fields[1] + r.fields[3] / 2) * w + 1,
                        y1 = (r.fields[2] - r.fields[4] / 2) * h - 1,
                        y2 = (r.fields[2] + r.fields[4] / 2) * h + 1;
            int figure = -1;
            assert_true(x1 >= -2 && y1 >= -2 && x2 <= w + 2 && y2 <= h + 2);
            for (int j = 0; j < DEMO_N_JOINTS; j++) {
                const float *k = r.fields + 5 + 3 * j, x = k[0] * w, y = k[1] * h;
                if (k[2] <= 0) {
                    assert_true(k[0] <= 0 && k[1] <= 0);
                    n_outside++;
                    continue;
                }
                assert_true(k[0] >= 0 && k[0] <= 1 && k[1] >= 0 && k[1] <= 1);
                if (k[2] < 1.5f) {
                    n_hidden++;
                    continue;
                }
                /* Five decimals move a point by less than a tenth of a pixel. */
                const int item = demo_item_at(c, (int)(x + 0.01f), (int)(y + 0.01f)) - 1;
                assert_true(item >= 0);
                if (figure < 0)
                    figure = item / DEMO_N_LIMBS;
                assert_int_equal(item / DEMO_N_LIMBS, figure);
                assert_true(has_joint((demo_limb)(item % DEMO_N_LIMBS), (demo_joint)j));
                assert_true(x >= x1 && x <= x2 && y >= y1 && y <= y2);
                n_seen++;
            }
            /* Who shows both eyes looks at us: what is left of him is right of the picture. */
            const float *left = r.fields + 5 + 3 * DEMO_LEFT_EYE,
                        *right = r.fields + 5 + 3 * DEMO_RIGHT_EYE;
            if (left[2] > 1.5f && right[2] > 1.5f) {
                assert_true(left[0] > right[0]);
                n_faces++;
            }
        }
    }
    assert_true(n_seen > 150 && n_hidden > 20 && n_outside > 0 && n_faces > 5);
}

static void a_turned_rectangle_is_the_top_of_a_parcel(void **state)
{
    (void)state;
    static row r;
    static size_t counts[DEMO_ITEMS_MAX];
    size_t n = 0, n_of[16] = {0}, n_turned = 0;
    for (uint64_t i = 0; i < PICTURES; i++) {
        const demo_subject *s = draw(VG_TASK_OBB, 3, i);
        const char *at = sheet.rows.text;
        while (next_row(&r, &at)) {
            assert_int_equal(r.n, 9);
            assert_true(r.fields[0] >= 0 && r.fields[0] < (float)s->n_classes);
            n_of[(int)r.fields[0]]++;
            const demo_spot *p = r.points;
            /* Opposite sides are alike, neighbours at right angles. */
            const float ax = p[1].x - p[0].x, ay = p[1].y - p[0].y;
            const float bx = p[2].x - p[1].x, by = p[2].y - p[1].y;
            const float la = hypotf(ax, ay), lb = hypotf(bx, by);
            assert_true(fabsf(ax * bx + ay * by) < 0.01f * la * lb);
            assert_true(fabsf(p[3].x - p[0].x - bx) < 0.1f && fabsf(p[3].y - p[0].y - by) < 0.1f);
            assert_true(la > 8 && lb > 8 && la < W * DEMO_FINE && lb < W * DEMO_FINE);
            n_turned += fminf(fabsf(ax), fabsf(ay)) > 0.2f * la;
            const size_t all = count_inside(counts, p, 4);
            const int item = most_of(counts);
            /* A bar may hide some of it, and nothing of it is outside. */
            assert_true(counts[item] * 100 >= (all - counts[0]) * 99);
            assert_true(counts[item] * 100 >= sheet.canvas.extents[item].n_seen * 98);
            assert_true(counts[item] * 100 >= all * 45);
            n++;
        }
    }
    assert_true(n >= 20 && n_turned > n / 3);
    for (int k = 0; k < demo_subjects[VG_TASK_OBB]->n_classes; k++)
        assert_true(n_of[k] > 0);
}

static void a_picture_of_a_class_is_full_of_one_thing(void **state)
{
    (void)state;
    const demo_subject *s = demo_subjects[VG_TASK_CLASSIFY];
    const float pixels = W * H * DEMO_FINE * DEMO_FINE;
    for (uint64_t i = 0; i < 2 * (uint64_t)s->n_classes; i++) {
        draw(VG_TASK_CLASSIFY, 3, i);
        assert_int_equal(sheet.class_index, i % (uint64_t)s->n_classes);
        assert_int_equal(sheet.n_objects, 1);
        const float share = (float)sheet.canvas.extents[1].n_seen / pixels;
        assert_true(share > 0.03f && share < 0.8f);
    }
    for (int i = 1; i < s->n_classes; i++) /* as folders are sorted */
        assert_true(strcmp(s->class_names[i - 1], s->class_names[i]) < 0);
}

static uint64_t bits(void)
{
    const image_view *v = &sheet.picture.view;
    uint64_t h = BASE_HASH_START;
    for (int y = 0; y < v->h; y++)
        h = base_hash(h, v->data + (size_t)y * v->stride, 3 * (size_t)v->w);
    return base_hash(h, sheet.rows.text, sheet.rows.length);
}

static void a_seed_draws_the_same_bits_and_another_others(void **state)
{
    (void)state;
    for (int t = 0; t < VG_N_TASKS; t++) {
        draw((vg_task)t, 5, 1);
        const uint64_t first = bits();
        draw((vg_task)t, 5, 2);
        assert_true(bits() != first);
        draw((vg_task)t, 6, 1);
        assert_true(bits() != first);
        draw((vg_task)t, 5, 1);
        assert_true(bits() == first);
    }
}

static void every_task_has_a_subject(void **state)
{
    (void)state;
    for (int t = 0; t < VG_N_TASKS; t++) {
        const demo_subject *s = demo_subjects[t];
        const vg_demo_subject *a = &s->about;
        assert_string_equal(a->task, task_of((vg_task)t)->name);
        assert_non_null(a->pictures);
        assert_non_null(a->object);
        assert_non_null(strstr(a->model, task_of((vg_task)t)->suffix));
        assert_non_null(a->goals[0].number);
        for (const vg_demo_goal *g = a->goals; g->number != NULL; g++) {
            bool is_told = false;
            for (int k = 0; k < task_of((vg_task)t)->n_metrics; k++)
                is_told |= strcmp(task_of((vg_task)t)->metrics[k], g->number) == 0;
            assert_true(is_told);
        }
        assert_true(a->n_train > 0 && a->n_val > 0 && a->epochs > 0);
        assert_true(a->imgsz >= 32 && a->imgsz % 32 == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_mask_is_what_is_seen_of_a_product, tear_down),
        cmocka_unit_test_teardown(seen_keypoints_lie_on_their_own_limbs, tear_down),
        cmocka_unit_test_teardown(a_turned_rectangle_is_the_top_of_a_parcel, tear_down),
        cmocka_unit_test_teardown(a_picture_of_a_class_is_full_of_one_thing, tear_down),
        cmocka_unit_test_teardown(a_seed_draws_the_same_bits_and_another_others, tear_down),
        cmocka_unit_test(every_task_has_a_subject),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
