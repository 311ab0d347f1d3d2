/* test_progress.c: how far a run is, from files as trainers write them: growing, cut short, begun
 * anew, written in place. */
#include "support/test.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "watch/sample/progress.h"
#include "watch/sample/progress_text.h"
#include "watch/sample/run_folder.h"

typedef struct bench {
    base_mem mem;
    vg_error err;
    char folder[64];
    watch_tree *tree;
    watch_progress *progress;
    double now_s;
} bench;

static int setup(void **state)
{
    static bench b;
    b = (bench){.mem = {.tag = "test"}, .folder = "/tmp/vigil-progress-XXXXXX"};
    *state = &b;
    const watch_tree_options o = {.main_pid = getppid(), .proc = "/proc"};
    return mkdtemp(b.folder) != NULL && watch_tree_create(&b.tree, &o, &b.mem, &b.err) == VG_OK
               ? 0
               : -1;
}

static int teardown(void **state)
{
    bench *b = *state;
    char command[96];
    watch_progress_destroy(&b->progress);
    watch_tree_destroy(&b->tree);
    snprintf(command, sizeof command, "rm -r %s", b->folder);
    return system(command) == 0 && b->mem.in_use_bytes == 0 ? 0 : -1;
}

static void put(const bench *b, const char *name, const void *bytes, size_t n, const char *mode)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", b->folder, name);
    for (char *p = path + strlen(b->folder) + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        mkdir(path, 0755);
        *p = '/';
    }
    FILE *f = fopen(path, mode);
    assert_non_null(f);
    assert_true(fwrite(bytes, 1, n, f) == n);
    fclose(f);
}

static void add(const bench *b, const char *name, const char *text)
{
    put(b, name, text, strlen(text), "a");
}

static void open_given(bench *b)
{
    assert_int_equal(watch_progress_create(&b->progress, b->folder, &b->mem, &b->err), VG_OK);
}

static watch_sample look(bench *b)
{
    watch_sample s;
    b->now_s += 5;
    watch_sample_clear(&s, b->now_s);
    watch_progress_look(b->progress, b->tree, b->now_s, &s);
    return s;
}

/* ---- tables ---- */

static progress_csv read_csv(const char *text, size_t piece)
{
    progress_csv c = {.row_epoch = NAN, .row_time_s = NAN, .row_step = NAN};
    const size_t n = strlen(text);
    for (size_t at = 0; at < n; at += piece)
        progress_csv_add(&c, text + at, n - at < piece ? n - at : piece);
    return c;
}

static void a_table_is_the_same_at_any_cut(void **state)
{
    (void)state;
    static const char table[] = "                  epoch,     time, train/box_loss\r\n"
                                "                      1,   10.5,   1.25\r\n"
                                "                      2,   25.0,   nan\r\n\n"
                                "                      3,   31";
    for (size_t piece = 1; piece < sizeof table; piece++) {
        const progress_csv c = read_csv(table, piece);
        assert_true(c.rows == 2); /* the third has no end yet */
        assert_true(progress_csv_epochs(&c) == 2);
        assert_float_equal(c.epoch_s, 14.5, 1e-12);
    }
}

static void epochs_from_zero_and_rows_without_one_are_counted(void **state)
{
    (void)state;
    const progress_csv zero = read_csv("epoch,step,loss\n0,9,1\n,19,2\n1,29,3\n", 7),
                       none = read_csv("loss\n1\n2\n3\n", 7);
    assert_true(progress_csv_epochs(&zero) == 2);
    assert_true(zero.has_step && zero.step == 29);
    assert_true(progress_csv_epochs(&none) == 3);
}

static void a_field_without_end_is_no_number(void **state)
{
    (void)state;
    char text[4096] = "epoch\n";
    memset(text + 6, '1', sizeof text - 8);
    text[sizeof text - 2] = '\n';
    const progress_csv c = read_csv(text, 100);
    assert_false(c.has_epoch);
    assert_true(c.rows == 1);
}

static void rows_are_seen_as_they_come_and_a_cut_file_is_begun_anew(void **state)
{
    bench *b = *state;
    add(b, "results.csv", "epoch,time,x\n1,10,0\n");
    open_given(b);
    assert_true(look(b).value[WATCH_WORK_EPOCH] == 1);
    add(b, "results.csv", "2,30");
    assert_true(look(b).value[WATCH_WORK_EPOCH] == 1);
    add(b, "results.csv", ",0\n3,45,0\n");
    const watch_sample s = look(b);
    assert_true(s.value[WATCH_WORK_EPOCH] == 3);
    assert_true(s.value[WATCH_WORK_EPOCH_S] == 15);
    put(b, "results.csv", "epoch,time,x\n1,9,0\n", 19, "w"); /* resumed from its first epoch */
    assert_true(look(b).value[WATCH_WORK_EPOCH] == 1);
}

static void an_epoch_without_times_is_timed_by_the_clock(void **state)
{
    bench *b = *state;
    add(b, "results.csv", "epoch,loss\n1,1\n");
    open_given(b);
    assert_true(isnan(look(b).value[WATCH_WORK_EPOCH_S]));
    look(b);
    look(b);
    add(b, "results.csv", "2,1\n3,1\n");
    assert_true(look(b).value[WATCH_WORK_EPOCH_S] == 7.5);
}

/* ---- event files ---- */

/* A record as TensorBoard's writers make it, but for the checks, which are not read. */
static size_t event(uint8_t *out, int64_t step, size_t n_payload)
{
    uint8_t *p = out + PROGRESS_EVENT_HEAD;
    *p++ = 1 << 3 | 1;
    memset(p, 0x11, 8);
    p += 8;
    if (step >= 0) {
        *p++ = 2 << 3;
        for (uint64_t v = (uint64_t)step;; v >>= 7) {
            *p++ = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
            if (v <= 0x7f)
                break;
        }
    }
    memset(p, 0x2a, n_payload);
    p += n_payload;
    const uint64_t length = (uint64_t)(p - out) - PROGRESS_EVENT_HEAD;
    memset(out, 0, PROGRESS_EVENT_HEAD);
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(length >> (8 * i));
    memset(p, 0, PROGRESS_EVENT_TAIL);
    return (size_t)length + PROGRESS_EVENT_HEAD + PROGRESS_EVENT_TAIL;
}

static void the_step_of_the_last_whole_record_is_told(void **state)
{
    bench *b = *state;
    static uint8_t bytes[300000];
    static const char name[] = "events.out.tfevents.1.host";
    open_given(b);
    put(b, name, bytes, event(bytes, -1, 9), "a"); /* the file's version */
    assert_true(isnan(look(b).value[WATCH_WORK_STEP]));
    for (int64_t step = 1; step <= 2000; step++)
        put(b, name, bytes, event(bytes, step, 40), "a");
    put(b, name, bytes, event(bytes, 2001, 200000), "a"); /* a picture, larger than a piece */
    put(b, name, bytes, event(bytes, 2002, 30), "a");
    const size_t n = event(bytes, 3000, 500);
    put(b, name, bytes, n - 100, "a");
    watch_sample s = look(b);
    assert_true(s.value[WATCH_WORK_STEP] == 2002);
    const double log_bytes = s.value[WATCH_WORK_LOG_BYTES];
    put(b, name, bytes + n - 100, 100, "a");
    s = look(b);
    assert_true(s.value[WATCH_WORK_STEP] == 3000);
    assert_true(s.value[WATCH_WORK_LOG_BYTES] == log_bytes + 100);
}

static void any_cut_of_an_event_file_leads_to_the_same_step(void **state)
{
    bench *b = *state;
    static uint8_t bytes[200000];
    size_t n = 0;
    for (int64_t step = 0; step < 1500; step++)
        n += event(bytes + n, step, (size_t)(step * 7 % 90));
    open_given(b);
    for (size_t at = 0; at < n; at += 4111) {
        put(b, "events.out.tfevents.2", bytes + at, n - at < 4111 ? n - at : 4111, "a");
        look(b);
    }
    assert_true(look(b).value[WATCH_WORK_STEP] == 1499);
}

static void what_is_no_event_file_is_left_alone(void **state)
{
    bench *b = *state;
    open_given(b);
    add(b, "events.out.tfevents.3", "this is no event file, whatever its name says, but long");
    assert_true(isnan(look(b).value[WATCH_WORK_STEP]));
    assert_true(look(b).value[WATCH_WORK_LOG_BYTES] == 55);
}

/* ---- checkpoints ---- */

static void checkpoints_count_once_a_moment_when_they_stand_still(void **state)
{
    bench *b = *state;
    add(b, "weights/last.pt", "old");
    open_given(b);
    assert_true(look(b).value[WATCH_WORK_CHECKPOINTS] == 0); /* was there before */
    assert_true(look(b).value[WATCH_WORK_CHECKPOINTS] == 0);
    poll(NULL, 0, 20);
    add(b, "weights/last.pt", "new");
    add(b, "weights/best.pt", "new");
    assert_true(look(b).value[WATCH_WORK_CHECKPOINTS] == 0); /* may be in the middle of it */
    add(b, "weights/last.pt", "more");
    assert_true(look(b).value[WATCH_WORK_CHECKPOINTS] == 0);
    assert_true(look(b).value[WATCH_WORK_CHECKPOINTS] == 1);
    assert_true(look(b).value[WATCH_WORK_CHECKPOINTS] == 1);
    add(b, "checkpoint-500/model.safetensors", "x");
    look(b);
    assert_true(look(b).value[WATCH_WORK_CHECKPOINTS] == 2);
}

static void names_without_end_stay_within_bounds(void **state)
{
    bench *b = *state;
    open_given(b);
    look(b);
    const size_t bytes = b->mem.in_use_bytes;
    for (int i = 0; i < 300; i++) {
        char name[64];
        snprintf(name, sizeof name, "step_%d.ckpt", i);
        add(b, name, "x");
        look(b);
    }
    assert_true(look(b).value[WATCH_WORK_CHECKPOINTS] >= 128);
    assert_int_equal(b->mem.in_use_bytes, bytes);
}

/* ---- which folder ---- */

/* A job: its working directory is the bench's, and it may hold a file open for writing. */
static pid_t start_job(const bench *b, const char *holds)
{
    int ready[2];
    char go;
    assert_int_equal(pipe(ready), 0);
    const pid_t pid = fork();
    if (pid == 0) {
        if (chdir(b->folder) != 0 || (holds != NULL && open(holds, O_WRONLY | O_APPEND) < 0) ||
            write(ready[1], "g", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &go, 1), 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}

static void follow(bench *b, pid_t pid)
{
    bool is_there;
    watch_tree_destroy(&b->tree);
    const watch_tree_options o = {.main_pid = pid, .proc = "/proc"};
    assert_int_equal(watch_tree_create(&b->tree, &o, &b->mem, &b->err), VG_OK);
    assert_int_equal(watch_tree_look(b->tree, 0, &is_there, &b->mem, &b->err), VG_OK);
    assert_int_equal(watch_progress_create(&b->progress, NULL, &b->mem, &b->err), VG_OK);
}

static void a_command_line_names_folders_of_runs(void **state)
{
    (void)state;
    static const char line[] = "yolo\0train\0project=/data/out\0--output_dir\0a b\0projects=x\0"
                               "--log-dir=l\0project\0--save_dir";
    static const char *const wanted[] = {"/data/out", "a b", "l"};
    size_t at = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        assert_string_equal(watch_run_argument(line, sizeof line, &at), wanted[i]);
    assert_null(watch_run_argument(line, sizeof line, &at));
    at = 0;
    assert_null(watch_run_argument("project=x", 9, &at)); /* cut off */
}

static void end_job(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void the_folder_of_a_file_held_open_is_found(void **state)
{
    bench *b = *state;
    char expected[128];
    add(b, "runs/detect/train7/results.csv", "epoch\n1\n");
    add(b, "elsewhere/events.out.tfevents.9", "");
    const pid_t job = start_job(b, "elsewhere/events.out.tfevents.9");
    follow(b, job);
    look(b);
    snprintf(expected, sizeof expected, "%s/elsewhere", b->folder);
    assert_string_equal(watch_progress_folder(b->progress), expected);
    end_job(job);
}

static void the_newest_run_of_its_own_time_is_found_below_the_working_directory(void **state)
{
    bench *b = *state;
    char path[128];
    add(b, "runs/detect/train1/results.csv", "epoch\n1\n2\n");
    snprintf(path, sizeof path, "%s/runs/detect/train1/results.csv", b->folder);
    const struct timespec old[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
    assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    const pid_t job = start_job(b, NULL);
    follow(b, job);
    look(b);
    assert_string_equal(watch_progress_folder(b->progress), ""); /* of an earlier life */
    add(b, "runs/detect/train2/results.csv", "epoch\n1\n");
    for (int i = 0; i < 4; i++)
        look(b);
    assert_non_null(strstr(watch_progress_folder(b->progress), "/runs/detect/train2"));
    const watch_sample s = look(b);
    assert_true(s.value[WATCH_WORK_EPOCH] == 1);
    assert_true(s.value[WATCH_WORK_RUNS] == 1);
    poll(NULL, 0, 20);
    add(b, "runs/detect/train3/results.csv", "epoch\n1\n2\n3\n"); /* a second train() */
    for (int i = 0; i < 15; i++)
        look(b);
    assert_true(look(b).value[WATCH_WORK_RUNS] == 2);
    assert_true(look(b).value[WATCH_WORK_EPOCH] == 3);
    end_job(job);
}

static void a_folder_that_is_not_there_is_waited_for(void **state)
{
    bench *b = *state;
    char folder[128];
    snprintf(folder, sizeof folder, "%s/later", b->folder);
    assert_int_equal(watch_progress_create(&b->progress, folder, &b->mem, &b->err), VG_OK);
    assert_true(isnan(look(b).value[WATCH_WORK_EPOCH]));
    add(b, "later/results.csv", "epoch\n1\n");
    assert_true(look(b).value[WATCH_WORK_EPOCH] == 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(a_table_is_the_same_at_any_cut),
        T(epochs_from_zero_and_rows_without_one_are_counted),
        T(a_field_without_end_is_no_number),
        T(rows_are_seen_as_they_come_and_a_cut_file_is_begun_anew),
        T(an_epoch_without_times_is_timed_by_the_clock),
        T(the_step_of_the_last_whole_record_is_told),
        T(any_cut_of_an_event_file_leads_to_the_same_step),
        T(what_is_no_event_file_is_left_alone),
        T(checkpoints_count_once_a_moment_when_they_stand_still),
        T(names_without_end_stay_within_bounds),
        T(a_command_line_names_folders_of_runs),
        T(the_folder_of_a_file_held_open_is_found),
        T(the_newest_run_of_its_own_time_is_found_below_the_working_directory),
        T(a_folder_that_is_not_there_is_waited_for)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
