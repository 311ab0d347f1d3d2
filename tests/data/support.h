/* support.h: small datasets in a folder of the test's own. Whatever goes wrong here fails the test.
 */
#ifndef TESTS_DATA_SUPPORT_H
#define TESTS_DATA_SUPPORT_H

#include "support/test.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "base/folder.h"
#include "data/data.h"
#include "image/image.h"
#include "support/ok.h"
#include "support/random.h"

typedef struct farm {
    char root[512];
    base_mem mem;
    image_encoder *encoder;
} farm;

static inline const char *farm_path(const farm *f, const char *name)
{
    static char path[4][1024];
    static int turn;
    char *p = path[turn++ % 4];
    assert_true(base_format(p, sizeof path[0], "%s/%s", f->root, name));
    return p;
}

static inline void farm_text(const farm *f, const char *name, const char *text)
{
    OK(base_file_replace(farm_path(f, name), text, strlen(text), err));
}

static inline void farm_folder(const farm *f, const char *name)
{
    OK(base_make_dirs(farm_path(f, name), err));
}

/* A w x h picture of noise that depends on the seed. */
static inline void farm_picture(farm *f, const char *name, int w, int h, uint64_t seed)
{
    test_random r = {seed};
    image_buffer b = {0};
    OK(image_buffer_reserve(&b, w, h, &f->mem, err));
    for (int i = 0; i < 3 * w * h; i++)
        b.view.data[i] = (uint8_t)random_u64(&r);
    OK(image_write(f->encoder, &b.view, farm_path(f, name), &f->mem, err));
    image_buffer_fini(&b);
}

/* images/{train,val}, labels/{train,val}, data.yaml with three classes. */
static inline void farm_open(farm *f)
{
    *f = (farm){.mem = {.tag = "farm"}};
    assert_int_equal(folder_make(f->root, sizeof f->root), 0);
    OK(image_encoder_create(&f->encoder, &f->mem, err));
    farm_folder(f, "images/train");
    farm_folder(f, "images/val");
    farm_folder(f, "labels/train");
    farm_folder(f, "labels/val");
    farm_text(f, "data.yaml",
              "train: images/train\nval: images/val\nnames:\n  0: cat\n  1: dog\n  2: owl\n");
}

static inline void farm_close(farm *f)
{
    image_encoder_destroy(&f->encoder);
    assert_int_equal(f->mem.in_use_bytes, 0);
    folder_remove(f->root);
}

/* n pictures of several shapes in a split, each with i % 3 + 1 labels. */
static inline void farm_fill(farm *f, const char *split, int n)
{
    for (int i = 0; i < n; i++) {
        char name[64], text[256] = "";
        base_format(name, sizeof name, "images/%s/%03d.jpg", split, i);
        farm_picture(f, name, 40 + 8 * (i % 4), 64 - 4 * (i % 5), (uint64_t)i);
        for (int k = 0; k <= i % 3; k++)
            base_format(text + strlen(text), sizeof text - strlen(text), "%d 0.%d 0.5 0.3 0.4\n", k,
                        3 + k);
        base_format(name, sizeof name, "labels/%s/%03d.txt", split, i);
        farm_text(f, name, text);
    }
}

static inline data_set *farm_set(farm *f, const data_set_options *o, base_mem *mem)
{
    data_spec *spec = NULL;
    data_set *set = NULL;
    OK(data_spec_open(&spec, farm_path(f, "data.yaml"), mem, err));
    OK(data_set_open(&set, spec, o, NULL, mem, err));
    data_spec_destroy(&spec);
    return set;
}

#endif
