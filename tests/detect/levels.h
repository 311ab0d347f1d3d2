/* levels.h: head maps of random logits for the tests of this folder. */
#ifndef TESTS_DETECT_LEVELS_H
#define TESTS_DETECT_LEVELS_H

#include "detect/detect.h"
#include "support/random.h"

enum { TEST_LEVELS = 3 };

typedef struct test_levels {
    float *data[TEST_LEVELS];
    detect_level level[TEST_LEVELS];
    size_t n_anchors;
} test_levels;

/* Maps of a h x w picture (multiples of 32), box and class logits of a pixel side by side plus
 * `gap` unused floats. Class logits are uniform in [least, most). */
static inline void levels_make(test_levels *t, int batch, int h, int w, int nc, int gap,
                               float least, float most, uint64_t seed, base_mem *mem)
{
    test_random r = {seed};
    for (int i = 0; i < TEST_LEVELS; i++) {
        int stride = 8 << i, lh = h / stride, lw = w / stride;
        size_t pitch = (size_t)(DETECT_BOX_CHANNELS + nc + gap), pixels = (size_t)(batch * lh * lw);
        t->data[i] = base_alloc(mem, pixels * pitch * sizeof(float), NULL);
        assert_non_null(t->data[i]);
        for (size_t k = 0; k < pixels * pitch; k++)
            t->data[i][k] = k % pitch < DETECT_BOX_CHANNELS ? random_float(&r, -4, 4)
                                                            : random_float(&r, least, most);
        t->level[i] = (detect_level){.box = t->data[i],
                                     .cls = t->data[i] + DETECT_BOX_CHANNELS,
                                     .box_pitch = pitch,
                                     .cls_pitch = pitch,
                                     .h = lh,
                                     .w = lw,
                                     .stride = (float)stride};
    }
    t->n_anchors = detect_n_anchors(t->level, TEST_LEVELS);
}

static inline void levels_free(test_levels *t)
{
    for (int i = 0; i < TEST_LEVELS; i++)
        base_free(t->data[i]);
}

#endif
