/* Memory is flat: what is held after 30 pictures is held after 300, whatever their sizes, and
 * pictures of one shape allocate nothing. */
#include "stream/jobs.h"

enum { PICTURES = 300, WARM_UP = 30 };

static void hold(const job *j, size_t *held)
{
    for (int i = 0; i < STREAM_N_OWNERS; i++)
        held[i] = j->mem.owner[i].in_use_bytes;
}

/* 300 pictures of 300 sizes in no order; three shapes of input, where two plans are kept. */
static void three_hundred_sizes_hold_what_thirty_held(void **state)
{
    job *j = *state;
    for (int i = 0; i < PICTURES; i++) {
        char name[32];
        snprintf(name, sizeof name, "p%03d.bmp", i);
        int w = 40 + i * 181 % 300, h = 40 + i * 113 % 293;
        assert_int_equal(scene_write_bmp(job_in(j, name), w, h, (uint32_t)i), 0);
    }
    for (int batch = 1; batch <= 3; batch += 2) {
        size_t first[STREAM_N_OWNERS], held[STREAM_N_OWNERS], last[STREAM_N_OWNERS];
        j->o.detector.batch = batch;
        j->o.detector.plan_cache = 2;
        j->o.save = j->o.save_txt = j->o.save_crop = j->o.save_json = true;
        job_start(j);
        hold(j, first);
        int n = 0;
        for (const vg_predict_result *r; (r = job_next(j)) != NULL; n++) {
            assert_int_equal(r->status, VG_OK);
            if (n == WARM_UP)
                hold(j, held);
        }
        hold(j, last);
        assert_int_equal(n, PICTURES);
        for (int i = 0; i < STREAM_N_OWNERS; i++) {
            if (last[i] != held[i])
                fail_msg("%s: %zu became %zu", j->mem.owner[i].tag, held[i], last[i]);
            if (i == STREAM_PLANS || i == STREAM_LOADING)
                continue; /* plans come with shapes, up to the cache's size */
            if (last[i] != first[i])
                fail_msg("%s: %zu at open became %zu", j->mem.owner[i].tag, first[i], last[i]);
            size_t planned = j->mem.planned_bytes[i];
            if (last[i] > planned + planned / 100 || last[i] < planned - planned / 100)
                fail_msg("%s: %zu planned, %zu held", j->mem.owner[i].tag, planned, last[i]);
        }
        assert_true(last[STREAM_PLANS] <= j->mem.planned_bytes[STREAM_PLANS] * 102 / 100);
        job_end(j);
    }
}

static void pictures_of_one_shape_allocate_nothing(void **state)
{
    job *j = *state;
    job_draw(j, 100, 90, 70);
    j->o.save = j->o.save_txt = j->o.save_crop = j->o.save_json = true;
    job_start(j);
    uint64_t n_allocs = 0;
    int n = 0;
    for (const vg_predict_result *r; (r = job_next(j)) != NULL; n++)
        if (n == 10)
            n_allocs = j->mem.root.n_allocs;
    assert_int_equal(n, 100);
    assert_int_equal(j->mem.root.n_allocs, n_allocs);
    job_end(j);
}

/* Stills of every kind and EXIF's turns, over and over. */
static void fixtures_of_every_kind_hold_what_was_planned(void **state)
{
    job *j = *state;
    char text[16384] = "";
    static const char *const names[] = {"baseline.jpg", "cmyk.jpg",  "exif6.jpg",     "grey.jpg",
                                        "rgba.png",     "deep.png",  "exif6.png",     "rgb.bmp",
                                        "lossy.webp",   "still.gif", "animated.webp", "lzw.tif"};
    for (int round = 0; round < 10; round++)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s/image/%s\n", TEST_FIXTURES_DIR, names[i]);
        }
    scene_write_text(job_in(j, "list.txt"), text);
    j->o.source = job_in(j, "list.txt");
    job_start(j);
    assert_int_equal(j->mem.owner[STREAM_FRAMES].in_use_bytes, j->mem.planned_bytes[STREAM_FRAMES]);
    int n = 0;
    for (const vg_predict_result *r; (r = job_next(j)) != NULL; n++)
        if (r->status != VG_OK)
            fail_msg("%s: %s", r->source, r->error.what);
    assert_int_equal(n, 120);
    assert_int_equal(j->mem.owner[STREAM_FRAMES].in_use_bytes, j->mem.planned_bytes[STREAM_FRAMES]);
    job_end(j);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, job_set_up, job_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(three_hundred_sizes_hold_what_thirty_held),
        TEST(pictures_of_one_shape_allocate_nothing),
        TEST(fixtures_of_every_kind_hold_what_was_planned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
