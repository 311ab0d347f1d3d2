/* A run learns what there is to learn in a tiny dataset. */
#include "support/test.h"

#include "shop.h"

typedef struct diary {
    int n;
    vg_train_epoch rows[64];
} diary;

static void note_epoch(void *ctx, const vg_train_epoch *e)
{
    diary *d = ctx;
    assert_true(d->n < 64);
    d->rows[d->n++] = *e;
    print_message("epoch %d: box %.4f cls %.4f dfl %.4f, val box %.4f cls %.4f, mAP50 %.4f mAP "
                  "%.4f, %.1f s\n",
                  e->epoch, e->train_loss[0], e->train_loss[1], e->train_loss[2], e->val_loss[0],
                  e->val_loss[1], e->map50, e->map, e->seconds);
}

/* Also: the numbers in the files are those that were told, and the steps allocate nothing. */
typedef struct watch {
    diary diary;
    const base_mem *mem;
    uint64_t n_allocs;
    int n_allocating; /* batches that allocated, after the first epoch */
} watch;

static void note_batch(void *ctx, const vg_train_batch *p)
{
    watch *w = ctx;
    if (p->epoch > 1 && p->batch > 1 && w->mem->n_allocs != w->n_allocs)
        w->n_allocating++;
    w->n_allocs = w->mem->n_allocs;
}

static void note_epoch_of_watch(void *ctx, const vg_train_epoch *e)
{
    note_epoch(&((watch *)ctx)->diary, e);
}

static void expect_file_of_model(const char *path, base_mem *mem)
{
    weights_file *f;
    nn_graph *g;
    OK(weights_open(&f, path, mem, err));
    assert_int_equal(weights_get_meta(f)->n_classes, 2);
    assert_string_equal(weights_get_meta(f)->names[1], "disc");
    assert_int_equal(weights_at(f, 0)->dtype, WEIGHTS_F16);
    OK(nn_graph_from_weights(&g, f, mem, err));
    nn_graph_info info;
    nn_graph_get_info(g, 96, &info);
    assert_int_equal(info.nc, 2);
    assert_string_equal(info.scale, "n");
    assert_int_equal(weights_count(f), nn_graph_n_params(g));
    nn_graph_destroy(&g);
    weights_close(&f);
}

static shop s;

static int setup(void **state)
{
    (void)state;
    shop_open(&s, 48, 16);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    shop_close(&s);
    return 0;
}

static void losses_fall_and_precision_rises(void **state)
{
    (void)state;
    train_run *r = NULL;
    static watch w;
    w = (watch){.mem = &s.mem};
    train_args a = shop_args(&s);
    shop_set(&a, "epochs", "16");
    OK(train_run_create(&r, &a, shop_folder(&s, "run"), &s.accounts, err));
    OK(train_run_go(
        r, &(train_listener){.ctx = &w, .epoch = note_epoch_of_watch, .batch = note_batch}, err));

    const diary *d = &w.diary;
    assert_int_equal(d->n, 16);
    for (int k = 0; k < 3; k++)
        assert_true(d->rows[15].train_loss[k] < d->rows[0].train_loss[k] / 2);
    assert_true(d->rows[15].val_loss[1] < d->rows[0].val_loss[1] / 2);
    assert_true(d->rows[0].map50 < 0.2 && d->rows[15].map50 > 0.9);
    assert_int_equal(w.n_allocating, 0);

    const train_validation *final = train_run_final(r);
    double best = 0;
    for (int i = 0; i < d->n; i++)
        best = d->rows[i].map > best ? d->rows[i].map : best;
    assert_non_null(final);
    assert_true(final->metrics.figures[0].map > best - 0.02); /* halves in the file */
    train_run_destroy(&r);

    vg_train_epoch *rows;
    size_t n_rows;
    OK(report_csv_read(&rows, &n_rows, NULL, shop_folder(&s, "run/results.csv"), &s.mem, err));
    assert_int_equal(n_rows, 16);
    for (int i = 0; i < 16; i++)
        assert_true(rows[i].epoch == i + 1 && rows[i].map50 > d->rows[i].map50 - 1e-5 &&
                    rows[i].map50 < d->rows[i].map50 + 1e-5);
    base_free(rows);
    expect_file_of_model(shop_folder(&s, "run/weights/best.safetensors"), &s.mem);
    expect_file_of_model(shop_folder(&s, "run/weights/last.safetensors"), &s.mem);
    assert_false(base_path_exists(shop_folder(&s, "run/weights/last.1.safetensors")));
    vg_error err;
    assert_int_equal(train_run_resume(&r, shop_folder(&s, "run"), &s.accounts, &err),
                     VG_ERR_ARGUMENT);
    assert_non_null(strstr(err.what, "finished, after 16 epochs"));
    assert_non_null(strstr(err.mend, "run/weights/best.safetensors"));
}

/* Frozen as a whole, a model that knows its trade changes by its running statistics alone: fitness
 * wanders, and patience soon ends it. Continues the test before. */
static void frozen_layers_stay_as_they_were_and_patience_ends_the_run(void **state)
{
    (void)state;
    train_run *r = NULL;
    diary d = {0};
    const char *from = shop_folder(&s, "run/weights/best.safetensors");
    train_args a = shop_args(&s);
    shop_set(&a, "epochs", "30");
    shop_set(&a, "patience", "2");
    shop_set(&a, "freeze", "24");
    shop_set(&a, "weights", from);
    OK(train_run_create(&r, &a, shop_folder(&s, "frozen"), &s.accounts, err));
    OK(train_run_go(r, &(train_listener){.ctx = &d, .epoch = note_epoch}, err));
    assert_true(d.n >= 3 && d.n < 30);
    double best = 0;
    int best_epoch = 0;
    for (int i = 0; i < d.n; i++) {
        const double fitness = train_fitness(d.rows[i].map50, d.rows[i].map);
        best_epoch = fitness >= best ? i + 1 : best_epoch;
        best = fitness >= best ? fitness : best;
    }
    assert_int_equal(d.n, best_epoch + 2);
    train_run_destroy(&r);

    weights_file *before, *after;
    OK(weights_open(&before, from, &s.mem, err));
    OK(weights_open(&after, shop_folder(&s, "frozen/weights/last.safetensors"), &s.mem, err));
    int n_same = 0, n_moved = 0;
    for (size_t i = 0; i < weights_count(before); i++) {
        const weights_tensor *t = weights_at(before, i);
        const bool same = memcmp(t->data, weights_find(after, t->name)->data,
                                 t->n_elements * sizeof(uint16_t)) == 0;
        if (strstr(t->name, "running") != NULL)
            n_moved += !same;
        else
            n_same += same;
    }
    assert_true(n_moved > 100 && n_same + 2 * 81 == (int)weights_count(before));
    weights_close(&before);
    weights_close(&after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_fall_and_precision_rises),
        cmocka_unit_test(frozen_layers_stay_as_they_were_and_patience_ends_the_run),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
