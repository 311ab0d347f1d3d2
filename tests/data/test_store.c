/* test_store.c: where pictures are kept, and that budgets hold. */
#include "support.h"

#include "data/batch.h"
#include "data/store.h"

static base_mem mem = {.tag = "test"};

typedef struct bench {
    farm f;
    data_set *set;
    store *s;
    store_io io;
} bench;

static void bench_open(bench *b)
{
    farm_open(&b->f);
    farm_fill(&b->f, "train", 8);
    b->set = farm_set(&b->f, &(data_set_options){0}, &mem);
    b->s = NULL;
    OK(store_io_create(&b->io, b->set, 32, &mem, err));
}

static void bench_close(bench *b)
{
    store_destroy(&b->s);
    store_io_fini(&b->io);
    data_set_destroy(&b->set);
    assert_int_equal(mem.in_use_bytes, 0);
    farm_close(&b->f);
}

static void make(bench *b, store_options o)
{
    o.imgsz = 32;
    store_destroy(&b->s);
    OK(store_create(&b->s, b->set, &o, &mem, err));
}

static uint64_t pixels(bench *b, size_t index)
{
    store_loan loan;
    OK(store_get(b->s, &b->io, &loan, index, true, &mem, err));
    uint64_t h = base_hash(BASE_HASH_START, loan.view.data, loan.view.stride * (size_t)loan.view.h);
    assert_int_equal(loan.view.stride, 3 * loan.view.w);
    store_give_back(b->s, &loan);
    return h;
}

static data_loader_stats stats(bench *b)
{
    data_loader_stats s = {0};
    store_stats(b->s, &s);
    return s;
}

static void sizes_are_rounded_up_as_the_reference_does(void **state)
{
    (void)state;
    static const int cases[][5] = {{640, 480, 320, 320, 240},  {1000, 667, 640, 640, 427},
                                   {333, 1000, 640, 214, 640}, {31, 64, 64, 31, 64},
                                   {10, 7, 64, 64, 45},        {1, 1000, 32, 1, 32}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int w, h;
        store_size(&w, &h, cases[i][0], cases[i][1], cases[i][2]);
        assert_int_equal(w, cases[i][3]);
        assert_int_equal(h, cases[i][4]);
    }
}

static void every_way_gives_the_same_pixels(void **state)
{
    (void)state;
    bench b;
    uint64_t want[8];
    bench_open(&b);
    make(&b, (store_options){0});
    for (size_t i = 0; i < 8; i++)
        want[i] = pixels(&b, i);
    static const store_options ways[] = {
        {.cache = DATA_CACHE_RAM},
        {.cache = DATA_CACHE_DISK},
        {.n_recent = 3, .recent_bytes = 1 << 20},
        {.cache = DATA_CACHE_RAM, .cache_bytes = 5000, .n_recent = 2, .recent_bytes = 1 << 20}};
    for (size_t way = 0; way < 4; way++) {
        make(&b, ways[way]);
        for (int round = 0; round < 3; round++)
            for (size_t i = 0; i < 8; i++)
                assert_true(pixels(&b, i) == want[i]);
    }
    bench_close(&b);
}

static void ram_keeps_the_first_until_its_budget_is_full(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    make(&b, (store_options){.cache = DATA_CACHE_RAM});
    size_t most = 0;
    for (size_t i = 0; i < 8; i++) {
        pixels(&b, i);
        most = stats(&b).cache_bytes;
    }
    for (size_t i = 0; i < 8; i++)
        pixels(&b, i);
    assert_int_equal(stats(&b).n_decoded, 8);
    assert_int_equal(stats(&b).n_from_cache, 8);
    assert_int_equal(stats(&b).cache_bytes, most);

    make(&b, (store_options){.cache = DATA_CACHE_RAM, .cache_bytes = most / 2});
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < 8; i++)
            pixels(&b, i);
    data_loader_stats s = stats(&b);
    assert_true(s.cache_bytes <= most / 2 && s.cache_bytes > most / 4);
    assert_true(s.n_from_cache >= 6 && s.n_from_cache <= 10);
    assert_int_equal(s.n_from_cache + s.n_decoded, 24);
    bench_close(&b);
}

static void the_ring_holds_the_latest(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    make(&b, (store_options){.n_recent = 3, .recent_bytes = 1 << 20});
    for (size_t i = 0; i < 8; i++)
        pixels(&b, i);
    for (size_t i = 5; i < 8; i++)
        pixels(&b, i);
    assert_int_equal(stats(&b).n_decoded, 8);
    assert_int_equal(stats(&b).n_recent, 3);
    pixels(&b, 4);
    assert_int_equal(stats(&b).n_decoded, 9);
    bench_close(&b);
}

/* What is on loan is not written over, even when more is asked for than the ring holds. */
static void a_loan_stays_as_it_is(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    make(&b, (store_options){.n_recent = 2, .recent_bytes = 1 << 20});
    store_loan one, two;
    OK(store_get(b.s, &b.io, &one, 0, true, &mem, err));
    size_t n = one.view.stride * (size_t)one.view.h;
    uint64_t before = base_hash(BASE_HASH_START, one.view.data, n);
    OK(store_get(b.s, &b.io, &two, 1, true, &mem, err));
    for (size_t i = 2; i < 8; i++)
        pixels(&b, i);
    assert_true(base_hash(BASE_HASH_START, one.view.data, n) == before);
    store_give_back(b.s, &one);
    store_give_back(b.s, &two);
    bench_close(&b);
}

static void disk_files_are_used_until_the_picture_changes(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    const store_options o = {.cache = DATA_CACHE_DISK};
    const char *file = "images/train/003.jpg.32.vigil-bin";
    make(&b, o);
    uint64_t want = pixels(&b, 3);
    assert_true(base_path_exists(farm_path(&b.f, file)));
    make(&b, o);
    assert_true(pixels(&b, 3) == want);
    assert_int_equal(stats(&b).n_from_cache, 1);
    assert_int_equal(stats(&b).n_decoded, 0);

    /* Damaged anywhere, or cut: decoded and written again. */
    struct stat info;
    assert_int_equal(stat(farm_path(&b.f, file), &info), 0);
    for (off_t at = 0; at < info.st_size; at += 101) {
        uint8_t byte = 0;
        int fd = open(farm_path(&b.f, file), O_RDWR);
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte ^= 1;
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);
        make(&b, o);
        assert_true(pixels(&b, 3) == want);
        assert_int_equal(stats(&b).n_decoded, 1);
    }
    assert_int_equal(truncate(farm_path(&b.f, file), info.st_size - 1), 0);
    make(&b, o);
    assert_true(pixels(&b, 3) == want);
    assert_int_equal(stats(&b).n_decoded, 1);

    /* The picture's time is another. */
    for (int sec = 1000; sec < 1002; sec++) {
        struct timespec times[2] = {{.tv_sec = sec}, {.tv_sec = sec}};
        assert_int_equal(utimensat(AT_FDCWD, farm_path(&b.f, "images/train/003.jpg"), times, 0), 0);
        make(&b, o);
        assert_true(pixels(&b, 3) == want);
        assert_int_equal(stats(&b).n_decoded, 1);
    }

    /* Another picture of the same shape. */
    farm_picture(&b.f, "images/train/003.jpg", 64, 52, 77);
    data_set_destroy(&b.set);
    b.set = farm_set(&b.f, &(data_set_options){0}, &mem);
    store_io_fini(&b.io);
    OK(store_io_create(&b.io, b.set, 32, &mem, err));
    make(&b, o);
    assert_true(pixels(&b, 3) != want);
    bench_close(&b);
}

static void the_disk_budget_holds(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    make(&b, (store_options){.cache = DATA_CACHE_DISK, .cache_bytes = 6000});
    for (size_t i = 0; i < 8; i++)
        pixels(&b, i);
    off_t written = 0;
    for (int i = 0; i < 8; i++) {
        char name[64];
        struct stat info;
        base_format(name, sizeof name, "images/train/%03d.jpg.32.vigil-bin", i);
        written += stat(farm_path(&b.f, name), &info) == 0 ? info.st_size : 0;
    }
    assert_true(written > 0 && written <= 6000);
    assert_int_equal(stats(&b).cache_bytes, written);
    bench_close(&b);
}

/* Not by permissions, which root has anyway: a folder stands where the file should. */
static void a_disk_that_refuses_costs_nothing(void **state)
{
    (void)state;
    bench b;
    bench_open(&b);
    farm_folder(&b.f, "images/train/000.jpg.32.vigil-bin");
    make(&b, (store_options){0});
    uint64_t want = pixels(&b, 0);
    make(&b, (store_options){.cache = DATA_CACHE_DISK});
    for (size_t i = 0; i < 8; i++)
        pixels(&b, i);
    assert_true(pixels(&b, 0) == want);
    assert_int_equal(stats(&b).cache_bytes, 0);
    assert_false(base_path_exists(farm_path(&b.f, "images/train/001.jpg.32.vigil-bin")));
    bench_close(&b);
}

static void mosaic_draws_from_the_latest_places(void **state)
{
    (void)state;
    size_t first;
    assert_int_equal(batch_window(&first, 0, 500, 4), 32);
    assert_int_equal(first, 0);
    assert_int_equal(batch_window(&first, 31, 500, 4), 32);
    assert_int_equal(first, 0);
    assert_int_equal(batch_window(&first, 32, 500, 4), 32);
    assert_int_equal(first, 1);
    assert_int_equal(batch_window(&first, 499, 500, 4), 32);
    assert_int_equal(first, 468);
    assert_int_equal(batch_window(&first, 9, 10, 16), 10);
    assert_int_equal(first, 0);
    assert_int_equal(batch_window(&first, 4000, 5000, 1024), 1000);
    assert_int_equal(first, 3001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_rounded_up_as_the_reference_does),
        cmocka_unit_test(every_way_gives_the_same_pixels),
        cmocka_unit_test(ram_keeps_the_first_until_its_budget_is_full),
        cmocka_unit_test(the_ring_holds_the_latest),
        cmocka_unit_test(a_loan_stays_as_it_is),
        cmocka_unit_test(disk_files_are_used_until_the_picture_changes),
        cmocka_unit_test(the_disk_budget_holds),
        cmocka_unit_test(a_disk_that_refuses_costs_nothing),
        cmocka_unit_test(mosaic_draws_from_the_latest_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
