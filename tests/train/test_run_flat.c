/* A run's memory, threads and files stay as they are from its first epoch's end to its last:
 * mosaic, multi_scale, several workers, a validation after every epoch. */
#include "support/test.h"

#include <dirent.h>

#include "shop.h"

enum { EPOCHS = 6 };

static shop s;

static int setup(void **state)
{
    (void)state;
    shop_open(&s, 18, 7); /* the last batch of either is smaller */
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    shop_close(&s);
    return 0;
}

/* Entries of a folder of /proc. */
static int count_entries(const char *path)
{
    int n = 0;
    DIR *dir = opendir(path);
    assert_non_null(dir);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

typedef struct standing {
    size_t in_use_bytes, peak_bytes;
    int n_threads, n_files;
} standing;

static standing stand(void)
{
    return (standing){.in_use_bytes = s.mem.in_use_bytes,
                      .peak_bytes = s.mem.peak_bytes,
                      .n_threads = count_entries("/proc/self/task"),
                      .n_files = count_entries("/proc/self/fd")};
}

typedef struct meter {
    int n_epochs;
    int n_steps, n_pictures; /* after the first epoch */
    int n_allocating;        /* of these */
    uint64_t n_allocs;       /* when last looked at */
    standing after[EPOCHS];  /* each epoch */
} meter;

static void look(meter *m, int *n)
{
    if (m->n_epochs > 0) {
        *n += 1;
        m->n_allocating += s.mem.n_allocs != m->n_allocs;
    }
    m->n_allocs = s.mem.n_allocs;
}

static void meter_batch(void *ctx, const vg_train_batch *p)
{
    (void)p;
    meter *m = ctx;
    look(m, &m->n_steps);
}

static vg_status meter_picture(void *ctx, const train_validated *p, bool is_final, vg_error *err)
{
    (void)p, (void)err;
    meter *m = ctx;
    if (!is_final)
        look(m, &m->n_pictures);
    return VG_OK;
}

static void meter_epoch(void *ctx, const vg_train_epoch *e)
{
    (void)e;
    meter *m = ctx;
    assert_true(m->n_epochs < EPOCHS);
    m->n_allocs = s.mem.n_allocs; /* files' headers came and went */
    m->after[m->n_epochs++] = stand();
}

static void expect_flat(const char *folder, const char *const (*values)[2], size_t n_values)
{
    meter m = {0};
    train_run *r = NULL;
    train_args a = shop_args(&s);
    for (size_t i = 0; i < n_values; i++)
        shop_set(&a, values[i][0], values[i][1]);
    OK(train_run_create(&r, &a, shop_folder(&s, folder), &s.accounts, err));
    const standing at_create = stand();
    OK(train_run_go(
        r,
        &(train_listener){
            .ctx = &m, .batch = meter_batch, .epoch = meter_epoch, .validated = meter_picture},
        err));
    assert_int_equal(m.n_epochs, EPOCHS);
    assert_true(m.n_steps >= 5 * (EPOCHS - 1));
    assert_int_equal(m.n_pictures, 7 * (EPOCHS - 1));
    assert_int_equal(m.n_allocating, 0);
    for (int i = 1; i < EPOCHS; i++) {
        assert_int_equal(m.after[i].in_use_bytes, m.after[0].in_use_bytes);
        /* Headers of files say numbers in more digits. */
        assert_true(m.after[i].peak_bytes - m.after[0].peak_bytes < 4096);
        assert_int_equal(m.after[i].n_threads, at_create.n_threads);
        assert_int_equal(m.after[i].n_files, m.after[0].n_files);
    }
    /* What the first epoch adds is the scratch of the workers' decoders. */
    assert_true(m.after[0].in_use_bytes - at_create.in_use_bytes < 1 << 20);
    train_run_destroy(&r);
}

#define EXPECT_FLAT(folder, values) expect_flat(folder, values, sizeof values / sizeof *(values))

static void a_run_of_many_shapes_is_flat(void **state)
{
    (void)state;
    static const char *const values[][2] = {
        {"imgsz", "160"}, {"batch", "4"},          {"nbs", "8"},        {"epochs", "6"},
        {"workers", "2"}, {"threads", "2"},        {"mosaic", "1"},     {"mixup", "0.3"},
        {"cache", "ram"}, {"multi_scale", "true"}, {"save_period", "1"}};
    EXPECT_FLAT("many_shapes", values);
}

/* Without workers the decoding is the caller's. */
static void a_small_plain_run_is_flat(void **state)
{
    (void)state;
    static const char *const values[][2] = {
        {"imgsz", "64"}, {"batch", "1"}, {"nbs", "1"}, {"epochs", "6"}, {"freeze", "22"}};
    EXPECT_FLAT("small", values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_of_many_shapes_is_flat),
        cmocka_unit_test(a_small_plain_run_is_flat),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
