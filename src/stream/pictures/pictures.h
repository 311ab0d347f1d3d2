/* pictures.h: which pictures a --source means, and reading them. */
#ifndef STREAM_PICTURES_PICTURES_H
#define STREAM_PICTURES_PICTURES_H

#include "image/image.h"

enum { PICTURES_PROBE_MOST = 16384 };

typedef struct picture_entry {
    const char *path; /* "-": standard input */
    int w, h;         /* upright; 0: not probed, or broken */
    int twin; /* 0, or 2, 3, ...: of pictures of one stem, for names of results that differ */
} picture_entry;

typedef struct picture_list {
    picture_entry *entries;
    size_t n;
    char *paths;                                /* one block behind all entries' paths */
    size_t largest_bytes, largest_pixels_bytes; /* of those probed */
    image_decoder_need decoder_need;            /* likewise */
    bool all_probed; /* every head was read; those with size 0 are no pictures */
} picture_list;

/* source: a picture, a folder (its pictures, sorted), a glob, a .txt of paths (./ is the list's
 * folder), or "-". Heads of the first PICTURES_PROBE_MOST pictures are read for their sizes, but
 * for pipes and devices, whose bytes come only once; one that cannot be read keeps size 0 and fails
 * when its turn comes. Errors: VG_ERR_ARGUMENT (nothing there), VG_ERR_UNSUPPORTED (a video, a
 * stream, a camera), VG_ERR_IO, VG_ERR_LIMIT, VG_ERR_MEMORY. */
vg_status picture_list_open(picture_list *out, const char *source, image_decoder *decoder,
                            base_mem *mem, vg_error *err);
void picture_list_close(picture_list *l);

/* A file's bytes in a buffer that only grows. */
typedef struct picture_bytes {
    uint8_t *block;
    size_t n, capacity;
} picture_bytes;
vg_status picture_bytes_reserve(picture_bytes *b, size_t capacity, base_mem *mem, vg_error *err);
/* A file of up to 1 GiB. may_wait: also standard input ("-"), pipes and devices, whose other end
 * may keep us waiting for ever; else those are refused. most: stop after that many bytes (a head);
 * 0: the whole file. Errors: VG_ERR_IO, VG_ERR_LIMIT, VG_ERR_MEMORY; with may_wait also
 * VG_ERR_INTERRUPTED (a signal whose handler does not restart calls came while waiting). */
vg_status picture_bytes_read(picture_bytes *b, const char *path, bool may_wait, size_t most,
                             base_mem *mem, vg_error *err);
void picture_bytes_fini(picture_bytes *b);

#endif
