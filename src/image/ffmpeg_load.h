/* ffmpeg_load.h: the few functions of FFmpeg that stills need, opened when the first one comes. For
 * this folder.
 *
 * Linking libavcodec costs every start 26 ms and 15 MB, for it brings some sixty libraries along; a
 * program that sees JPEGs alone never pays. The headers give the types, so a call through the table
 * is checked as any other, and the library's version: the soname asked for is the one whose structs
 * we were compiled with. */
#ifndef IMAGE_FFMPEG_LOAD_H
#define IMAGE_FFMPEG_LOAD_H

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion" /* FFmpeg's inline functions */
#pragma GCC diagnostic ignored "-Wpedantic"
#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>
#pragma GCC diagnostic pop

#include "base/base.h"

/* One list for the table and the look-up. */
#define IMAGE_AVCODEC_LIST(X)                                                                      \
    X(avcodec_find_decoder)                                                                        \
    X(avcodec_alloc_context3)                                                                      \
    X(avcodec_free_context)                                                                        \
    X(avcodec_open2)                                                                               \
    X(avcodec_send_packet)                                                                         \
    X(avcodec_receive_frame)                                                                       \
    X(av_packet_alloc)                                                                             \
    X(av_packet_free)
#define IMAGE_AVUTIL_LIST(X)                                                                       \
    X(av_frame_alloc)                                                                              \
    X(av_frame_free)                                                                               \
    X(av_frame_unref)                                                                              \
    X(av_pix_fmt_desc_get)                                                                         \
    X(av_read_image_line2)                                                                         \
    X(av_strerror)

typedef struct image_ffmpeg {
    void *avcodec, *avutil; /* dlopen's handles; NULL: not loaded */
#define X(name) __typeof__(&name) name;
    IMAGE_AVCODEC_LIST(X)
    IMAGE_AVUTIL_LIST(X)
#undef X
} image_ffmpeg;

/* File names for the dynamic loader. */
typedef struct image_ffmpeg_names {
    const char *avcodec, *avutil;
} image_ffmpeg_names;

/* Fills the table. Does nothing when it is filled. names: NULL for those of the headers; tests give
 * others. Errors: VG_ERR_UNSUPPORTED (library absent or too different). */
vg_status image_ffmpeg_load(image_ffmpeg *out, const image_ffmpeg_names *names, vg_error *err);
/* Empties the table. The libraries stay mapped for the process: they keep state of threads that
 * outlives us, and the next decoder gets them for nothing. */
void image_ffmpeg_unload(image_ffmpeg *f);

#endif
