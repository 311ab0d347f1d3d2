/* image.h: pictures: decode, encode, resize, letterbox, draw. It does not know what a network is.
 *
 * A picture is 8-bit RGB, three bytes a pixel, rows top to bottom. Letters: h rows, w columns. */
#ifndef IMAGE_IMAGE_H
#define IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "motion.h"
#include "resample.h"
#include "vigil/types.h"

/* A view: borrowed pixels. */
typedef struct image_view {
    uint8_t *data;
    int w, h;
    size_t stride; /* bytes from row to row, >= 3 * w */
} image_view;

/* A picture that owns a buffer which only grows: reused for picture after picture it settles at the
 * largest. A zeroed one is valid and empty. */
typedef struct image_buffer {
    image_view view; /* into block; view.w == 0: empty */
    uint8_t *block;
    size_t capacity_bytes;
} image_buffer;

/* Makes room for w x h (stride 3 * w, contents undefined). Errors: VG_ERR_ARGUMENT, VG_ERR_MEMORY:
 * the buffer is as it was. */
vg_status image_buffer_reserve(image_buffer *b, int w, int h, base_mem *mem, vg_error *err);
void image_buffer_fini(image_buffer *b);

/* ---- decode ---- */

typedef struct image_limits {
    int most_side_px;    /* 0: 65,500 */
    int64_t most_pixels; /* 0: 256 Mpx; checked before anything is allocated */
} image_limits;

/* Decoders are not thread-safe: one a thread. It keeps its library handles, so a steady stream of
 * pictures costs no allocations of ours. */
typedef struct image_decoder image_decoder;
vg_status image_decoder_create(image_decoder **out, const image_limits *limits, base_mem *mem,
                               vg_error *err);
void image_decoder_destroy(image_decoder **d);
size_t image_decoder_own_bytes(void); /* what create takes */

/* A whole encoded picture in memory -> out (upright: EXIF orientation applied; alpha dropped; grey,
 * CMYK, palette and 16-bit brought to 8-bit RGB; of an animation the first frame, of a TIFF the
 * first page). A library each, which tells when pixels are missing: libjpeg-turbo, libpng, libwebp,
 * libtiff; BMP and GIF through FFmpeg's libavcodec. The last two are loaded when first needed. The
 * pixels are those of OpenCV 4.6, but that WebP and every TIFF are turned upright, and that colours
 * under a TIFF's alpha are as stored. What a picture becomes does not depend on those before it. A
 * file that is cut short is an error, never half a picture; one that lacks only its end marker, or
 * in which only what is no pixel is damaged, is whole. On failure out holds any picture or none.
 * The codecs' own memory is not on the account; the limits bound it. name is for errors. Errors:
 * VG_ERR_FORMAT (not a picture, truncated, corrupt), VG_ERR_UNSUPPORTED, VG_ERR_LIMIT,
 * VG_ERR_MEMORY. */
vg_status image_decode(image_decoder *d, image_buffer *out, const uint8_t *bytes, size_t n_bytes,
                       const char *name, base_mem *mem, vg_error *err);
/* Size as it would decode (orientation applied), from the header alone. */
vg_status image_probe(image_decoder *d, int *w, int *h, const uint8_t *bytes, size_t n_bytes,
                      const char *name, vg_error *err);
/* What decoders take beyond create and the caller's picture; of several pictures the largest. */
typedef struct image_decoder_need {
    size_t stored_bytes;  /* a picture that is turned, as stored */
    size_t scratch_bytes; /* CMYK, TIFF, the first frame of a WebP, rows of rare formats */
    bool needs_stills;    /* a BMP or GIF */
} image_decoder_need;
/* The same as image_probe from the beginning of a file, so a forecast: a PNG may tell its
 * orientation behind its pixels. Raises *need to what this picture takes. Errors: as image_probe;
 * VG_ERR_FORMAT also when the size is not among the first n_bytes: try with the whole file. */
vg_status image_forecast(image_decoder *d, int *w, int *h, image_decoder_need *need,
                         const uint8_t *bytes, size_t n_bytes, const char *name, vg_error *err);
/* Takes all of it now, so that decoding what was forecast allocates nothing. */
vg_status image_decoder_reserve(image_decoder *d, const image_decoder_need *need, base_mem *mem,
                                vg_error *err);
size_t image_decoder_bytes(const image_decoder_need *need);
/* "JPEG", "PNG", ...; NULL when the first bytes are of none we know. */
const char *image_format_name(const uint8_t *bytes, size_t n_bytes);
/* Whether a file name's suffix is one that image folders are searched for (spec 5.1). */
bool image_is_picture_name(const char *path);
/* Whether it is the suffix of a picture of a kind that is not read: phones and cameras write them.
 */
bool image_is_unread_name(const char *path);

/* ---- resize and letterbox: spec 2.1, 2.2 ---- */

/* OpenCV's 8-bit bilinear, bit for bit. `scratch` is reused from call to call and keeps the tables
 * of the last sizes; one a thread. dst and src do not overlap. Any sizes >= 1. */
typedef struct image_scratch {
    void *block; /* zeroed is valid */
    size_t capacity_bytes;
} image_scratch;
void image_scratch_fini(image_scratch *s);
/* Makes s->block hold at least `bytes`; contents are kept. On failure it is as it was. */
vg_status image_scratch_reserve(image_scratch *s, size_t bytes, base_mem *mem, vg_error *err);
vg_status image_resize(const image_view *dst, const image_view *src, image_scratch *scratch,
                       base_mem *mem, vg_error *err);

/* Pillow's 8-bit bilinear with smoothing before a reduction, bit for bit (T 2.4). Never enlarges
 * scratch beyond image_resize_smooth_bytes. */
vg_status image_resize_smooth(const image_view *dst, const image_view *src, image_scratch *scratch,
                              base_mem *mem, vg_error *err);
size_t image_resize_smooth_bytes(int src_w, int src_h, int w, int h);

/* What a classifier sees of a picture: resized so, its shorter side to floor(size / crop_fraction),
 * and the middle of size x size cut out; where that is more than there is, black around. */
typedef struct image_middle {
    int size;
    int new_w, new_h;      /* the picture resized */
    int left, top, w, h;   /* the window of it that is made */
    int pad_left, pad_top; /* where that is in the result */
} image_middle;
/* For a picture of w x h. Errors: VG_ERR_ARGUMENT, VG_ERR_LIMIT. */
vg_status image_middle_plan(image_middle *out, int w, int h, int size, double crop_fraction,
                            vg_error *err);
/* dst is size x size. */
vg_status image_middle_crop(const image_view *dst, const image_view *src, const image_middle *m,
                            image_scratch *scratch, base_mem *mem, vg_error *err);
/* The same as floats 0..1: (size, size, 3). */
vg_status image_middle_crop_to_float(float *dst, const image_view *src, const image_middle *m,
                                     image_scratch *scratch, base_mem *mem, vg_error *err);
/* What the scratch comes to hold: for a picture of w x h; for any whose longer side is at most
 * most_side. 0: too large. */
size_t image_middle_bytes(const image_middle *m, int w, int h);
size_t image_middle_most_bytes(int most_side, int size);

typedef struct image_letterbox_rule {
    int target_w, target_h;
    bool autosize;   /* pad only to the next multiple of stride ("auto") */
    bool scale_fill; /* stretch */
    bool scale_up;   /* may enlarge */
    bool center;
    int stride;
} image_letterbox_rule;

typedef struct image_letterbox_fit {
    int out_w, out_h; /* the padded picture */
    int new_w, new_h; /* the resized one inside */
    int left, top, right, bottom;
    double ratio_w, ratio_h; /* new / old before rounding */
    double pad_w, pad_h;     /* unrounded halves (center) that labels move by */
} image_letterbox_fit;

/* Works out sizes only. Errors: VG_ERR_ARGUMENT. */
vg_status image_letterbox_plan(image_letterbox_fit *out, int w, int h,
                               const image_letterbox_rule *rule, vg_error *err);
/* dst is fit->out_w x fit->out_h; padding is 114. */
vg_status image_letterbox(const image_view *dst, const image_view *src,
                          const image_letterbox_fit *fit, image_scratch *scratch, base_mem *mem,
                          vg_error *err);
/* The same straight into a network's input: floats 0..1, nhwc with 3 channels in RGB order, rows of
 * out_w * 3 floats (equal to image_letterbox followed by / 255). */
vg_status image_letterbox_to_float(float *dst, const image_view *src,
                                   const image_letterbox_fit *fit, image_scratch *scratch,
                                   base_mem *mem, vg_error *err);
/* Pixels of others, as they lie: 8 bits or floats, channels beside each other or in planes. */
typedef struct image_pixels {
    const void *data;
    int w, h;
    size_t row_bytes, pixel_bytes; /* from row to row; from pixel to pixel */
    size_t channel_bytes[3];       /* from the pixel to its red, green and blue: all 0 for grey */
    bool is_float;                 /* aligned floats 0..1; else 8 bits */
} image_pixels;
/* image_letterbox_to_float from such pixels, which are only read, where they lie. Of 8 bits: equal
 * to what it makes of them as RGB. Of floats: bilinear with the same places and without rounding,
 * so that floats which need no resize come out as they are. */
vg_status image_letterbox_pixels(float *dst, const image_pixels *src,
                                 const image_letterbox_fit *fit, image_scratch *scratch,
                                 base_mem *mem, vg_error *err);
/* What image_letterbox_to_float makes a picture's pixels of, for who does it elsewhere: where
 * columns and rows come from (of the left and the upper sample; rows are kept within the picture),
 * and weights of that and of its neighbour, of 2048. Unless it is a copy, or each pixel the mean of
 * exactly four. Into the scratch, until its next use. */
typedef struct image_taps {
    const int32_t *x_from, *y_from;     /* (new_w), (new_h) */
    const int16_t *x_weight, *y_weight; /* (new_w, 2), (new_h, 2) */
    bool copies, halves;
} image_taps;
vg_status image_letterbox_taps(image_taps *out, int w, int h, const image_letterbox_fit *fit,
                               image_scratch *scratch, base_mem *mem, vg_error *err);
/* Room in the scratch for letterboxes of all kinds up to out_w x out_h. */
vg_status image_letterbox_pixels_reserve(image_scratch *scratch, int out_w, int out_h,
                                         base_mem *mem, vg_error *err);
size_t image_letterbox_pixels_bytes(int out_w, int out_h);
/* The same pixels as RGB; dst is of their size. Floats are rounded and kept within 0..255. */
void image_pixels_to_rgb(const image_view *dst, const image_pixels *src);
/* Their green (of grey: all) as bytes, rows of w, likewise. */
void image_pixels_to_grey(uint8_t *dst, const image_pixels *src);
/* Room in the scratch for letterboxes of RGB up to out_w x out_h, so that they allocate nothing. */
vg_status image_letterbox_reserve(image_scratch *scratch, int out_w, int out_h, base_mem *mem,
                                  vg_error *err);
size_t image_letterbox_bytes(int out_w, int out_h);
/* Exchanges red and blue. dst may be src. */
void image_swap_red_blue(const image_view *dst, const image_view *src);

/* ---- draw ---- */

typedef struct image_color {
    uint8_t r, g, b;
} image_color;
/* Twenty well separated colours, in turn. */
image_color image_class_color(int class_index);

typedef struct image_box {
    float x1, y1, x2, y2; /* pixels */
    int class_index;      /* chooses the colour */
    const char *label;    /* UTF-8; NULL or "": none */
    const float *turned;  /* x y w h theta: drawn instead of the frame, and x1 to y2 are around it.
                             NULL:  the frame */
} image_box;

/* Names of classes, as somebody keeps them. */
typedef struct image_names {
    const char *(*at)(const void *context, size_t i); /* UTF-8, never NULL */
    const void *context;
    size_t n;
} image_names;
/* What names are drawn with, and what no font could be found for. */
typedef struct image_font {
    char family[128];
    size_t n_names_missing; /* names that show boxes in place of letters */
    size_t first_missing;   /* the first of them */
    uint32_t letter; /* the first letter that no font here has; 0: each is in one, but not in one
                        for all */
} image_font;
/* The installed family that has most letters of all names. Asks fontconfig only when a name goes
 * beyond Latin-1, and takes milliseconds then: for when a job is opened. */
void image_font_choose(image_font *out, const image_names *names);
/* What to say of names that no font here can show, in one line, with the package of fonts that
 * would help, into buf. False, and "": drawings can show all of them. As slow as image_font_choose.
 */
bool image_letters_format(char *buf, size_t n, const image_names *names);
/* at() of names in an array of pointers, which is the context. */
const char *image_name_at(const void *names, size_t i);

typedef struct image_draw_style {
    int line_width_px; /* 0: by picture size, max(round((w + h) / 2 * 0.003), 2) */
    /* A label that finds no free place is left out: in small pictures, where the colour of its
     * frame tells more than half a word under others. */
    bool drops_crowded_labels;
    const char *family; /* of labels; outlives the canvas's use. NULL: the default one */
    bool is_bgr;        /* the picture's bytes are blue, green, red */
} image_draw_style;

/* A canvas keeps Cairo's surface and font between pictures. Not thread-safe: one a thread. */
typedef struct image_canvas image_canvas;
vg_status image_canvas_create(image_canvas **out, base_mem *mem, vg_error *err);
void image_canvas_destroy(image_canvas **c);
/* Room for labels of any length in pictures up to w x h, so that drawing allocates nothing. */
vg_status image_canvas_reserve(image_canvas *c, int w, int h, const image_draw_style *style,
                               base_mem *mem, vg_error *err);
size_t image_canvas_bytes(int w, int h, const image_draw_style *style);
/* Draws into the picture: frames in order, then labels in order, so that no frame crosses a label.
 * A label stands on its frame, or at another edge of it where it would cover another label; the
 * last boxes choose first. All of it stays inside the picture; boxes outside and boxes that are not
 * numbers are passed over. Text is black or white, whichever reads better, shortened to the
 * picture's width; bytes that are not UTF-8 show as U+FFFD. Works without any font installed.
 * Errors: VG_ERR_MEMORY, VG_ERR_SYSTEM (Cairo). */
vg_status image_canvas_boxes(image_canvas *c, const image_view *picture, const image_box *boxes,
                             size_t n_boxes, const image_draw_style *style, base_mem *mem,
                             vg_error *err);

/* The closed outline of xy (n_points, 2) in pixels, in the colour of class_index. Parts outside the
 * picture are left out, and so is a polygon with a corner that is not finite. */
void image_canvas_polygon(const image_view *picture, const float *xy, size_t n_points,
                          int class_index, const image_draw_style *style);
/* Its label (NULL: none) at its uppermost corner, clear of the labels of the boxes that were drawn
 * last into this picture, if there is room: to be drawn after them, so that it is on top. Errors as
 * image_canvas_boxes. */
vg_status image_canvas_caption(image_canvas *c, const image_view *picture, const float *xy,
                               size_t n_points, int class_index, const char *label,
                               const image_draw_style *style, base_mem *mem, vg_error *err);

/* A label at x, *y and below the notes before it: *y moves on. One that has no room is left out.
 * Errors as image_canvas_boxes. */
vg_status image_canvas_note(image_canvas *c, const image_view *picture, int x, int *y,
                            int class_index, const char *label, const image_draw_style *style,
                            base_mem *mem, vg_error *err);
/* Of frames in this picture, pixels. */
int image_line_width(const image_view *picture, const image_draw_style *style);
/* From a to b (x, y), with round ends: a dot where they are one. What is not finite is passed over.
 */
void image_draw_line(const image_view *picture, const float a[2], const float b[2], double width,
                     image_color color);
/* Where a picture of w x h is in the grid of its masks: as the letterbox put it there, with borders
 * of whole pixels. */
typedef struct image_grid {
    double step_x, step_y; /* pixels of the grid to one of the picture */
    double left, top;      /* where the picture begins in the grid */
} image_grid;
image_grid image_grid_of(const vg_mask *m, int w, int h);
/* The n masks in the colours of their boxes' classes: a pixel that k of them cover keeps 1 / 2^k of
 * itself and gets half of the brightest of the colours, channel by channel. scratch:
 * image_draw_masks_bytes. */
size_t image_draw_masks_bytes(int w);
void image_draw_masks(const image_view *picture, const vg_mask *masks, const vg_detection *boxes,
                      size_t n, bool is_bgr, uint8_t *scratch);

/* ---- encode ---- */

typedef struct image_encoder image_encoder;
vg_status image_encoder_create(image_encoder **out, base_mem *mem, vg_error *err);
void image_encoder_destroy(image_encoder **e);
/* What an encoder takes beyond create; of several pictures the largest. */
typedef struct image_encoder_need {
    size_t jpeg_bytes;    /* 0: no JPEG */
    size_t png_row_bytes; /* 0: no PNG */
} image_encoder_need;
/* Raises *need to what a picture of w x h takes, as .png or else as .jpg. A part of a picture takes
 * no more than the whole. */
void image_encoder_need_raise(image_encoder_need *need, int w, int h, const char *suffix);
/* Takes all of it now, so that writing such pictures allocates nothing. */
vg_status image_encoder_reserve(image_encoder *e, const image_encoder_need *need, base_mem *mem,
                                vg_error *err);
/* Within 8 KiB, for zlib's own part of a PNG's varies with its version. */
size_t image_encoder_bytes(const image_encoder_need *need);
/* Encodes by the suffix of path (.jpg .jpeg: quality 95, 4:2:0 as OpenCV's default writes; .png)
 * and replaces the file whole or not at all, without waiting for the disk (base_file_publish).
 * Errors: VG_ERR_UNSUPPORTED (suffix), VG_ERR_IO, VG_ERR_LIMIT (too long a name), VG_ERR_MEMORY. */
vg_status image_write(image_encoder *e, const image_view *picture, const char *path, base_mem *mem,
                      vg_error *err);
/* A JPEG in memory, 4:2:0, quality 1..100; *bytes belong to the encoder until its next call.
 * Errors: VG_ERR_ARGUMENT, VG_ERR_LIMIT (too large for a JPEG), VG_ERR_MEMORY. */
vg_status image_encode_jpeg(image_encoder *e, const image_view *picture, int quality,
                            const uint8_t **bytes, size_t *n_bytes, base_mem *mem, vg_error *err);
/* A PNG in memory, likewise; the block grows to the largest. */
vg_status image_encode_png(image_encoder *e, const image_view *picture, const uint8_t **bytes,
                           size_t *n_bytes, base_mem *mem, vg_error *err);

#endif
