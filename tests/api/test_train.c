/* A run through vigil.h: from arguments by name to a folder with everything in it. What training
 * does is proved in tests/train. */
#include "set.h"

#include <sys/resource.h>

static char folder[256];

static int set_up(void **state)
{
    (void)state;
    if (folder_make(folder, sizeof folder) != 0)
        return -1;
    set_make(folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return folder_remove(folder);
}

static void prepare(vg_train *t)
{
    vg_error err;
    if (vg_train_prepare(t, &err) != VG_OK)
        fail_msg("%s (%s)", err.what, err.where);
}

/* What a listener saw, and what it does. */
typedef struct seen {
    int n_batches, n_epochs;
    vg_train_batch batch;
    vg_train_epoch epoch;
    vg_error trouble; /* of the last epoch that had one */
    int n_troubles, stop_after;
    const char *block; /* after the first batch a folder with something in it is made here */
} seen;

static void batch_seen(void *ctx, const vg_train_batch *b)
{
    seen *s = ctx;
    s->batch = *b;
    if (s->n_batches++ == 0 && s->block) {
        assert_int_equal(mkdir(s->block, 0777), 0);
        scene_write_text(scene_path(s->block, "x"), "x");
    }
}

static void epoch_seen(void *ctx, const vg_train_epoch *e)
{
    seen *s = ctx;
    s->n_epochs++;
    s->epoch = *e;
    if (e->trouble) {
        s->n_troubles++;
        s->trouble = *e->trouble;
    }
}

static bool stop_wanted(void *ctx)
{
    const seen *s = ctx;
    return s->stop_after > 0 && s->n_batches >= s->stop_after;
}

static vg_train_listener listener(seen *s)
{
    return (vg_train_listener){
        .ctx = s, .batch = batch_seen, .epoch = epoch_seen, .wants_stop = stop_wanted};
}

/* A letter for everything that a listener is told, and results as they were handed over. */
typedef struct story {
    char told[256];
    size_t n;
    vg_train *stops; /* at the first batch, by vg_train_stop */
    vg_val_result last;
    vg_status end;
    char saved[600];
} story;

static void tell(void *ctx, char letter)
{
    story *s = ctx;
    if (s->n + 1 < sizeof s->told)
        s->told[s->n++] = letter;
}

static void told_start(void *ctx)
{
    tell(ctx, 'S');
}

static void told_epoch_start(void *ctx, int epoch, int n_epochs)
{
    assert_true(epoch >= 1 && epoch <= n_epochs);
    tell(ctx, 'e');
}

static void told_batch(void *ctx, const vg_train_batch *b)
{
    (void)b;
    tell(ctx, 'b');
    if (((story *)ctx)->stops != NULL)
        vg_train_stop(((story *)ctx)->stops);
}

static void told_validating(void *ctx, bool is_final)
{
    tell(ctx, is_final ? 'F' : 'v');
}

static void told_validated(void *ctx, const vg_val_result *r, bool is_final)
{
    ((story *)ctx)->last = *r;
    tell(ctx, is_final ? 'f' : 'V');
}

static void told_saved(void *ctx, const char *path, bool is_checkpoint)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0); /* it is there */
    snprintf(((story *)ctx)->saved, sizeof((story *)ctx)->saved, "%s", path);
    tell(ctx, is_checkpoint ? 'c' : 'w');
}

static void told_epoch(void *ctx, const vg_train_epoch *e)
{
    (void)e;
    tell(ctx, 'E');
}

static void told_end(void *ctx, vg_status status)
{
    ((story *)ctx)->end = status;
    tell(ctx, 'X');
}

static vg_train_listener story_listener(story *s)
{
    return (vg_train_listener){.ctx = s,
                               .batch = told_batch,
                               .epoch = told_epoch,
                               .start = told_start,
                               .epoch_start = told_epoch_start,
                               .validating = told_validating,
                               .validated = told_validated,
                               .saved = told_saved,
                               .end = told_end};
}

/* ---- tests ---- */

static void who_listens_is_told_everything_in_order(void **state)
{
    (void)state;
    vg_error err;
    vg_train_info info;
    story s = {.end = VG_ERR_SYSTEM};
    const vg_train_listener l = story_listener(&s);
    vg_train *t = set_train(folder);
    set_arg(t, "epochs", "2");
    set_arg(t, "plots", "false");
    prepare(t);
    if (vg_train_run(t, &l, &err) != VG_OK)
        fail_msg("%s (%s)", err.what, err.where);
    assert_string_equal(s.told, "SebbvVwcEebbvVwcEFfwX");
    assert_int_equal(s.end, VG_OK);
    assert_int_equal(s.last.n_pictures, SET_VAL);
    vg_train_info_get(t, &info);
    assert_string_equal(s.saved, info.last);
    assert_true(set_has(info.folder, "weights/best.safetensors"));
    assert_non_null(strstr(info.best, "weights/best.safetensors"));
    assert_int_equal(info.best_epoch, 2); /* equally good, and newer */
    vg_train_destroy(&t);
}

/* As a signal's handler would. */
static void a_run_can_be_stopped_from_outside(void **state)
{
    (void)state;
    vg_error err;
    vg_train *t = set_train(folder);
    story s = {.stops = t};
    const vg_train_listener l = story_listener(&s);
    set_arg(t, "plots", "false");
    prepare(t);
    assert_int_equal(vg_train_run(t, &l, &err), VG_ERR_INTERRUPTED);
    assert_non_null(strstr(err.mend, "resume"));
    assert_string_equal(s.told, "SebcX");
    assert_int_equal(s.end, VG_ERR_INTERRUPTED);
    assert_non_null(strstr(s.saved, "weights/last.safetensors"));
    vg_train_destroy(&t);
}

static void in_order(const double *points, size_t n, bool rises)
{
    for (size_t i = 0; i < n; i++) {
        assert_true(points[i] >= 0 && points[i] <= 1);
        assert_true(i == 0 || rises || points[i] <= points[i - 1]);
    }
}

/* Trained for long enough that something is found. */
static void a_result_has_what_plots_are_made_of(void **state)
{
    (void)state;
    vg_error err;
    if (scene_is_slow())
        skip();
    vg_train *t = set_train(folder);
    set_arg(t, "epochs", "120");
    set_arg(t, "val", "false");
    set_arg(t, "plots", "false");
    set_arg(t, "mosaic", "0");
    set_arg(t, "optimizer", "AdamW");
    set_arg(t, "lr0", "0.005");
    set_arg(t, "translate", "0");
    set_arg(t, "scale", "0");
    set_arg(t, "warmup_epochs", "0");
    prepare(t);
    if (vg_train_run(t, NULL, &err) != VG_OK)
        fail_msg("%s (%s)", err.what, err.where);
    const vg_val_result *r = vg_train_final(t);
    const vg_val_curves *c = &r->curves;
    assert_true(r->n_classes >= 1);
    assert_int_equal(c->n_points, 1000);
    assert_int_equal(c->nc, 2);
    assert_true(r->best_conf >= 0 && r->best_conf <= 1);
    const size_t best = (size_t)(r->best_conf * 999 + 0.5);
    for (size_t k = 0; k < r->n_classes; k++) {
        const vg_val_class *row = &r->classes[k];
        double mean = 0;
        in_order(c->p + k * 1000, 1000, true);
        in_order(c->r + k * 1000, 1000, false);
        in_order(c->f1 + k * 1000, 1000, true);
        in_order(c->pr + k * 1000, 1000, false);
        for (size_t i = 0; i < 10; i++)
            mean += c->ap[k * 10 + i] / 10;
        assert_true(mean > row->map - 1e-9 && mean < row->map + 1e-9);
        assert_true(c->ap[k * 10] == row->map50);
        assert_true(c->p[k * 1000 + best] == row->precision);
        assert_true(c->r[k * 1000 + best] == row->recall);
        assert_true(c->f1[k * 1000 + best] == row->f1);
        assert_true(c->maps[row->class_index] > row->map - 1e-9 &&
                    c->maps[row->class_index] < row->map + 1e-9);
    }
    /* Every object is in the column of its class. */
    for (size_t truth = 0; truth < 2; truth++) {
        uint64_t n = 0;
        for (size_t predicted = 0; predicted < 3; predicted++)
            n += c->confusion[predicted * 3 + truth];
        assert_int_equal(n, SET_VAL);
    }
    vg_train_destroy(&t);
}

static void a_run_leaves_every_file_that_users_know(void **state)
{
    (void)state;
    static const char *const files[] = {"args.yaml",
                                        "results.csv",
                                        "results.png",
                                        "labels.jpg",
                                        "confusion_matrix.png",
                                        "confusion_matrix_normalized.png",
                                        "PR_curve.png",
                                        "labels_correlogram.jpg",
                                        "P_curve.png",
                                        "R_curve.png",
                                        "F1_curve.png",
                                        "weights/best.safetensors",
                                        "train_batch0.jpg",
                                        "train_batch1.jpg",
                                        "weights/last.safetensors",
                                        "train_batch2.jpg",
                                        "train_batch3.jpg",
                                        "val_batch0_labels.jpg",
                                        "predictions.json",
                                        "val_batch0_pred.jpg"};
    vg_error err;
    vg_train_info info;
    seen s = {0};
    const vg_train_listener l = listener(&s);
    vg_train *t = set_train(folder);
    set_arg(t, "epochs", "2");
    set_arg(t, "close_mosaic", "1");
    set_arg(t, "save_json", "true");
    prepare(t);
    vg_train_info_get(t, &info);
    assert_int_equal(info.n_classes, 2);
    assert_int_equal(info.train.n_pictures, SET_TRAIN);
    assert_int_equal(info.val.n_objects, SET_VAL * SET_BOXES);
    assert_null(vg_train_final(t));
    if (vg_train_run(t, &l, &err) != VG_OK)
        fail_msg("%s (%s)", err.what, err.where);
    assert_int_equal(s.n_batches, 4);
    assert_int_equal(s.n_epochs, 2);
    assert_int_equal(s.epoch.epoch, 2);
    assert_int_equal(s.n_troubles, 0);
    assert_true(s.epoch.is_validated && s.epoch.train_loss[0] > 0 && s.epoch.val_loss[2] > 0);
    const vg_val_result *r = vg_train_final(t);
    assert_non_null(r);
    assert_int_equal(r->n_pictures, SET_VAL);
    char run[512];
    snprintf(run, sizeof run, "%s", info.folder);
    vg_train_destroy(&t); /* and with it the files that say that it runs */
    assert_null(t);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!set_has(run, files[i]))
            fail_msg("no %s", files[i]);
    /* Four batches have pictures: two epochs of two, the second without mosaic; one event file. */
    assert_int_equal(folder_count_entries(run), (int)(sizeof files / sizeof *files) - 2 + 1 + 1);
    assert_int_equal(folder_count_entries(scene_path(run, "weights")), 2);
}

/* args.yaml, the weights and who asks all have the size that was used. */
static void imgsz_is_raised_to_the_stride_and_kept_so(void **state)
{
    (void)state;
    vg_error err;
    vg_train_info info;
    char path[700], text[8192];
    vg_train *t = set_train(folder);
    set_arg(t, "imgsz", "40");
    set_arg(t, "plots", "false");
    if (vg_train_prepare(t, &err) != VG_OK)
        fail_msg("%s (%s)", err.what, err.where);
    vg_train_info_get(t, &info);
    assert_int_equal(info.imgsz, 64);
    assert_int_equal(info.asked_imgsz, 40);
    assert_int_equal(info.max_stride, 32);
    snprintf(path, sizeof path, "%s/args.yaml", info.folder);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    assert_non_null(strstr(text, "\nimgsz: 64\n"));
    vg_train_destroy(&t);
}

static void refuse(const char *name, const char *value, vg_status status, const char *what,
                   const char *mend)
{
    vg_error err = {0};
    vg_train *t = set_train(folder);
    set_arg(t, name, value);
    const vg_status st = vg_train_prepare(t, &err);
    if (st != status || strstr(err.what, what) == NULL || strstr(err.mend, mend) == NULL)
        fail_msg("%s: %s; at %s; try %s", value, err.what, err.where, err.mend);
    vg_train_destroy(&t);
}

static void what_cannot_be_resumed_says_what_to_do_with_it(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s/last.pt", folder);
    scene_write_text(path, "x");
    refuse("resume", path, VG_ERR_UNSUPPORTED, "of the Python tool", "--weights ");
    char theirs[256]; /* a whole run of it */
    snprintf(theirs, sizeof theirs, "%.200s/theirs", folder);
    assert_int_equal(mkdir(theirs, 0700), 0);
    snprintf(path, sizeof path, "%s/weights", theirs);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/weights/last.pt", theirs);
    scene_write_text(path, "x");
    refuse("resume", theirs, VG_ERR_UNSUPPORTED, "of the Python tool", "/theirs/weights/last.pt ");
    snprintf(path, sizeof path, "%s/best.safetensors", folder);
    scene_write_text(path, "x");
    refuse("resume", path, VG_ERR_ARGUMENT, "weights alone", "--weights ");
    snprintf(path, sizeof path, "%s/data.yaml", folder);
    refuse("resume", path, VG_ERR_ARGUMENT, "neither a run's folder", "last.safetensors");
    refuse("model", path, VG_ERR_ARGUMENT, "a dataset's YAML where a model is wanted", "data=");
}

/* cfg=args.yaml, and what was set beside it stays. */
static void a_list_of_arguments_is_taken_as_one(void **state)
{
    (void)state;
    char path[512];
    vg_error err;
    vg_train_info info;
    snprintf(path, sizeof path, "%s/args.yaml", folder);
    scene_write_text(path, "task: detect\nmodel: yolo11n.yaml\nimgsz: 32\nepochs: 9\nbatch: 2\n"
                           "tracker: botsort.yaml\nsave_dir: runs/t\n");
    vg_train *t = set_train(folder);
    set_arg(t, "cfg", path);
    set_arg(t, "epochs", "2");
    set_arg(t, "plots", "false");
    if (vg_train_prepare(t, &err) != VG_OK)
        fail_msg("%s (%s)", err.what, err.where);
    vg_train_info_get(t, &info);
    assert_string_equal(info.model, "yolo11n");
    assert_int_equal(info.epochs, 2);
    assert_non_null(strstr(vg_train_message(t, 0), "are left out: tracker"));
    vg_train_destroy(&t);
}

/* No file can be opened from the end of epoch 2's batches until that epoch is over. */
typedef struct shortage {
    struct rlimit before;
    int n_told, n_epochs;
    char told[2][600];
} shortage;

static void take_descriptors(void *ctx, const vg_train_batch *b)
{
    shortage *s = ctx;
    if (b->epoch != 2 || b->batch != b->n_batches)
        return;
    struct rlimit none = s->before;
    none.rlim_cur = 3;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

static void give_descriptors(void *ctx, const vg_train_epoch *e)
{
    shortage *s = ctx;
    s->n_epochs++;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &s->before), 0);
    if (e->trouble != NULL && s->n_told < 2)
        snprintf(s->told[s->n_told++], sizeof s->told[0], "%s", e->trouble->what);
}

static void a_shortage_that_passes_ends_no_run(void **state)
{
    (void)state;
    shortage s = {.n_epochs = 0};
    vg_error err = {0};
    vg_train_info info;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &s.before), 0);
    vg_train *t = set_train(folder);
    set_arg(t, "name", "short");
    set_arg(t, "epochs", "4");
    set_arg(t, "cache", "ram"); /* pictures are not opened again */
    set_arg(t, "plots", "false");
    prepare(t);
    const vg_train_listener l = {.ctx = &s, .batch = take_descriptors, .epoch = give_descriptors};
    if (vg_train_run(t, &l, &err) != VG_OK)
        fail_msg("%s (%s)", err.what, err.where);
    vg_train_info_get(t, &info);
    assert_int_equal(s.n_epochs, 4);
    assert_int_equal(s.n_told, 2);
    assert_non_null(strstr(s.told[0], "Too many open files"));
    assert_non_null(strstr(s.told[1], "there is room again"));
    assert_true(set_has(info.folder, "weights/best.safetensors"));
    assert_true(set_has(info.folder, "weights/last.safetensors"));
    vg_train_destroy(&t);
}

static void without_plots_no_picture_is_drawn_and_less_is_held(void **state)
{
    (void)state;
    vg_memory with, without;
    vg_train_info info;
    vg_train *t = set_train(folder);
    prepare(t);
    vg_train_memory(t, &with);
    vg_train_destroy(&t);
    t = set_train(folder);
    set_arg(t, "plots", "false");
    prepare(t);
    vg_train_memory(t, &without);
    vg_train_info_get(t, &info);
    assert_false(set_has(info.folder, "labels.jpg"));
    assert_true(with.planned_bytes > without.planned_bytes + 2 * 4 * 64 * 4 * 64 * 3);
    vg_train_destroy(&t);
}

/* The run goes on, the epoch says so, and the end says so again. */
static void a_picture_that_cannot_be_written_ends_no_run(void **state)
{
    (void)state;
    vg_error err;
    vg_train_info info;
    char block[600];
    seen s = {.block = block};
    const vg_train_listener l = listener(&s);
    vg_train *t = set_train(folder);
    set_arg(t, "epochs", "2");
    set_arg(t, "close_mosaic", "0");
    prepare(t);
    vg_train_info_get(t, &info);
    snprintf(block, sizeof block, "%s/train_batch1.jpg", info.folder);
    assert_int_equal(vg_train_run(t, &l, &err), VG_ERR_IO);
    assert_non_null(strstr(err.where, "train_batch1.jpg"));
    assert_null(strstr(err.what, " more "));
    assert_int_equal(s.n_epochs, 2);
    assert_int_equal(s.n_troubles, 1); /* told once */
    assert_non_null(strstr(s.trouble.where, "train_batch1.jpg"));
    assert_non_null(vg_train_final(t));
    assert_true(set_has(info.folder, "train_batch2.jpg"));
    assert_true(set_has(info.folder, "val_batch0_pred.jpg"));
    assert_true(set_has(info.folder, "results.png"));
    assert_true(set_has(info.folder, "weights/best.safetensors"));
    vg_train_destroy(&t);
}

static void a_run_that_was_stopped_goes_on(void **state)
{
    (void)state;
    vg_error err;
    vg_train_info info;
    char run[512];
    seen s = {.stop_after = 3};
    const vg_train_listener l = listener(&s);
    vg_train *t = set_train(folder);
    set_arg(t, "epochs", "2");
    prepare(t);
    vg_train_info_get(t, &info);
    snprintf(run, sizeof run, "%s", info.folder);
    assert_int_equal(vg_train_run(t, &l, &err), VG_ERR_INTERRUPTED);
    assert_non_null(strstr(err.mend, "resume="));
    assert_null(vg_train_final(t));
    vg_train_destroy(&t);

    assert_int_equal(vg_train_create(&t, &err), VG_OK);
    set_arg(t, "resume", run);
    prepare(t);
    vg_train_info_get(t, &info);
    assert_string_equal(info.folder, run);
    assert_int_equal(info.start_epoch, 1);
    assert_int_equal(info.epochs, 2);
    assert_int_equal(vg_train_run(t, NULL, &err), VG_OK);
    assert_non_null(vg_train_final(t));
    assert_true(set_has(run, "train_batch0.jpg") && set_has(run, "val_batch0_pred.jpg"));
    vg_train_destroy(&t);
}

static void the_table_of_arguments_is_whole(void **state)
{
    (void)state;
    bool has_epochs = false;
    size_t n;
    const vg_option *rows = vg_train_options(&n);
    vg_train *t = NULL;
    assert_int_equal(vg_train_create(&t, NULL), VG_OK);
    for (size_t i = 0; i < n; i++) {
        if (rows[i].preset[0])
            set_arg(t, rows[i].name, rows[i].preset); /* every default is one that set takes */
        has_epochs |= strcmp(rows[i].name, "epochs") == 0 && strcmp(rows[i].preset, "100") == 0;
    }
    assert_true(has_epochs);
    vg_train_destroy(&t);
    vg_train_destroy(&t);
}

static void wrong_runs_are_refused_and_leave_no_folder(void **state)
{
    (void)state;
    static const struct row {
        const char *name, *value, *what;
        vg_status want;
    } rows[] = {
        {"data", "", "no dataset was given", VG_ERR_ARGUMENT},
        {"data", "/nowhere/data.yaml", "No such file", VG_ERR_IO},
        {"model", "", "no model was given", VG_ERR_ARGUMENT},
        {"model", "yolo12x.yaml", "no such model", VG_ERR_ARGUMENT},
        {"weights", "/nowhere/w.pt", "No such file", VG_ERR_IO},
        {"classes", "2", "class 2 in a dataset of 2 classes", VG_ERR_ARGUMENT},
        {"split", "test", "test", VG_ERR_FORMAT},
        {"resume", "/nowhere", "no such run", VG_ERR_IO},
    };
    vg_error err;
    vg_train *t = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        t = set_train(folder);
        set_arg(t, rows[i].name, rows[i].value);
        const vg_status st = vg_train_prepare(t, &err);
        if (st != rows[i].want || !strstr(err.what, rows[i].what))
            fail_msg("%s=%s: %s: %s", rows[i].name, rows[i].value, vg_status_name(st), err.what);
        vg_train_destroy(&t);
        if (folder_count_entries(scene_path(folder, "runs")) > 0)
            fail_msg("%s=%s left a folder", rows[i].name, rows[i].value);
    }
    t = set_train(folder);
    assert_int_equal(vg_train_set(t, "ephocs", "1", &err), VG_ERR_ARGUMENT);
    assert_non_null(strstr(err.mend, "epochs"));
    assert_int_equal(vg_train_set(t, "epochs", "many", &err), VG_ERR_ARGUMENT);
    assert_int_equal(vg_train_run(t, NULL, &err), VG_ERR_ARGUMENT);
    prepare(t);
    assert_int_equal(vg_train_prepare(t, &err), VG_ERR_ARGUMENT);
    assert_int_equal(vg_train_set(t, "epochs", "3", &err), VG_ERR_ARGUMENT);
    vg_train_destroy(&t);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_run_leaves_every_file_that_users_know),
        TEST(imgsz_is_raised_to_the_stride_and_kept_so),
        TEST(what_cannot_be_resumed_says_what_to_do_with_it),
        TEST(a_list_of_arguments_is_taken_as_one),
        TEST(a_shortage_that_passes_ends_no_run),
        TEST(without_plots_no_picture_is_drawn_and_less_is_held),
        TEST(a_picture_that_cannot_be_written_ends_no_run),
        TEST(a_run_that_was_stopped_goes_on),
        TEST(who_listens_is_told_everything_in_order),
        TEST(a_run_can_be_stopped_from_outside),
        TEST(a_result_has_what_plots_are_made_of),
        TEST(the_table_of_arguments_is_whole),
        TEST(wrong_runs_are_refused_and_leave_no_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
