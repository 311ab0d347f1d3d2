/* Torture: a predict job with the 1st, 2nd, 3rd, ... allocation failing, until none does. Every
 * time the answer is VG_ERR_MEMORY or success, nothing is held afterwards and no thread is left. */
#include "stream/jobs.h"

/* Opens, runs, closes. The job's status; else that of a picture that was skipped. */
static vg_status run_once(job *j)
{
    const vg_predict_result *r;
    vg_status skipped = VG_OK;
    vg_status st = stream_predict_open(&j->p, &j->o, &j->mem, &j->err);
    if (st != VG_OK) {
        assert_null(j->p);
        assert_int_equal(j->err.status, st);
        return st;
    }
    while ((st = stream_predict_next(j->p, &r, &j->err)) == VG_OK && r)
        if (r->status != VG_OK)
            skipped = r->status;
    vg_status closed = stream_predict_close(&j->p, &j->err);
    assert_int_equal(closed, VG_OK);
    return st != VG_OK ? st : skipped;
}

static void torture(job *j)
{
    int n_failed = 0, n_quiet = 0;
    for (int64_t i = 1;; i++) {
        j->mem.root.fail_in = i;
        vg_status st = run_once(j);
        bool struck = j->mem.root.fail_in == 0;
        if (st != VG_OK && st != VG_ERR_MEMORY)
            fail_msg("allocation %lld: %s: %s", (long long)i, vg_status_name(st), j->err.what);
        if (j->mem.root.in_use_bytes != 0 || scene_count_threads(1) != 1)
            fail_msg("allocation %lld leaves %zu bytes and %d threads", (long long)i,
                     (size_t)j->mem.root.in_use_bytes, scene_count_threads(1));
        for (int k = 0; k < STREAM_N_OWNERS; k++)
            assert_int_equal(j->mem.owner[k].in_use_bytes, 0);
        n_failed += st != VG_OK;
        n_quiet += struck && st == VG_OK; /* a head that could not be read is no error */
        if (!struck) {
            assert_int_equal(st, VG_OK);
            break;
        }
    }
    j->mem.root.fail_in = 0;
    assert_true(n_failed > 50);
    assert_in_range(n_quiet, 0, 3);
}

static void one_picture_in_the_caller(void **state)
{
    job *j = *state;
    job_draw(j, 1, 70, 50);
    j->o.detector.imgsz = (base_size){32, 32};
    torture(j);
}

static void several_in_threads_with_every_sink(void **state)
{
    job *j = *state;
    static const int classes[] = {1, 2, 3};
    job_draw(j, 4, 70, 50);
    j->o.detector.imgsz = (base_size){32, 32};
    j->o.detector.batch = 2;
    j->o.detector.threads = 2;
    j->o.classes = classes;
    j->o.n_classes = 3;
    j->o.save = j->o.save_txt = j->o.save_crop = j->o.save_json = true;
    j->o.exist_ok = true;
    torture(j);
}

/* Nothing was forecast of standard input, so that everything grows in mid-run. */
static void standard_input(void **state)
{
    job *j = *state;
    job_draw(j, 1, 70, 50);
    j->o.detector.imgsz = (base_size){32, 32};
    j->o.source = "-";
    j->o.save = true;
    j->o.exist_ok = true;
    int saved = dup(STDIN_FILENO);
    FILE *f = freopen(job_in(j, "p000.bmp"), "rb", stdin);
    assert_non_null(f);
    for (int64_t i = 1;; i++) {
        lseek(STDIN_FILENO, 0, SEEK_SET);
        j->mem.root.fail_in = i;
        vg_status st = run_once(j);
        assert_true(st == VG_OK || st == VG_ERR_MEMORY);
        assert_int_equal(j->mem.root.in_use_bytes, 0);
        if (j->mem.root.fail_in != 0) {
            assert_int_equal(st, VG_OK);
            break;
        }
        assert_int_equal(st, VG_ERR_MEMORY);
    }
    j->mem.root.fail_in = 0;
    dup2(saved, STDIN_FILENO);
    close(saved);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, job_set_up, job_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_picture_in_the_caller),
        TEST(several_in_threads_with_every_sink),
        TEST(standard_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
