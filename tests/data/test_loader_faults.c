/* test_loader_faults.c: errors carry the path and pass; no allocation that fails is fatal, and none
 * is made once it runs. */
#include "loader_support.h"

#include <math.h>

static base_mem mem = {.tag = "test"};

static void a_picture_that_vanishes_is_an_error_with_its_path(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_fill(&f, "train", 12);
    data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
    for (int workers = 0; workers <= 3; workers += 3) {
        data_loader *l = NULL;
        const data_batch *b = NULL;
        vg_error failure = {0};
        uint64_t hash, again;
        data_loader_options o = training(workers);
        o.recent_bytes = 1; /* nothing is kept */
        OK(data_loader_create(&l, set, &o, &mem, err));
        run_epoch(l, 0, 0, &hash);
        assert_int_equal(
            rename(farm_path(&f, "images/train/005.jpg"), farm_path(&f, "images/away")), 0);
        OK(data_loader_start(l, 0, 0, err));
        vg_status st;
        do
            st = data_loader_next(l, &b, &failure);
        while (st == VG_OK && b);
        assert_int_equal(st, VG_ERR_IO);
        assert_null(b);
        assert_non_null(strstr(failure.where, "005.jpg"));
        assert_true(failure.mend[0] != 0);
        OK(data_loader_next(l, &b, err)); /* the epoch is over */
        assert_null(b);
        farm_picture(&f, "images/train/005.jpg", 33, 44, 1); /* back, but not the same */
        OK(data_loader_start(l, 0, 0, err));
        do
            st = data_loader_next(l, &b, &failure);
        while (st == VG_OK && b);
        assert_int_equal(st, VG_ERR_FORMAT);
        assert_non_null(strstr(failure.what, "changed since it was verified"));
        assert_int_equal(
            rename(farm_path(&f, "images/away"), farm_path(&f, "images/train/005.jpg")), 0);
        run_epoch(l, 0, 0, &again);
        assert_true(hash == again);
        data_loader_destroy(&l);
    }
    data_set_destroy(&set);
    assert_int_equal(mem.in_use_bytes, 0);
    farm_close(&f);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_fill(&f, "train", 2);
    data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
    data_loader_options bad[12];
    for (int i = 0; i < 12; i++)
        bad[i] = training(0);
    bad[0].imgsz = 0;
    bad[1].imgsz = 1 << 20;
    bad[2].batch = 0;
    bad[3].n_workers = -1;
    bad[4].n_workers = 100000;
    bad[5].n_batches = -1;
    bad[6].augment.mosaic = 1.5f;
    bad[7].augment.scale = 1;
    bad[8].augment.hsv_h = NAN;
    bad[9].stride = -1;
    bad[10].augment.degrees = -1;
    bad[11].augment.perspective = 1;
    for (int i = 0; i < 12; i++) {
        data_loader *l = NULL;
        vg_error failure = {0};
        assert_int_equal(data_loader_create(&l, set, &bad[i], &mem, &failure), VG_ERR_ARGUMENT);
        assert_true(!l && failure.what[0] && failure.mend[0] && failure.where[0]);
        assert_int_equal(data_loader_bytes(set, &bad[i]), 0);
    }
    data_set_destroy(&set);
    assert_int_equal(mem.in_use_bytes, 0);
    farm_close(&f);
}

static void no_allocation_that_fails_is_fatal(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_fill(&f, "train", 6);
    data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
    size_t before = mem.in_use_bytes;
    for (int rect = 0; rect < 2; rect++) {
        int64_t at = 1;
        for (bool failed = true; failed; at++) {
            data_loader *l = NULL;
            const data_batch *b = NULL;
            vg_error failure = {0};
            data_loader_options o = training(1);
            o.rect = rect;
            mem.fail_in = at;
            vg_status st = data_loader_create(&l, set, &o, &mem, &failure);
            if (st == VG_OK)
                st = data_loader_start(l, 0, 0, &failure);
            if (st == VG_OK)
                do
                    st = data_loader_next(l, &b, &failure);
                while (st == VG_OK && b);
            failed = mem.fail_in == 0;
            mem.fail_in = 0;
            assert_int_equal(st, failed ? VG_ERR_MEMORY : VG_OK);
            data_loader_destroy(&l);
            assert_int_equal(mem.in_use_bytes, before);
        }
        assert_true(at > 8);
    }
    data_set_destroy(&set);
    farm_close(&f);
}

static void nothing_is_allocated_once_it_runs(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_fill(&f, "train", 12);
    data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
    for (int workers = 0; workers <= 2; workers += 2) {
        uint64_t hash;
        data_loader *l = NULL;
        data_loader_options o = training(workers);
        o.augment.mixup = 0.5f;
        size_t before = mem.in_use_bytes;
        OK(data_loader_create(&l, set, &o, &mem, err));
        /* What create says it takes is what it takes. */
        assert_int_equal(mem.in_use_bytes - before, data_loader_bytes(set, &o));
        data_loader_bounds bounds;
        int most_n, h, w;
        OK(data_loader_plan(&bounds, set, &o, err));
        data_loader_most_shape(l, &most_n, &h, &w);
        assert_true(bounds.n == most_n && bounds.h == h && bounds.w == w);
        assert_int_equal(bounds.n_batches, data_loader_n_batches(l));
        assert_int_equal(bounds.most_labels, data_loader_most_labels(l));
        for (int epoch = 0; epoch < 3; epoch++)
            run_epoch(l, (uint64_t)epoch, 0, &hash);
        uint64_t n = mem.n_allocs;
        for (int epoch = 3; epoch < 9; epoch++)
            run_epoch(l, (uint64_t)epoch, 0, &hash);
        assert_int_equal(mem.n_allocs, n);
        data_loader_destroy(&l);
    }
    data_set_destroy(&set);
    farm_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_picture_that_vanishes_is_an_error_with_its_path),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(no_allocation_that_fails_is_fatal),
        cmocka_unit_test(nothing_is_allocated_once_it_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
