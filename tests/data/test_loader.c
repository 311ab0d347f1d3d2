/* test_loader.c: batches depend on seed, epoch and place alone; validation's equal the reference's.
 */
#include "loader_support.h"

#include <math.h>

#include "support/golden.h"

static base_mem mem = {.tag = "test"};

static uint64_t hash_of(const data_set *set, const data_loader_options *o, uint64_t epoch)
{
    data_loader *l = NULL;
    uint64_t hash;
    OK(data_loader_create(&l, set, o, &mem, err));
    assert_int_equal(run_epoch(l, epoch, 0, &hash), data_loader_n_batches(l));
    data_loader_destroy(&l);
    return hash;
}

/* ---- determinism ---- */

static void batches_do_not_depend_on_workers_buffers_or_caches(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_fill(&f, "train", 13);
    data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
    data_loader_options o = training(0);
    o.augment.mixup = 0.5f;
    o.augment.degrees = 10;
    o.augment.flipud = 0.5f;
    o.augment.bgr = 0.5f;
    uint64_t want[2] = {hash_of(set, &o, 0), hash_of(set, &o, 1)};
    assert_true(want[0] != want[1]);
    static const struct {
        int workers, buffers;
        data_cache cache;
        size_t cache_bytes, recent_bytes;
    } cases[] = {{1, 2, DATA_CACHE_NONE, 0, 0},     {3, 4, DATA_CACHE_NONE, 0, 0},
                 {3, 1, DATA_CACHE_NONE, 0, 1},     {0, 2, DATA_CACHE_RAM, 0, 0},
                 {3, 2, DATA_CACHE_RAM, 40000, 0},  {1, 3, DATA_CACHE_DISK, 0, 30000},
                 {3, 3, DATA_CACHE_DISK, 0, 30000}, {2, 9, DATA_CACHE_RAM, 1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        o.n_workers = cases[i].workers;
        o.n_batches = cases[i].buffers;
        o.cache = cases[i].cache;
        o.cache_bytes = cases[i].cache_bytes;
        o.recent_bytes = cases[i].recent_bytes;
        for (uint64_t epoch = 0; epoch < 2; epoch++)
            if (hash_of(set, &o, epoch) != want[epoch])
                fail_msg("case %zu epoch %d differs", i, (int)epoch);
    }
    o.seed++;
    assert_true(hash_of(set, &o, 0) != want[0]);
    data_set_destroy(&set);
    assert_int_equal(mem.in_use_bytes, 0);
    farm_close(&f);
}

static void batches_may_lie_in_memory_that_is_lent(void **state)
{
    (void)state;
    enum { GUARD = 64 };
    farm f;
    farm_open(&f);
    farm_fill(&f, "train", 13);
    data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
    data_loader_options o = training(2);
    o.n_batches = 3;
    const uint64_t want[2] = {hash_of(set, &o, 0), hash_of(set, &o, 1)};
    const size_t own_bytes = data_loader_bytes(set, &o), n = data_loader_input_bytes(set, &o);
    o.input_is_lent = true;
    assert_int_equal(data_loader_bytes(set, &o), own_bytes - n);
    data_loader *l = NULL;
    const size_t before = mem.in_use_bytes;
    OK(data_loader_create(&l, set, &o, &mem, err));
    assert_int_equal(mem.in_use_bytes - before, own_bytes - n);
    for (uint64_t epoch = 0; epoch < 2; epoch++) { /* in another place each time */
        uint64_t hash;
        uint8_t *block = base_alloc(&mem, n + GUARD, NULL);
        assert_non_null(block);
        memset(block + n, 77, GUARD);
        data_loader_lend(l, (float *)(void *)block);
        run_epoch(l, epoch, 0, &hash);
        assert_true(hash == want[epoch]);
        for (int i = 0; i < GUARD; i++)
            assert_int_equal(block[n + (size_t)i], 77);
        base_free(block);
    }
    data_loader_destroy(&l);
    data_set_destroy(&set);
    assert_int_equal(mem.in_use_bytes, 0);
    farm_close(&f);
}

/* Ranks deal the pictures of every batch; put together they are the batch of one loader. */
static void shares_of_batches_are_the_batches_of_one_loader(void **state)
{
    (void)state;
    enum { SHARES = 3, PIXELS = 64 * 64 * 3 };
    farm f;
    farm_open(&f);
    farm_fill(&f, "train", 13); /* batches of 6, 6 and 1 picture, by 3: the last has empty shares */
    data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
    for (int workers = 0; workers < 3; workers += 2) {
        data_loader *whole = NULL, *share[SHARES];
        data_loader_options o = training(workers);
        o.batch = workers == 0 ? 6 : 5;
        OK(data_loader_create(&whole, set, &o, &mem, err));
        o.n_shares = SHARES;
        for (o.share = 0; o.share < SHARES; o.share++) {
            OK(data_loader_create(&share[o.share], set, &o, &mem, err));
            OK(data_loader_start(share[o.share], 3, 0, err));
            assert_int_equal(data_loader_n_batches(share[o.share]), data_loader_n_batches(whole));
        }
        OK(data_loader_start(whole, 3, 0, err));
        for (;;) {
            const data_batch *b, *part[SHARES];
            OK(data_loader_next(whole, &b, err));
            int at = 0;
            size_t label = 0;
            for (int s = 0; s < SHARES; s++)
                OK(data_loader_next(share[s], &part[s], err));
            if (b == NULL) {
                assert_true(part[0] == NULL && part[1] == NULL && part[2] == NULL);
                break;
            }
            for (int s = 0; s < SHARES; s++) {
                assert_int_equal(part[s]->index, b->index);
                assert_int_equal(part[s]->n_all, b->n);
                assert_int_equal(part[s]->h, b->h);
                assert_true(s != 0 || part[s]->n > 0);
                assert_memory_equal(part[s]->input, b->input + (size_t)at * PIXELS,
                                    (size_t)part[s]->n * PIXELS * sizeof(float));
                for (int i = 0; i < part[s]->n; i++)
                    assert_int_equal(part[s]->items[i].picture, b->items[at + i].picture);
                for (size_t i = 0; i < part[s]->n_labels; i++, label++) {
                    assert_int_equal(part[s]->labels[i].picture + at, b->labels[label].picture);
                    assert_memory_equal(part[s]->labels[i].xywh_norm, b->labels[label].xywh_norm,
                                        sizeof b->labels[label].xywh_norm);
                }
                at += part[s]->n;
            }
            assert_int_equal(at, b->n);
            assert_int_equal(label, b->n_labels);
        }
        data_loader_destroy(&whole);
        for (int s = 0; s < SHARES; s++)
            data_loader_destroy(&share[s]);
    }
    data_set_destroy(&set);
    assert_int_equal(mem.in_use_bytes, 0);
    farm_close(&f);
}

static void an_epoch_can_be_taken_up_in_the_middle(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_fill(&f, "train", 10);
    data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
    data_loader *l = NULL;
    const data_batch *b;
    data_loader_options o = training(2);
    OK(data_loader_create(&l, set, &o, &mem, err));
    OK(data_loader_start(l, 7, 0, err));
    uint64_t want = BASE_HASH_START, is;
    for (int i = 0; i < 3; i++) {
        OK(data_loader_next(l, &b, err));
        want = i > 0 ? hash_batch(want, b) : want;
    }
    /* Left in the middle of other epochs. */
    OK(data_loader_start(l, 8, 0, err));
    OK(data_loader_next(l, &b, err));
    assert_int_equal(run_epoch(l, 7, 1, &is), 2);
    assert_true(is == want);
    vg_error failure;
    assert_int_equal(data_loader_start(l, 7, 3, &failure), VG_ERR_ARGUMENT);
    data_loader_destroy(&l);
    data_set_destroy(&set);
    farm_close(&f);
}

static void every_picture_comes_once_an_epoch(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_fill(&f, "train", 10);
    data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
    data_loader *l = NULL;
    const data_batch *b;
    data_loader_options o = training(1);
    OK(data_loader_create(&l, set, &o, &mem, err));
    assert_int_equal(data_loader_n_batches(l), 3);
    uint64_t orders[3];
    for (uint64_t epoch = 0; epoch < 3; epoch++) {
        int seen[10] = {0}, sizes[3], n = 0;
        orders[epoch] = BASE_HASH_START;
        OK(data_loader_start(l, epoch, 0, err));
        for (;;) {
            OK(data_loader_next(l, &b, err));
            if (!b)
                break;
            sizes[n++] = b->n;
            for (int i = 0; i < b->n; i++) {
                seen[b->items[i].picture]++;
                orders[epoch] = base_hash(orders[epoch], &b->items[i].picture, sizeof(size_t));
            }
            for (size_t i = 0; i < b->n_labels; i++) {
                assert_in_range(b->labels[i].picture, i ? b->labels[i - 1].picture : 0, b->n - 1);
                assert_in_range(b->labels[i].class_index, 0, 2);
                for (int k = 0; k < 4; k++)
                    assert_true(b->labels[i].xywh_norm[k] >= 0 && b->labels[i].xywh_norm[k] <= 1);
            }
        }
        OK(data_loader_next(l, &b, err)); /* past the end it stays the end */
        assert_null(b);
        assert_true(n == 3 && sizes[0] == 4 && sizes[1] == 4 && sizes[2] == 2);
        for (int i = 0; i < 10; i++)
            assert_int_equal(seen[i], 1);
    }
    assert_true(orders[0] != orders[1] && orders[1] != orders[2] && orders[0] != orders[2]);
    data_loader_destroy(&l);
    data_set_destroy(&set);
    farm_close(&f);
}

/* ---- the pipelines ---- */

/* One picture of the golden file as a dataset; its batch is the reference's, to the bit. */
static void validation_equals_the_reference(void **state)
{
    (void)state;
    golden_file *g = golden_open("augment.safetensors");
    for (int i = 0; i < 3; i++) {
        char key[32], text[256] = "";
        farm f;
        farm_open(&f);
#define KEY(name) (base_format(key, sizeof key, "val%d." name, i), key)
        size_t n, n_boxes;
        int h = (int)golden_dim(g, KEY("img"), 0), w = (int)golden_dim(g, KEY("img"), 1);
        uint8_t rgb[3 * 64 * 64];
        memcpy(rgb, golden_u8(g, KEY("img"), &n), 3 * (size_t)w * (size_t)h);
        image_view v = {rgb, w, h, 3 * (size_t)w};
        image_swap_red_blue(&v, &v);
        OK(image_write(f.encoder, &v, farm_path(&f, "images/val/a.png"), &f.mem, err));
        const float *in = golden_f32(g, KEY("xywhn_in"), &n_boxes);
        for (size_t k = 0; k < n_boxes / 4; k++)
            base_format(text + strlen(text), sizeof text - strlen(text), "0 %.9g %.9g %.9g %.9g\n",
                        (double)in[4 * k], (double)in[4 * k + 1], (double)in[4 * k + 2],
                        (double)in[4 * k + 3]);
        farm_text(&f, "labels/val/a.txt", text);
        data_set *set = farm_set(&f, &(data_set_options){.split = DATA_VAL}, &mem);
        data_loader *l = NULL;
        const data_batch *b;
        OK(data_loader_create(
            &l, set, &(data_loader_options){.imgsz = 64, .batch = 2, .rect = true}, &mem, err));
        OK(data_loader_start(l, 0, 0, err));
        OK(data_loader_next(l, &b, err));
        const int64_t *rect = golden_i64(g, KEY("rect_hw"), NULL);
        assert_true(b->n == 1 && b->h == rect[0] && b->w == rect[1]);
        const uint8_t *want = golden_u8(g, KEY("out_chw_rgb"), NULL);
        for (int c = 0; c < 3; c++)
            for (int p = 0; p < b->h * b->w; p++)
                assert_true(b->input[3 * p + c] == (float)want[c * b->h * b->w + p] / 255.0f);
        const float *boxes = golden_f32(g, KEY("xywhn_out"), NULL);
        assert_int_equal(b->n_labels, n_boxes / 4);
        for (size_t k = 0; k < n_boxes; k++)
            assert_true(fabsf(b->labels[k / 4].xywh_norm[k % 4] - boxes[k]) < 1e-5f);
        const double *ratio_pad = golden_f64(g, KEY("ratio_pad"), NULL);
        assert_true(b->items[0].gain == 1); /* the file is the resized picture already */
        assert_true(b->items[0].left == ratio_pad[2] && b->items[0].top == ratio_pad[3]);
        data_loader_destroy(&l);
        data_set_destroy(&set);
        farm_close(&f);
    }
    golden_close(g);
    assert_int_equal(mem.in_use_bytes, 0);
}

static void rect_batches_are_sorted_by_aspect_and_fit(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    static const int sizes[][2] = {{200, 100}, {100, 200}, {160, 160}, {300, 100},
                                   {90, 100},  {100, 300}, {100, 100}, {150, 100}};
    for (int i = 0; i < 8; i++) {
        char name[32];
        base_format(name, sizeof name, "images/val/%d.jpg", i);
        farm_picture(&f, name, sizes[i][0], sizes[i][1], 1);
    }
    data_set *set = farm_set(&f, &(data_set_options){.split = DATA_VAL}, &mem);
    for (int train = 0; train < 2; train++) {
        /* h, w by the formula of spec 5.5, imgsz 128, batch 2: aspects 1/3 1/2 | 2/3 1 | 1 10/9 | 2
         * 3 */
        static const int want[2][4][2] = {{{96, 160}, {160, 160}, {160, 160}, {160, 96}},
                                          {{64, 128}, {128, 128}, {128, 128}, {128, 64}}};
        static const size_t order[] = {3, 0, 7, 2, 6, 4, 1, 5};
        data_loader *l = NULL;
        const data_batch *b;
        data_loader_options o = {.imgsz = 100, .batch = 2, .rect = true, .train = train};
        o.augment.fliplr = train ? 1 : 0;
        OK(data_loader_create(&l, set, &o, &mem, err));
        int n, h, w;
        data_loader_most_shape(l, &n, &h, &w);
        OK(data_loader_start(l, 0, 0, err));
        for (int i = 0; i < 4; i++) {
            OK(data_loader_next(l, &b, err));
            assert_true(b->h == want[train][i][0] && b->w == want[train][i][1]);
            assert_true(b->n <= n && b->h <= h && b->w <= w);
            assert_int_equal(b->items[0].picture, order[2 * i]);
            assert_int_equal(b->items[1].picture, order[2 * i + 1]);
            const int *wh = sizes[order[2 * i]], *longer = wh[0] > wh[1] ? &wh[0] : &wh[1];
            assert_true(b->items[0].w0 == wh[0] && b->items[0].h0 == wh[1]);
            assert_true(fabsf(b->items[0].gain - ceilf(128.0f / (float)*longer * (float)wh[1]) /
                                                     (float)wh[1]) < 1e-6f);
        }
        data_loader_destroy(&l);
    }
    data_set_destroy(&set);
    farm_close(&f);
}

/* A red square in a grey field, labelled exactly: after any augmentation its box still holds it. */
static void labels_stay_on_their_objects(void **state)
{
    (void)state;
    enum { S = 96, N = 6 };
    farm f;
    farm_open(&f);
    for (int i = 0; i < N; i++) {
        char name[32];
        uint8_t rgb[3 * S * S];
        memset(rgb, 60, sizeof rgb);
        for (int y = 10 * i; y < 10 * i + 40; y++)
            for (int x = 50 - 10 * i; x < 90 - 10 * i; x++)
                rgb[3 * (y * S + x)] = 250, rgb[3 * (y * S + x) + 1] = rgb[3 * (y * S + x) + 2] = 0;
        image_view v = {rgb, S, S, 3 * S};
        base_format(name, sizeof name, "images/train/%d.png", i);
        OK(image_write(f.encoder, &v, farm_path(&f, name), &f.mem, err));
        char text[64];
        base_format(text, sizeof text, "0 %f %f %f %f\n", (70.0 - 10 * i) / S, (20.0 + 10 * i) / S,
                    40.0 / S, 40.0 / S);
        base_format(name, sizeof name, "labels/train/%d.txt", i);
        farm_text(&f, name, text);
    }
    data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
    data_loader *l = NULL;
    data_loader_options o = training(0);
    o.imgsz = S;
    o.augment.flipud = 0.5f;
    o.augment.hsv_h = o.augment.hsv_s = o.augment.hsv_v = 0;
    OK(data_loader_create(&l, set, &o, &mem, err));
    size_t n_boxes = 0, n_red_outside = 0, n_red = 0;
    for (uint64_t epoch = 0; epoch < 10; epoch++) {
        const data_batch *b;
        OK(data_loader_start(l, epoch, 0, err));
        OK(data_loader_next(l, &b, err));
        while (b) {
            static uint8_t inside[S * S];
            for (int i = 0; i < b->n; i++) {
                memset(inside, 0, sizeof inside);
                for (size_t k = 0; k < b->n_labels; k++) {
                    const detect_label *q = &b->labels[k];
                    if (q->picture != i)
                        continue;
                    float x1 = (q->xywh_norm[0] - q->xywh_norm[2] / 2) * S - 1.5f,
                          y1 = (q->xywh_norm[1] - q->xywh_norm[3] / 2) * S - 1.5f;
                    float x2 = x1 + q->xywh_norm[2] * S + 3, y2 = y1 + q->xywh_norm[3] * S + 3;
                    size_t n_in = 0, n_red_in = 0;
                    for (int y = 0; y < S; y++)
                        for (int x = 0; x < S; x++)
                            if ((float)x + 0.5f > x1 && (float)x + 0.5f < x2 &&
                                (float)y + 0.5f > y1 && (float)y + 0.5f < y2) {
                                const float *p = b->input + 3 * ((i * S + y) * S + x);
                                inside[y * S + x] = 1;
                                n_in++;
                                n_red_in += p[0] > 0.6f && p[1] < 0.2f;
                            }
                    n_boxes++;
                    assert_true(n_in < 60 || n_red_in * 2 > n_in);
                }
                for (int p = 0; p < S * S; p++) {
                    const float *c = b->input + 3 * (i * S * S + p);
                    bool red = c[0] > 0.8f && c[1] < 0.1f;
                    n_red += red;
                    n_red_outside += red && !inside[p];
                }
            }
            OK(data_loader_next(l, &b, err));
        }
    }
    /* Slivers are dropped (a tenth of the area), so a little red has no box. */
    assert_true(n_boxes > 100 && n_red > 10000 && n_red_outside < n_red / 25);
    data_loader_destroy(&l);
    data_set_destroy(&set);
    farm_close(&f);
}

static void without_augmentation_training_is_a_letterbox(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_picture(&f, "images/train/a.png", 64, 48, 1);
    farm_picture(&f, "images/val/a.png", 64, 48, 1);
    uint64_t hash[2];
    for (int train = 0; train < 2; train++) {
        data_set *set =
            farm_set(&f, &(data_set_options){.split = train ? DATA_TRAIN : DATA_VAL}, &mem);
        hash[train] =
            hash_of(set, &(data_loader_options){.imgsz = 64, .batch = 1, .train = train}, 0);
        data_set_destroy(&set);
    }
    assert_true(hash[0] == hash[1]);
    farm_close(&f);
}

/* Two flat pictures mixed: every pixel lies between them, and both pictures' boxes are there. */
static void mixup_mixes_pixels_and_joins_boxes(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    for (int i = 0; i < 2; i++) {
        char name[32], text[32];
        uint8_t rgb[3 * 64 * 64];
        memset(rgb, i ? 200 : 100, sizeof rgb);
        image_view v = {rgb, 64, 64, 3 * 64};
        base_format(name, sizeof name, "images/train/%d.png", i);
        OK(image_write(f.encoder, &v, farm_path(&f, name), &f.mem, err));
        base_format(name, sizeof name, "labels/train/%d.txt", i);
        base_format(text, sizeof text, "%d .5 .5 .2 .2\n", i);
        farm_text(&f, name, text);
    }
    data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
    data_loader *l = NULL;
    const data_batch *b;
    OK(data_loader_create(
        &l, set,
        &(data_loader_options){.imgsz = 64, .batch = 1, .train = true, .augment = {.mixup = 1}},
        &mem, err));
    assert_int_equal(data_loader_most_labels(l), 2);
    int n_mixed = 0;
    for (uint64_t epoch = 0; epoch < 20; epoch++) {
        OK(data_loader_start(l, epoch, 0, err));
        for (int i = 0; i < 2; i++) {
            OK(data_loader_next(l, &b, err));
            assert_int_equal(b->n_labels, 2);
            int own = (int)b->items[0].picture, other = b->labels[1].class_index;
            assert_int_equal(b->labels[0].class_index, own);
            float v = b->input[0] * 255;
            if (own != other)
                assert_true(v > 120 && v < 180);
            else
                assert_true(fabsf(v - (own ? 200.0f : 100.0f)) < 1.1f);
            n_mixed += own != other;
        }
    }
    assert_in_range(n_mixed, 8, 32);
    data_loader_destroy(&l);
    data_set_destroy(&set);
    farm_close(&f);
}

static void mosaic_can_be_closed_and_not_be_invented(void **state)
{
    (void)state;
    farm f;
    farm_open(&f);
    farm_fill(&f, "train", 8);
    data_set *set = farm_set(&f, &(data_set_options){0}, &mem);
    data_loader_options o = training(2), closed = o;
    closed.augment.mosaic = 0;
    uint64_t want = hash_of(set, &closed, 3), is, open;
    data_loader *l = NULL;
    vg_error failure = {0};
    OK(data_loader_create(&l, set, &o, &mem, err));
    run_epoch(l, 3, 0, &open);
    OK(data_loader_set_augment(l, &closed.augment, err));
    run_epoch(l, 3, 0, &is);
    assert_true(is == want && open != want);
    data_augment more = o.augment;
    more.mixup = 0.1f;
    assert_int_equal(data_loader_set_augment(l, &more, &failure), VG_ERR_ARGUMENT);
    assert_non_null(strstr(failure.what, "without room"));
    OK(data_loader_set_augment(l, &o.augment, err));
    run_epoch(l, 3, 0, &is);
    assert_true(is == open);
    data_loader_destroy(&l);
    data_set_destroy(&set);
    farm_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_do_not_depend_on_workers_buffers_or_caches),
        cmocka_unit_test(batches_may_lie_in_memory_that_is_lent),
        cmocka_unit_test(shares_of_batches_are_the_batches_of_one_loader),
        cmocka_unit_test(an_epoch_can_be_taken_up_in_the_middle),
        cmocka_unit_test(every_picture_comes_once_an_epoch),
        cmocka_unit_test(validation_equals_the_reference),
        cmocka_unit_test(rect_batches_are_sorted_by_aspect_and_fit),
        cmocka_unit_test(labels_stay_on_their_objects),
        cmocka_unit_test(without_augmentation_training_is_a_letterbox),
        cmocka_unit_test(mixup_mixes_pixels_and_joins_boxes),
        cmocka_unit_test(mosaic_can_be_closed_and_not_be_invented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
