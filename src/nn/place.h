/* place.h: buffers with lifetimes into one block, so that those never alive at once share bytes.
 * Internal to nn. */
#ifndef NN_PLACE_H
#define NN_PLACE_H

#include "base/base.h"

/* A buffer of a plan: it lives from the first step that touches it to the last. */
typedef struct nn_buffer {
    size_t bytes, offset;
    int born, dies; /* steps, inclusive; dies < born: never used */
} nn_buffer;

/* Makes b live at step `at` too. */
static inline void nn_buffer_touch(nn_buffer *b, int at)
{
    b->born = at < b->born ? at : b->born;
    b->dies = at > b->dies ? at : b->dies;
}

/* Sets bytes to n*h*w*c floats, rounded up to whole cache lines. Errors: VG_ERR_LIMIT. */
vg_status nn_buffer_size(nn_buffer *b, int n, int h, int w, int c, vg_error *err);
/* The same of elements of other bytes. */
vg_status nn_buffer_size_of(size_t element_bytes, nn_buffer *b, int n, int h, int w, int c,
                            vg_error *err);

/* Gives every used buffer its offset: the largest first, each at the lowest offset where no buffer
 * alive at the same time lies. Returns the bytes of the block. order and by_offset: (n) scratch. */
size_t nn_place(nn_buffer *b, size_t n, size_t *order, size_t *by_offset);

#endif
