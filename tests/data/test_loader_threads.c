/* test_loader_threads.c: threads and their end, at any moment. Meant for the thread sanitizer, but
 * good everywhere. */
#include "support.h"

#include <unistd.h>

static base_mem mem = {.tag = "test"};

static data_loader_options options(int workers)
{
    return (data_loader_options){.imgsz = 32,
                                 .batch = 2,
                                 .n_workers = workers,
                                 .n_batches = 3,
                                 .train = true,
                                 .augment = DATA_AUGMENT_DEFAULT,
                                 .recent_bytes = 20000};
}

static void a_loader_ends_after_any_number_of_batches(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_fill(&f, "train", 9);
    data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
    size_t before = mem.in_use_bytes;
    for (int workers = 0; workers <= 3; workers++)
        for (int batches = -1; batches <= 6; batches++) {
            data_loader *l = NULL;
            const data_batch *b;
            data_loader_options o = options(workers);
            o.cache = batches % 2 ? DATA_CACHE_RAM : DATA_CACHE_NONE;
            o.cache_bytes = 10000;
            OK(data_loader_create(&l, set, &o, &mem, err));
            if (batches >= 0)
                OK(data_loader_start(l, 0, 0, err));
            for (int i = 0; i < batches; i++) {
                OK(data_loader_next(l, &b, err));
                assert_true((b != NULL) == (i < 5));
            }
            if (batches % 3 == 1)
                usleep(2000); /* so that threads are at the bound, asleep */
            data_loader_destroy(&l);
            assert_null(l);
            assert_int_equal(mem.in_use_bytes, before);
        }
    data_set_destroy(&set);
    farm_close(&f);
}

static void epochs_can_be_left_and_begun_again(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_fill(&f, "train", 9);
    data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
    data_loader *l = NULL;
    const data_batch *b;
    data_loader_options o = options(3);
    OK(data_loader_create(&l, set, &o, &mem, err));
    OK(data_loader_next(l, &b, err)); /* before the first start there is nothing */
    assert_null(b);
    for (uint64_t epoch = 0; epoch < 60; epoch++) {
        OK(data_loader_start(l, epoch, epoch % 5, err));
        for (uint64_t i = 0; i < epoch % 4; i++) {
            OK(data_loader_next(l, &b, err));
            if (b)
                assert_int_equal(b->index, epoch % 5 + i);
        }
        if (epoch % 7 == 0)
            OK(data_loader_set_augment(l, &o.augment, err));
    }
    assert_true(data_loader_stats_get(l).n_recent + data_loader_stats_get(l).n_decoded > 60);
    data_loader_destroy(&l);
    data_set_destroy(&set);
    farm_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loader_ends_after_any_number_of_batches),
        cmocka_unit_test(epochs_can_be_left_and_begun_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
