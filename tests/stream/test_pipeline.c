/* The pipeline: order, broken pictures, batches, stopping at any moment, disks that fail. */
#include "stream/jobs.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void results_come_in_the_order_of_the_list(void **state)
{
    job *j = *state;
    job_draw(j, 25, 70, 50);
    j->o.save_txt = true;
    job_start(j);
    assert_int_equal(scene_count_threads(4), 4); /* ours and a stage each */
    size_t n = 0;
    for (const vg_predict_result *r; (r = job_next(j)) != NULL; n++) {
        char name[32];
        snprintf(name, sizeof name, "p%03zu.bmp", n);
        assert_int_equal(r->index, n);
        assert_int_equal(r->total, 25);
        assert_string_equal(base_path_name(r->source), name);
        assert_int_equal(r->status, VG_OK);
        assert_true(r->width == 70 && r->height == 50 && r->input_width == 64 &&
                    r->input_height == 64);
        assert_true(r->n_detections <= 50);
        assert_true(r->times.decode_ms > 0 && r->times.inference_ms > 0);
    }
    assert_int_equal(n, 25);
    assert_null(job_next(j)); /* and stays at its end */
    assert_null(job_next(j));
    job_end(j);
}

static void broken_pictures_among_good_ones_are_results(void **state)
{
    job *j = *state;
    for (size_t batch = 1; batch <= 4; batch++) {
        job_draw(j, 8, 70, 50);
        scene_write_text(job_in(j, "p001.bmp"), "no picture at all");
        scene_write_text(job_in(j, "p004.bmp"), "");
        unlink(job_in(j, "p006.bmp"));
        assert_int_equal(symlink("/nowhere", job_in(j, "p006.bmp")), 0);
        j->o.detector.batch = (int)batch;
        job_start(j);
        for (const vg_predict_result *r; (r = job_next(j)) != NULL;) {
            vg_status want = r->index == 1 || r->index == 4 ? VG_ERR_FORMAT
                             : r->index == 6                ? VG_ERR_IO
                                                            : VG_OK;
            assert_int_equal(r->status, want);
            assert_true((r->status == VG_OK) == (r->width == 70));
            if (want != VG_OK) {
                assert_int_equal(r->error.status, want);
                assert_non_null(strstr(r->error.where, base_path_name(r->source)));
                assert_int_equal(r->n_detections, 0);
            }
        }
        job_end(j);
        unlink(job_in(j, "p006.bmp"));
    }
    /* Nothing but broken ones, in one batch and in several. */
    for (int i = 0; i < 8; i++) {
        char name[32];
        snprintf(name, sizeof name, "p%03d.bmp", i);
        scene_write_text(job_in(j, name), "x");
    }
    for (int batch = 1; batch <= 16; batch += 5) {
        j->o.detector.batch = batch;
        job_start(j);
        assert_int_equal(job_run(j), 8);
        job_end(j);
    }
}

/* ---- what a picture gives does not depend on its company ---- */

typedef struct found {
    size_t n[12];
    vg_detection boxes[12][50];
} found;

static void find(job *j, int batch, int threads, found *f)
{
    memset(f, 0, sizeof *f);
    j->o.detector.batch = batch;
    j->o.detector.threads = threads;
    job_start(j);
    for (const vg_predict_result *r; (r = job_next(j)) != NULL;) {
        assert_int_equal(r->status, VG_OK);
        f->n[r->index] = r->n_detections;
        memcpy(f->boxes[r->index], r->detections, r->n_detections * sizeof *r->detections);
    }
    job_end(j);
}

static void batches_and_threads_change_no_box(void **state)
{
    job *j = *state;
    static found one, other;
    job_draw(j, 7, 70, 50);
    find(j, 1, 1, &one);
    assert_true(one.n[0] > 0 && one.n[6] > 0);
    for (int batch = 2; batch <= 8; batch += batch == 3 ? 5 : 1) {
        find(j, batch, 1 + batch % 2, &other);
        assert_memory_equal(&one, &other, sizeof one);
    }
}

static void mixed_shapes_in_a_batch_share_a_square(void **state)
{
    job *j = *state;
    assert_int_equal(scene_write_bmp(job_in(j, "a.bmp"), 128, 60, 1), 0);
    assert_int_equal(scene_write_bmp(job_in(j, "b.bmp"), 60, 128, 1), 0);
    j->o.detector.batch = 2;
    job_start(j);
    for (const vg_predict_result *r; (r = job_next(j)) != NULL;)
        assert_true(r->status == VG_OK && r->input_width == 64 && r->input_height == 64);
    job_end(j);
    j->o.detector.batch = 1;
    job_start(j);
    for (const vg_predict_result *r; (r = job_next(j)) != NULL;)
        assert_true(r->input_width == (r->index ? 32 : 64) &&
                    r->input_height == (r->index ? 64 : 32));
    job_end(j);
}

static void classes_are_chosen_and_checked(void **state)
{
    job *j = *state;
    static found all;
    job_draw(j, 3, 70, 50);
    find(j, 1, 1, &all);
    int only = all.boxes[0][0].class_index, outside = 80;
    j->o.classes = &only;
    j->o.n_classes = 1;
    size_t n = 0;
    job_start(j);
    for (const vg_predict_result *r; (r = job_next(j)) != NULL; n += r->n_detections)
        for (size_t i = 0; i < r->n_detections; i++)
            assert_int_equal(r->detections[i].class_index, only);
    job_end(j);
    assert_true(n > 0);
    j->o.classes = &outside;
    assert_int_equal(stream_predict_open(&j->p, &j->o, &j->mem, &j->err), VG_ERR_ARGUMENT);
    assert_null(j->p);
    assert_string_equal(j->err.where, "option classes");
}

/* ---- stopping ---- */

static void a_job_may_be_closed_at_any_moment(void **state)
{
    job *j = *state;
    job_draw(j, 12, 70, 50);
    j->o.save = j->o.save_txt = j->o.save_json = true;
    static const int taken[] = {0, 1, 2, 3, 4, 5, 11, 12, 13};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        j->o.detector.batch = i % 2 ? 3 : 1;
        job_start(j);
        for (int n = 0; n < taken[i]; n++)
            job_next(j);
        if (i % 3 == 1)
            usleep((useconds_t)i * 700);
        job_end(j);
        assert_null(j->p);
        assert_int_equal(scene_count_threads(1), 1);
        assert_int_equal(j->mem.root.in_use_bytes, 0);
    }
}

/* Of the three batches that stand ready, no more than the one that was begun. */
static void a_job_closed_at_once_saves_next_to_nothing(void **state)
{
    job *j = *state;
    job_draw(j, 10, 640, 640);
    j->o.detector.imgsz = (base_size){640, 640};
    j->o.save_txt = true;
    j->o.nms.conf = 0.001f;
    job_start(j);
    char labels[512];
    snprintf(labels, sizeof labels, "%s/labels", stream_predict_folder(j->p));
    job_end(j);
    assert_true(folder_count_entries(labels) <=
                1); /* -1: nothing was saved, and no folder is left */
}

/* A folder where a label file should be: that batch ends the job, and those behind it, which could
 * be saved, are not. */
static void nothing_is_saved_behind_the_error_that_ends_a_job(void **state)
{
    job *j = *state;
    const vg_predict_result *r;
    char labels[320];
    job_draw(j, 10, 70, 50);
    j->o.save_txt = true;
    j->o.exist_ok = true;
    j->o.nms.conf = 0.001f;
    snprintf(labels, sizeof labels, "%s/exp/labels", j->project);
    assert_int_equal(base_make_dirs(scene_path(labels, "p002.txt"), &j->err), VG_OK);
    job_start(j);
    assert_int_equal(job_next(j)->index, 0);
    assert_int_equal(job_next(j)->index, 1);
    assert_int_equal(stream_predict_next(j->p, &r, &j->err), VG_ERR_IO);
    assert_null(r);
    assert_non_null(strstr(j->err.where, "p002.txt"));
    usleep(200000);
    stream_predict_close(&j->p, NULL);
    assert_true(base_path_exists(scene_path(labels, "p001.txt")));
    assert_int_equal(folder_count_entries(labels), 3);
}

static void flat_pictures_plan_a_flat_input(void **state)
{
    job *j = *state;
    size_t activations[2];
    job_draw(j, 2, 128, 50);
    for (int i = 0; i < 2; i++) {
        if (i == 1)
            assert_int_equal(scene_write_bmp(job_in(j, "p001.bmp"), 50, 128, 1), 0);
        job_start(j);
        activations[i] = j->mem.planned_bytes[STREAM_ACTIVATIONS];
        job_end(j);
    }
    assert_true(activations[0] < activations[1]);
}

/* What is under way when a job is closed is given up: no file appears that the caller was not on
 * the way to. */
static void closing_early_saves_no_more_than_the_batches_under_way(void **state)
{
    job *j = *state;
    job_draw(j, 40, 70, 50);
    j->o.save_txt = true;
    j->o.nms.conf = 0.001f;
    job_start(j);
    job_next(j);
    char labels[512];
    snprintf(labels, sizeof labels, "%s/labels", stream_predict_folder(j->p));
    job_end(j);
    assert_in_range(folder_count_entries(labels), 1, 3);
}

/* ---- pictures that change between the list and their turn ---- */

static void a_picture_that_grew_since_its_head_was_read_is_done(void **state)
{
    job *j = *state;
    for (int batch = 1; batch <= 5; batch += 4) { /* with threads, and in the caller */
        job_draw(j, 5, 64, 20);
        j->o.detector.batch = batch;
        job_start(j);
        assert_int_equal(scene_write_bmp(job_in(j, "p004.bmp"), 300, 500, 9), 0);
        const vg_predict_result *r = NULL, *last = NULL;
        while ((r = job_next(j)) != NULL) {
            assert_int_equal(r->status, VG_OK);
            last = r;
            if (r->index == 4)
                assert_true(r->width == 300 && r->height == 500 && r->input_height == 64);
        }
        assert_non_null(last);
        job_end(j);
    }
}

/* A PNG of more than a head: its size is read, its chunks are not. */
static void a_long_png_gets_its_room(void **state)
{
    job *j = *state;
    base_mem mem;
    image_encoder *e = NULL;
    uint8_t *rgb = scene_alloc(300 * 200 * 3);
    base_mem_init(&mem, "test", NULL, 0);
    uint32_t noise = 1;
    for (size_t i = 0; i < 300 * 200 * 3; i++)
        rgb[i] = (uint8_t)((noise = noise * 1664525 + 1013904223) >> 24);
    assert_int_equal(image_encoder_create(&e, &mem, &j->err), VG_OK);
    image_view v = {rgb, 300, 200, 900};
    assert_int_equal(image_write(e, &v, job_in(j, "a.png"), &mem, &j->err), VG_OK);
    image_encoder_destroy(&e);
    free(rgb);
    job_start(j);
    size_t held = j->mem.root.in_use_bytes;
    const vg_predict_result *r = job_next(j);
    assert_true(r && r->status == VG_OK && r->width == 300 && r->height == 200 &&
                r->input_height == 64);
    assert_int_equal(j->mem.owner[STREAM_FRAMES].in_use_bytes, j->mem.planned_bytes[STREAM_FRAMES]);
    assert_true(j->mem.root.in_use_bytes - held < 100000); /* the plan of the shape */
    job_end(j);
}

static void a_pipe_is_a_picture_only_when_alone(void **state)
{
    job *j = *state;
    job_draw(j, 2, 70, 50);
    assert_int_equal(mkfifo(job_in(j, "p005.bmp"), 0600), 0);
    job_start(j);
    for (const vg_predict_result *r; (r = job_next(j)) != NULL;)
        assert_int_equal(r->status, r->index < 2 ? VG_OK : VG_ERR_IO);
    job_end(j);
    char pipe[512];
    snprintf(pipe, sizeof pipe, "%s", job_in(j, "p005.bmp"));
    j->o.source = pipe;
    pid_t child = fork();
    if (child == 0) {
        size_t n;
        char *bytes = scene_read(job_in(j, "p000.bmp"), &n);
        FILE *f = fopen(pipe, "wb");
        _exit(f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0 ? 0 : 1);
    }
    job_start(j);
    const vg_predict_result *r = job_next(j);
    assert_true(r && r->status == VG_OK && r->width == 70);
    assert_null(job_next(j));
    job_end(j);
}

/* ---- disks ---- */

/* Runs to the end: the job's status and the number of results before it. */
static vg_status run_to_the_end(job *j, size_t *n_good)
{
    const vg_predict_result *r;
    vg_status st;
    *n_good = 0;
    while ((st = stream_predict_next(j->p, &r, &j->err)) == VG_OK && r)
        *n_good += r->status == VG_OK;
    return st;
}

static void a_run_folder_that_goes_away_ends_the_job(void **state)
{
    job *j = *state;
    static const char *const subs[] = {"labels", ""};
    for (size_t i = 0; i < 2; i++) {
        char path[512];
        size_t n_good;
        job_draw(j, 20, 70, 50);
        j->o.save_txt = i == 0;
        j->o.save = i == 1;
        j->o.nms.conf = 0.001f;
        job_start(j);
        assert_non_null(job_next(j));
        snprintf(path, sizeof path, "%s/%s", stream_predict_folder(j->p), subs[i]);
        /* The job may put a file into it while it is emptied: once for each of its pictures. */
        int n_tries = 0;
        while (folder_remove(path) != 0 && n_tries < 20)
            n_tries++;
        assert_false(base_path_exists(path));
        assert_int_equal(run_to_the_end(j, &n_good), VG_ERR_IO);
        assert_true(n_good < 19);
        assert_int_equal(j->err.status, VG_ERR_IO);
        assert_non_null(strstr(j->err.where, "out/exp"));
        /* And says so again, however often it is asked. */
        assert_int_equal(run_to_the_end(j, &n_good), VG_ERR_IO);
        stream_predict_close(&j->p, NULL);
        assert_int_equal(scene_count_threads(1), 1);
    }
}

/* RLIMIT_FSIZE stands for a full disk: write says EFBIG instead of ENOSPC. In a child, so that the
 * limit is its own. */
static void a_disk_that_takes_no_more_ends_the_job(void **state)
{
    job *j = *state;
    job_draw(j, 6, 400, 300);
    fflush(NULL);
    for (int i = 0; i < 6; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            size_t n_good;
            struct rlimit limit = {.rlim_cur = 1000, .rlim_max = 1000};
            j->o.detector.batch = i < 3 ? 1 : 6;
            j->o.save = i % 3 == 0;
            j->o.save_crop = i % 3 == 1;
            j->o.save_json = i % 3 == 2;
            j->o.nms.conf = 0.001f;
            signal(SIGXFSZ, SIG_IGN);
            if (stream_predict_open(&j->p, &j->o, &j->mem, &j->err) != VG_OK)
                _exit(1);
            char folder[512];
            snprintf(folder, sizeof folder, "%s", stream_predict_folder(j->p));
            setrlimit(RLIMIT_FSIZE, &limit);
            if (run_to_the_end(j, &n_good) != VG_ERR_IO && i < 3)
                _exit(2);
            stream_predict_close(&j->p, NULL);
            if (j->mem.root.in_use_bytes != 0 || scene_count_threads(1) != 1)
                _exit(3);
            /* What is there is whole: no half picture, no half line. */
            size_t n = 0;
            char *json = scene_read(scene_path(folder, "predictions.jsonl"), &n);
            if (json && n > 0 && json[n - 1] != '\n')
                _exit(4);
            if (i % 3 == 0 && base_path_is_dir(folder)) /* nothing was saved: no folder, either */
                _exit(5);
            _exit(0);
        }
        int status;
        waitpid(child, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
            fail_msg("case %d: status %x", i, (unsigned)status);
    }
}

/* 255 bytes, the most that a file system takes: its result's name is as long. */
static void the_longest_name_of_a_picture_has_its_result(void **state)
{
    job *j = *state;
    char name[256];
    job_draw(j, 3, 70, 50);
    memset(name, 'q', 251);
    memcpy(name + 251, ".bmp", 5);
    assert_int_equal(scene_write_bmp(job_in(j, name), 70, 50, 1), 0);
    j->o.save = j->o.save_txt = true;
    job_start(j);
    int n = 0;
    for (const vg_predict_result *r; (r = job_next(j)) != NULL; n++)
        assert_int_equal(r->status, VG_OK);
    assert_int_equal(n, 4);
    job_end(j);
}

/* A picture above the limit is skipped; the job goes on. */
static void a_picture_too_large_for_the_limit_is_skipped(void **state)
{
    job *j = *state;
    job_draw(j, 4, 70, 50);
    job_start(j);
    size_t needed = stream_accounts_planned(&j->mem);
    assert_int_equal(job_run(j), 0);
    job_end(j);
    stream_accounts_init(&j->mem, needed + (1 << 20));
    job_start(j);
    assert_int_equal(scene_write_bmp(job_in(j, "p003.bmp"), 3000, 2000, 9), 0);
    const vg_predict_result *r = NULL;
    for (size_t i = 0; (r = job_next(j)) != NULL; i++)
        assert_int_equal(r->status, i == 3 ? VG_ERR_MEMORY : VG_OK);
    job_end(j);
    assert_true(j->mem.root.peak_bytes <= needed + (1 << 20));
    /* Known beforehand: refused beforehand. */
    assert_int_equal(stream_predict_open(&j->p, &j->o, &j->mem, &j->err), VG_ERR_LIMIT);
    assert_non_null(strstr(j->err.what, "frames "));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, job_set_up, job_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(results_come_in_the_order_of_the_list),
        TEST(broken_pictures_among_good_ones_are_results),
        TEST(batches_and_threads_change_no_box),
        TEST(mixed_shapes_in_a_batch_share_a_square),
        TEST(classes_are_chosen_and_checked),
        TEST(a_job_may_be_closed_at_any_moment),
        TEST(closing_early_saves_no_more_than_the_batches_under_way),
        TEST(a_job_closed_at_once_saves_next_to_nothing),
        TEST(nothing_is_saved_behind_the_error_that_ends_a_job),
        TEST(flat_pictures_plan_a_flat_input),
        TEST(a_picture_that_grew_since_its_head_was_read_is_done),
        TEST(a_long_png_gets_its_room),
        TEST(a_pipe_is_a_picture_only_when_alone),
        TEST(a_run_folder_that_goes_away_ends_the_job),
        TEST(a_disk_that_takes_no_more_ends_the_job),
        TEST(the_longest_name_of_a_picture_has_its_result),
        TEST(a_picture_too_large_for_the_limit_is_skipped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
