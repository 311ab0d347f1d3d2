/* SPDX-License-Identifier: Apache-2.0 */
/* picture.h: pictures of the caller's: loaded, drawn into, encoded; and what was found in them as
 * texts.
 *
 *     vg_codec *c = NULL;
 *     vg_painter *p = NULL;
 *     vg_image in;
 *     vg_codec_open(&c, 0, &err);
 *     vg_painter_open(&p, names, n_names, 0, &err);
 *     vg_codec_load(c, &in, "street.jpg", &err);
 *     vg_picture out = {pixels, in.width, in.height, 0, VG_BGR};
 *     vg_picture_put(&out, &in, &err);                a copy, as BGR
 *     vg_draw(p, &out, &boxes, NULL, &err);
 *     vg_codec_write(c, "out.jpg", &drawn, &err);
 *
 * Threads: as in vigil.h, a handle serves one at a time; what has no handle keeps nothing. */
#ifndef VIGIL_PICTURE_H
#define VIGIL_PICTURE_H

#include "vigil/vigil.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- pixels ---- */

/* Pixels of the caller's that are written: 8 bits, rows from top to bottom. */
typedef struct vg_picture {
    uint8_t *pixels;
    int width, height;
    size_t stride;          /* bytes from row to row; 0: 3 * width */
    vg_pixel_format format; /* VG_RGB or VG_BGR */
} vg_picture;

/* Copies image, of any format and the same size, into out. Floats are rounded and kept within
 * 0..255. Errors: VG_ERR_ARGUMENT. */
VG_API vg_status vg_picture_put(const vg_picture *out, const vg_image *image, vg_error *err);
/* The pixels that a box touches, as a view into the picture: nothing is copied. False: there are
 * none, or image is no picture. */
VG_API bool vg_image_crop(vg_image *out, const vg_image *image, const vg_detection *box);

/* ---- files ---- */

/* Reads and writes pictures, in buffers that grow to the largest picture seen and are used again.
 */
typedef struct vg_codec vg_codec;
/* memory_limit_bytes 0: none. On success *out is the caller's until vg_codec_close; on failure
 * NULL. Errors: VG_ERR_LIMIT, VG_ERR_MEMORY. */
VG_API vg_status vg_codec_open(vg_codec **out, size_t memory_limit_bytes, vg_error *err);
/* NULL inside is fine; leaves NULL. */
VG_API void vg_codec_close(vg_codec **c);
/* A file (JPEG, PNG, BMP, WebP, TIFF, GIF), upright, as VG_RGB. *out is borrowed until the next
 * load, decode or close. Errors: VG_ERR_IO, VG_ERR_FORMAT (a broken picture), VG_ERR_UNSUPPORTED,
 * VG_ERR_LIMIT, VG_ERR_MEMORY. */
VG_API vg_status vg_codec_load(vg_codec *c, vg_image *out, const char *path, vg_error *err);
/* The same from bytes in memory. name is for errors. */
VG_API vg_status vg_codec_decode(vg_codec *c, vg_image *out, const void *bytes, size_t n_bytes,
                                 const char *name, vg_error *err);
/* image, of any format, as "jpg" (4:2:0; quality 1..100) or "png" (quality is not looked at).
 * *bytes are borrowed until the next encode or close. Errors: VG_ERR_ARGUMENT, VG_ERR_LIMIT (too
 * large for a JPEG), VG_ERR_MEMORY. */
VG_API vg_status vg_codec_encode(vg_codec *c, const uint8_t **bytes, size_t *n_bytes,
                                 const vg_image *image, const char *format, int quality,
                                 vg_error *err);
/* Makes image the file at path, .jpg or .jpeg (quality 95) or .png, whole or not at all. Errors:
 * also VG_ERR_UNSUPPORTED (another suffix), VG_ERR_IO. */
VG_API vg_status vg_codec_write(vg_codec *c, const char *path, const vg_image *image,
                                vg_error *err);
/* What the handle holds. Nothing is planned: pictures are known when they come. */
VG_API void vg_codec_memory(const vg_codec *c, vg_memory *out);

/* ---- what was found in a picture ---- */

typedef struct vg_boxes {
    const vg_detection *detections; /* (n) */
    const int64_t *ids;             /* (n) of their tracks; NULL: without */
    size_t n;
    int width, height;        /* of the picture, pixels */
    const char *const *names; /* (n_names) of classes; others are class7 */
    size_t n_names;
    const char *source;      /* the picture's path, for texts; NULL: "" */
    const vg_extras *extras; /* what the task adds, parallel to detections; NULL: boxes alone */
} vg_boxes;

/* ---- drawing ---- */

typedef struct vg_draw_options {
    int line_width; /* pixels, 1..1000; 0: by picture size. 0 */
    bool hide_labels, hide_conf, hide_ids;
} vg_draw_options;
VG_API vg_draw_options vg_draw_options_default(void);

typedef struct vg_painter vg_painter;
/* names: what labels will be made of, for which a font is chosen that has their letters; read
 * during the call only. Takes milliseconds when they go beyond Latin-1. Memory grows to the most
 * boxes and the largest label seen. Errors: VG_ERR_LIMIT, VG_ERR_MEMORY. */
VG_API vg_status vg_painter_open(vg_painter **out, const char *const *names, size_t n_names,
                                 size_t memory_limit_bytes, vg_error *err);
/* NULL inside is fine; leaves NULL. */
VG_API void vg_painter_close(vg_painter **p);
/* Draws frames with labels ("id:3 car 0.87") into the picture, the first box on top. o NULL: the
 * defaults. Errors: VG_ERR_ARGUMENT, VG_ERR_LIMIT, VG_ERR_MEMORY, VG_ERR_SYSTEM (Cairo). */
VG_API vg_status vg_draw(vg_painter *p, const vg_picture *picture, const vg_boxes *boxes,
                         const vg_draw_options *o, vg_error *err);
VG_API void vg_painter_memory(const vg_painter *p, vg_memory *out);

/* ---- texts ---- */

/* Each writes into buf (n_bytes), always terminated, and fails with VG_ERR_LIMIT when that is too
 * small. vg_boxes_bytes: room that is enough for any of them. */
VG_API size_t vg_boxes_bytes(const vg_boxes *b);
/* The rows of a label file as YOLO's users know them: class, centre and size as parts of the
 * picture, then the confidence where asked for, then the id where there are ids. With extras:
 * outlines, keypoints or corners; of whole pictures "0.57 car", best first. */
VG_API vg_status vg_boxes_labels(char *buf, size_t n_bytes, const vg_boxes *b, bool with_conf,
                                 vg_error *err);
/* {"source": "a.jpg", "width": 90, "height": 64, "boxes": [{"class": 0, "name": "car",
 * "confidence": 0.87, "xyxy": [1, 2, 3, 4], "id": 3}]}: a line of predictions.jsonl without its
 * end. With extras a box has "segments", "keypoints", or "xywhr" and "xyxyxyxy"; of whole pictures
 * "top" stands behind the boxes. */
VG_API vg_status vg_boxes_json(char *buf, size_t n_bytes, const vg_boxes *b, vg_error *err);

#ifdef __cplusplus
}
#endif
#endif
