/* The demo's painter and its labels: planes land where the camera sees them, what hides a thing
 * takes from its label, and labels are of what a picture shows. */
#include "support/test.h"

#include <math.h>

#include "demo/shelf.h"

enum { W = 120, H = 90 };

static base_mem mem = {.tag = "test"};

/* Two metres before the shelf, one metre of it in view. */
static void begin(demo_canvas *c)
{
    vg_error err;
    assert_int_equal(demo_canvas_begin(c, W, H, &mem, &err), VG_OK);
    demo_camera_look(&c->camera, (demo_point){0.3f, 0.5f, 2}, (demo_point){0, 0.2f, 0}, 0.1f);
    c->camera.focal_px = 2.0f * W * DEMO_FINE;
    c->camera.center_x_px = W * DEMO_FINE * 0.5f;
    c->camera.center_y_px = H * DEMO_FINE * 0.5f;
    c->light = (demo_light){.level = 1, .row_m = 0.3f};
}

static demo_ink red(const void *what, float s, float t)
{
    (void)what;
    (void)s;
    (void)t;
    return (demo_ink){{1, 0, 0}, 1};
}

static demo_plane card(float x, float y, float w, float h)
{
    return (demo_plane){{x, y, 0}, {w, 0, 0}, {0, h, 0}};
}

static void a_plane_lands_where_the_camera_sees_it(void **state)
{
    (void)state;
    demo_canvas c = {0};
    float x, y;
    begin(&c);
    demo_project(&c, (demo_point){0, 0.2f, 0}, &x, &y); /* what it looks at is the middle */
    assert_true(fabsf(x - W) < 0.01f && fabsf(y - H) < 0.01f);
    const demo_plane p = card(0.1f, 0.25f, 0.04f, 0.04f);
    demo_paint(&c, &p, red, NULL, 1);
    demo_canvas_measure(&c);
    demo_project(&c, (demo_point){0.12f, 0.27f, 0}, &x, &y);
    const demo_extent *e = &c.extents[1];
    assert_true(e->n_seen > 50 && e->n_seen == e->n_painted);
    assert_true(fabsf((float)(e->x1 + e->x2) * 0.5f - x) < 1);
    assert_true(fabsf((float)(e->y1 + e->y2) * 0.5f - y) < 1);
    demo_canvas_fini(&c);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void what_hides_a_thing_takes_from_its_extent(void **state)
{
    (void)state;
    demo_canvas c = {0};
    begin(&c);
    const demo_plane thing = card(-0.1f, 0.1f, 0.2f, 0.2f), left = card(-0.2f, 0, 0.2f, 0.4f);
    demo_paint(&c, &thing, red, NULL, 1);
    demo_canvas_measure(&c);
    const demo_extent whole = c.extents[1];
    demo_paint(&c, &left, red, NULL, 0);
    demo_canvas_measure(&c);
    const demo_extent half = c.extents[1];
    assert_int_equal(half.n_painted, whole.n_painted);
    const float part = (float)half.n_seen / (float)half.n_painted;
    assert_true(part > 0.45f && part < 0.55f);
    assert_int_equal(half.x2, whole.x2);
    assert_true(half.x1 > whole.x1 + (whole.x2 - whole.x1) / 3);
    demo_canvas_fini(&c);
}

static void labels_lie_in_the_picture_and_name_every_kind(void **state)
{
    (void)state;
    static demo_canvas c;
    static const demo_shelf_look look = {0.85f, 1.2f};
    static demo_label labels[DEMO_ITEMS_MAX];
    image_buffer picture = {0};
    size_t n, n_of[DEMO_N_CLASSES] = {0};
    vg_error err;
    for (uint64_t i = 0; i < 12; i++) {
        assert_int_equal(demo_shelf_draw(&picture, labels, &n, &look, 3, i, W, H, &c, &mem, &err),
                         VG_OK);
        assert_true(picture.view.w == W && picture.view.h == H);
        for (size_t k = 0; k < n; k++) {
            const demo_label *l = &labels[k];
            assert_true(l->kind < DEMO_N_CLASSES);
            assert_true(l->x1 >= 0 && l->y1 >= 0 && l->x2 <= W && l->y2 <= H);
            assert_true(l->x2 - l->x1 >= 5 && l->y2 - l->y1 >= 5);
            n_of[l->kind]++;
        }
    }
    for (int k = 0; k < DEMO_N_CLASSES; k++)
        assert_true(n_of[k] >= 5);
    demo_canvas_fini(&c);
    image_buffer_fini(&picture);
    assert_int_equal(mem.in_use_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plane_lands_where_the_camera_sees_it),
        cmocka_unit_test(what_hides_a_thing_takes_from_its_extent),
        cmocka_unit_test(labels_lie_in_the_picture_and_name_every_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
