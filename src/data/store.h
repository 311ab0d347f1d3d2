/* store.h: pictures decoded and resized to the training size (spec 5.3), and where they are kept.
 *
 * Asked for a picture it looks, in this order, in RAM (kept for good, first come, until the budget
 * is full), in the ring of recent ones, on the disk, and decodes it else. What is found never
 * depends on the way it came: the pixels are the same. Memory: one block at create. Threads: any
 * number, each with a store_io of its own. For this folder. */
#ifndef DATA_STORE_H
#define DATA_STORE_H

#include <pthread.h>

#include "data/data.h"
#include "image/image.h"

/* One a thread. */
typedef struct store_io {
    image_decoder *decoder;
    image_buffer decoded;
    image_scratch scratch;
    uint8_t *file; /* (most file bytes + 1) */
    uint8_t *own;  /* (most pixel bytes) for a picture that nobody keeps */
} store_io;

typedef struct store_options {
    int imgsz; /* store_side */
    data_cache cache;
    size_t cache_bytes;  /* as in data_loader_options */
    size_t n_recent;     /* pictures the ring should hold; 0: no ring */
    size_t recent_bytes; /* most bytes of the ring */
} store_options;

typedef struct store store;
vg_status store_create(store **out, const data_set *set, const store_options *o, base_mem *mem,
                       vg_error *err);
size_t store_bytes(const data_set *set, const store_options *o); /* 0: overflow */
/* The most that it keeps of its budget: all pictures, or the budget. */
size_t store_cache_bytes(const data_set *set, const store_options *o);
void store_destroy(store **s);

/* What store_io_create takes, but for the decoder's own. */
size_t store_io_bytes(const data_set *set, int imgsz);
vg_status store_io_create(store_io *io, const data_set *set, int imgsz, base_mem *mem,
                          vg_error *err);
void store_io_fini(store_io *io);

/* A borrowed picture, until it is given back (or, if it is io's own, until the next get). */
typedef struct store_loan {
    image_view view;
    int slot; /* of the ring; -1: elsewhere */
} store_loan;
/* keep: it may go into the ring. Errors: VG_ERR_IO, VG_ERR_FORMAT (changed since it was verified,
 * damaged), with the path. */
vg_status store_get(store *s, store_io *io, store_loan *out, size_t index, bool keep, base_mem *mem,
                    vg_error *err);
void store_give_back(store *s, store_loan *loan);
void store_stats(store *s, data_loader_stats *out);

/* What imgsz is to the store: 0 for a kind whose samples are cut from whole pictures, which stay as
 * large as they are. */
int store_side(const data_set *set, int imgsz);

/* Spec 5.3. */
void store_size(int *w, int *h, int w0, int h0, int imgsz);

#endif
