/* test_runs.c: every run below a folder is found, once, with its state; nothing beyond the folder
 * is.
 */
#include "board/draw.h"
#include "folder.h"

static board_runs *runs;

static int tear_down(void **state)
{
    board_runs_destroy(&runs);
    return programs_tear_down(state) || mem.in_use_bytes != 0;
}

static void open_runs(void)
{
    OK(board_runs_create(&runs, programs_folder, false, &mem, err));
    board_runs_scan(runs, &mem);
}

static const board_run *run_of(const char *path)
{
    const board_run *run = board_runs_find(runs, path);
    if (run == NULL)
        fail_msg("no run %s", path);
    return run;
}

static const double rising[] = {0.1, 0.4, 0.3};

static void a_training_is_found_with_its_best(void **state)
{
    (void)state;
    make_train("train/exp", rising, 3,
               "model: \"yolo11n.yaml\"\ndata: \"/a/b/shelf.yaml\"\nepochs: 9\n");
    make_file("train/exp/weights/x.txt", "");
    make_file("notes/readme.txt", "no run");
    open_runs();
    assert_int_equal(board_runs_count(runs), 1);
    const board_facts *f = &run_of("train/exp")->facts;
    assert_int_equal(f->kind, BOARD_TRAIN);
    assert_string_equal(f->state, "ended");
    assert_false(f->is_alive);
    assert_int_equal(f->epoch, 3);
    assert_int_equal(f->n_epochs, 9);
    assert_int_equal(f->best_epoch, 2);
    assert_true(fabs(f->best_map - 0.4) < 1e-9 && fabs(f->best_map50 - 0.5) < 1e-9);
    assert_true(fabs(f->seconds - 30) < 1e-9);
    assert_string_equal(f->model, "yolo11n.yaml");
    assert_string_equal(f->data, "shelf.yaml");
    assert_int_equal(f->n_spark, 3);
}

static void a_change_is_seen_and_nothing_else_is_read_again(void **state)
{
    (void)state;
    make_train("a", rising, 2, "epochs: 3\n");
    make_train("b", rising, 2, "epochs: 3\n");
    open_runs();
    const uint64_t a = run_of("a")->version, b = run_of("b")->version,
                   all = board_runs_version(runs);
    assert_false(board_runs_scan(runs, &mem));
    assert_int_equal(board_runs_version(runs), all);
    make_train("a", rising, 3, "epochs: 3\n");
    assert_true(board_runs_scan(runs, &mem));
    assert_int_equal(run_of("a")->version, a + 1);
    assert_int_equal(run_of("b")->version, b);
    assert_int_equal(run_of("a")->facts.epoch, 3);
    char command[200];
    snprintf(command, sizeof command, "rm -r '%s'", in_folder("a"));
    assert_int_equal(system(command), 0);
    assert_true(board_runs_scan(runs, &mem));
    assert_int_equal(board_runs_count(runs), 1);
    assert_null(board_runs_find(runs, "a"));
}

static void links_lead_nowhere(void **state)
{
    (void)state;
    char other[] = "/tmp/vigil-other-XXXXXX", path[200];
    assert_non_null(mkdtemp(other));
    make_train("own", rising, 1, "epochs: 1\n");
    assert_int_equal(symlink(other, in_folder("linked")), 0);
    snprintf(path, sizeof path, "%s/results.csv", other);
    OK(base_file_replace(path, HEADER, strlen(HEADER), err));
    make_file("half/args.yaml", "epochs: 1\n");
    make_file("half/weights/x", "");
    assert_int_equal(symlink(path, in_folder("half/results.csv")), 0);
    open_runs();
    assert_int_equal(board_runs_count(runs), 2); /* half is one by its args.yaml */
    assert_null(board_runs_find(runs, "linked"));
    const int folder = board_runs_open(runs, "half");
    assert_true(folder >= 0);
    assert_int_equal(board_open_file(folder, "results.csv"), -1);
    assert_int_equal(board_open_file(folder, "../own/results.csv"), -1);
    assert_int_equal(board_open_folder(folder, "../own"), -1);
    assert_int_equal(board_open_folder(folder, "weights/../weights"), -1);
    assert_int_equal(board_runs_open(runs, "linked"), -1);
    assert_int_equal(board_runs_open(runs, "/etc"), -1);
    close(folder);
    unlink(path);
    rmdir(other);
}

static void files_of_others_are_no_harm(void **state)
{
    (void)state;
    make_file("broken/results.csv", "epoch,nonsense\n1,x\n");
    make_file("binary/args.yaml", "\xff\xfe: [\n");
    make_file("binary/weights/x", "");
    make_file("binary/vigil.pid", "99999999999999999999\n");
    make_file("binary/vigil.progress", "short");
    assert_int_equal(mkfifo(in_folder("binary/results.csv"), 0600), 0);
    make_file("<b>&'\"\x1b[31m\xff/results.csv", HEADER);
    open_runs();
    assert_int_equal(board_runs_count(runs), 3);
    assert_int_equal(run_of("broken")->facts.best_epoch, 0);
    assert_string_equal(run_of("binary")->facts.state, "died");
    run_of("<b>&'\"\x1b[31m\xff");
    assert_false(board_runs_look(runs, &mem));
}

static void a_living_run_is_known_by_its_lock(void **state)
{
    (void)state;
    make_train("a", rising, 1, "epochs: 4\n");
    train_run_file *file;
    OK(train_run_file_create(&file, in_folder("a"), &mem, err));
    open_runs();
    assert_true(run_of("a")->facts.is_alive);
    assert_string_equal(run_of("a")->facts.state, "preparing");
    train_run_file_start(file, 0, 1 << 30);
    train_run_file_batch(file, &(vg_train_batch){.epoch = 2,
                                                 .n_epochs = 4,
                                                 .batch = 5,
                                                 .n_batches = 5,
                                                 .loss = {1, 2, 3},
                                                 .n_pictures = 8,
                                                 .seconds = 12});
    assert_true(board_runs_look(runs, &mem));
    const board_living *k = board_runs_living(runs, "a");
    assert_non_null(k);
    assert_int_equal(k->view.batch.epoch, 2);
    assert_int_equal(k->course.n, 1);
    assert_true(fabs(k->course.epoch[0] - 2) < 1e-9);
    assert_string_equal(run_of("a")->facts.state, "training");
    assert_false(board_runs_look(runs, &mem)); /* nothing new */
    train_run_file_destroy(&file);
    assert_true(board_runs_look(runs, &mem));
    assert_false(run_of("a")->facts.is_alive);
    assert_string_equal(run_of("a")->facts.state, "ended");
}

static void a_long_course_keeps_its_beginning_and_its_end(void **state)
{
    (void)state;
    static board_course c;
    for (int i = 1; i <= 100000; i++) {
        const vg_run_view v = {
            .batch = {
                .epoch = 1, .batch = i, .n_batches = 100000, .seconds = i, .loss = {i, 0, 0}}};
        board_course_add(&c, &v);
        assert_true(c.n <= BOARD_COURSE_POINTS);
    }
    assert_true(c.n >= BOARD_COURSE_POINTS / 2);
    assert_true(fabs(c.loss[0][0] - 1) < 1e-9);
    assert_true(c.seconds[c.n - 1] > 99000);
    for (size_t i = 1; i < c.n; i++)
        assert_true(c.seconds[i] > c.seconds[i - 1] && c.loss[0][i] == c.seconds[i]);
}

static void a_run_takes_less_than_two_kilobytes(void **state)
{
    (void)state;
    enum { N = 400 };
    for (int i = 0; i < N; i++) {
        char name[64];
        snprintf(name, sizeof name, "g%d/run%d/results.csv", i / 100, i);
        make_file(name, HEADER);
    }
    OK(board_runs_create(&runs, programs_folder, false, &mem, err));
    const size_t empty = mem.in_use_bytes;
    board_runs_scan(runs, &mem);
    assert_int_equal(board_runs_count(runs), N);
    const size_t bytes = mem.in_use_bytes;
    assert_true(bytes - empty < (size_t)N * 2048); /* so 10000 of them less than 20 MB */
    board_runs_scan(runs, &mem);
    assert_int_equal(mem.in_use_bytes, bytes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, programs_set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_training_is_found_with_its_best),
        TEST(a_change_is_seen_and_nothing_else_is_read_again),
        TEST(links_lead_nowhere),
        TEST(files_of_others_are_no_harm),
        TEST(a_living_run_is_known_by_its_lock),
        TEST(a_long_course_keeps_its_beginning_and_its_end),
        TEST(a_run_takes_less_than_two_kilobytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
