/* shop.h: a tiny dataset drawn by the test: bright squares and dark discs on a grey wall with
 * noise. Whatever goes wrong here fails the test. */
#ifndef TESTS_TRAIN_SHOP_H
#define TESTS_TRAIN_SHOP_H

#include <unistd.h>

#include "base/folder.h"
#include "image/image.h"
#include "support/ok.h"
#include "support/random.h"
#include "support/test.h"
#include "train/train.h"

enum { SHOP_SIDE = 96 };

typedef struct shop {
    char root[256], yaml[300];
    base_mem mem;
    train_accounts accounts;
} shop;

static inline void shop_draw(image_view *v, int class_index, int cx, int cy, int radius)
{
    for (int y = cy - radius; y < cy + radius; y++)
        for (int x = cx - radius; x < cx + radius; x++) {
            uint8_t *p = v->data + (size_t)y * v->stride + 3 * (size_t)x;
            if (class_index == 1 && (x - cx) * (x - cx) + (y - cy) * (y - cy) > radius * radius)
                continue;
            p[0] = class_index == 0 ? 240 : 20;
            p[1] = class_index == 0 ? 200 : 30;
            p[2] = class_index == 0 ? 40 : 160;
        }
}

/* One object in the left half, one in the right, of any class each. */
static inline void shop_picture(shop *s, image_encoder *encoder, const char *split, int i,
                                uint64_t seed)
{
    test_random r = {.state = seed * 1000 + (uint64_t)i};
    char path[400], text[256] = "";
    image_buffer b = {0};
    OK(image_buffer_reserve(&b, SHOP_SIDE, SHOP_SIDE, &s->mem, err));
    for (size_t k = 0; k < SHOP_SIDE * SHOP_SIDE * 3; k++)
        b.view.data[k] = (uint8_t)(100 + random_u64(&r) % 50);
    for (int half = 0; half < 2; half++) {
        const int radius = 12 + (int)(random_u64(&r) % 9), class_index = (int)(random_u64(&r) % 2);
        const int cx = half * 48 + 22 + (int)(random_u64(&r) % 4);
        const int cy = 24 + (int)(random_u64(&r) % 48);
        shop_draw(&b.view, class_index, cx, cy, radius);
        base_format(text + strlen(text), sizeof text - strlen(text), "%d %.6f %.6f %.6f %.6f\n",
                    class_index, (double)cx / SHOP_SIDE, (double)cy / SHOP_SIDE,
                    2.0 * radius / SHOP_SIDE, 2.0 * radius / SHOP_SIDE);
    }
    base_format(path, sizeof path, "%s/images/%s/%03d.png", s->root, split, i);
    OK(image_write(encoder, &b.view, path, &s->mem, err));
    base_format(path, sizeof path, "%s/labels/%s/%03d.txt", s->root, split, i);
    OK(base_file_replace(path, text, strlen(text), err));
    image_buffer_fini(&b);
}

static inline void shop_open(shop *s, int n_train, int n_val)
{
    static const char yaml[] = "train: images/train\nval: images/val\nnames: [square, disc]\n";
    static const char *const folders[] = {"images/train", "images/val", "labels/train",
                                          "labels/val"};
    char path[400];
    *s = (shop){.mem = {.tag = "shop"}};
    s->accounts = (train_accounts){
        .data = &s->mem, .model = &s->mem, .activations = &s->mem, .work = &s->mem};
    assert_int_equal(folder_make(s->root, sizeof s->root), 0);
    for (int k = 0; k < 4; k++) {
        base_format(path, sizeof path, "%s/%s", s->root, folders[k]);
        OK(base_make_dirs(path, err));
    }
    base_format(s->yaml, sizeof s->yaml, "%s/data.yaml", s->root);
    OK(base_file_replace(s->yaml, yaml, strlen(yaml), err));
    image_encoder *encoder = NULL;
    OK(image_encoder_create(&encoder, &s->mem, err));
    for (int i = 0; i < n_train; i++)
        shop_picture(s, encoder, "train", i, 1);
    for (int i = 0; i < n_val; i++)
        shop_picture(s, encoder, "val", i, 2);
    image_encoder_destroy(&encoder);
}

static inline void shop_close(shop *s)
{
    assert_int_equal(s->mem.in_use_bytes, 0);
    folder_remove(s->root);
}

static inline void shop_set(train_args *a, const char *name, const char *value)
{
    OK(train_args_set(a, name, value, err));
}

/* Small, quick, one thread. */
static inline train_args shop_args(const shop *s)
{
    static const char *const values[][2] = {
        {"model", "yolo11n.yaml"}, {"imgsz", "96"},     {"batch", "8"},         {"nbs", "8"},
        {"workers", "0"},          {"threads", "1"},    {"optimizer", "AdamW"}, {"lr0", "0.002"},
        {"warmup_epochs", "0"},    {"momentum", "0.9"}, {"mosaic", "0"},        {"scale", "0.1"},
        {"close_mosaic", "0"},
    };
    train_args a;
    train_args_default(&a);
    shop_set(&a, "data", s->yaml);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        shop_set(&a, values[i][0], values[i][1]);
    return a;
}

static inline const char *shop_folder(const shop *s, const char *name)
{
    static char paths[4][400];
    static int turn;
    char *path = paths[turn++ % 4];
    base_format(path, sizeof paths[0], "%s/%s", s->root, name);
    return path;
}

#endif
