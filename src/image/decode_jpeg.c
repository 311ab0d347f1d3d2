/* decode_jpeg.c: JPEG through libjpeg-turbo: exact DCT and smooth chroma, as OpenCV decodes.
 *
 * Through libjpeg's own interface and not TurboJPEG's, which tells the first warning alone: after a
 * harmless one, damage would pass. Rows go straight into the caller's picture; the library's object
 * lives as long as one picture, so nothing of the last one is left. */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "buffer.h"
#include "decode.h"
#include "whole.h"

typedef struct reading {
    struct jpeg_error_mgr errors; /* first, as libjpeg hands it back */
    struct jpeg_source_mgr bytes;
    struct jpeg_progress_mgr progress;
    jmp_buf out;
    bool ended; /* more was asked for than there is */
    char said[JMSG_LENGTH_MAX];
} reading;

/* ---- what it says ---- */

static void give_up(j_common_ptr jpeg)
{
    reading *r = (reading *)jpeg->err;
    jpeg->err->format_message(jpeg, r->said);
    longjmp(r->out, 1);
}

/* libjpeg goes on after damage, painting grey, and says so in a warning. Stray bytes and odd
 * headers harm no pixel. */
static void on_message(j_common_ptr jpeg, int level)
{
    if (level >= 0) /* talk */
        return;
    switch (jpeg->err->msg_code) {
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_JPEG_EOF:
        give_up(jpeg);
        break;
    default:
        break;
    }
}

/* A tiny file may ask for thousands of passes over the picture. */
static void on_progress(j_common_ptr jpeg)
{
    enum { MOST_SCANS = 500 };
    if (((j_decompress_ptr)jpeg)->input_scan_number > MOST_SCANS) {
        reading *r = (reading *)jpeg->err;
        base_format(r->said, sizeof r->said, "more than %d scans", MOST_SCANS);
        longjmp(r->out, 1);
    }
}

/* ---- the file, for libjpeg ---- */

static void nothing(j_decompress_ptr jpeg)
{
    (void)jpeg;
}

/* Behind the last byte stands an end marker. Bits that are still lacking then, or a restart, are a
 * warning; without one it was all that lacked. */
static boolean fill(j_decompress_ptr jpeg)
{
    static const JOCTET END[2] = {0xff, JPEG_EOI};
    ((reading *)jpeg->err)->ended = true;
    jpeg->src->next_input_byte = END;
    jpeg->src->bytes_in_buffer = sizeof END;
    return TRUE;
}

static void skip(j_decompress_ptr jpeg, long n)
{
    if (n <= 0)
        return;
    if ((size_t)n > jpeg->src->bytes_in_buffer) {
        fill(jpeg);
        return;
    }
    jpeg->src->next_input_byte += n;
    jpeg->src->bytes_in_buffer -= (size_t)n;
}

static void begin(reading *r, struct jpeg_decompress_struct *jpeg, const image_source *source)
{
    jpeg->err = jpeg_std_error(&r->errors);
    r->errors.error_exit = give_up;
    r->errors.emit_message = on_message;
    r->bytes = (struct jpeg_source_mgr){.next_input_byte = source->bytes,
                                        .bytes_in_buffer = source->n_bytes,
                                        .init_source = nothing,
                                        .fill_input_buffer = fill,
                                        .skip_input_data = skip,
                                        .resync_to_restart = jpeg_resync_to_restart,
                                        .term_source = nothing};
    r->progress.progress_monitor = on_progress;
}

/* ---- pixels ---- */

/* CMYK -> RGB as OpenCV does: every ink takes its share of what black leaves. Inks are stored
 * inverted, 255 is none: so Adobe writes them, and so OpenCV and Pillow read them, whether the file
 * has Adobe's marker or not. */
static void cmyk_to_rgb(uint8_t *rgb, const uint8_t *cmyk, int w)
{
    for (int x = 0; x < w; x++, rgb += 3, cmyk += 4) {
        int k = cmyk[3];
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)(k - ((255 - cmyk[c]) * k >> 8));
    }
}

size_t image_jpeg_scratch_bytes(const image_header *header)
{
    return header->n_components == 4 ? 4 * (size_t)header->w : 0;
}

/* Comes back by longjmp when libjpeg gives up: no variable of it is used after that. */
static bool read_rows(reading *r, struct jpeg_decompress_struct *jpeg, const image_view *dst,
                      uint8_t *cmyk)
{
    enum { AT_ONCE = 8 };
    if (setjmp(r->out))
        return false;
    jpeg_create_decompress(jpeg);
    jpeg->src = &r->bytes;
    jpeg->progress = &r->progress;
    jpeg_read_header(jpeg, TRUE);
    if ((int64_t)jpeg->image_width != dst->w || (int64_t)jpeg->image_height != dst->h ||
        (jpeg->num_components == 4) != (cmyk != NULL)) {
        base_format(r->said, sizeof r->said, "it has two sizes");
        return false;
    }
    jpeg->out_color_space = cmyk != NULL ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        const int row = (int)jpeg->output_scanline;
        JSAMPROW rows[AT_ONCE];
        for (int i = 0; i < AT_ONCE; i++) /* no more are written than there are */
            rows[i] = dst->data + (size_t)(row + i < dst->h ? row + i : dst->h - 1) * dst->stride;
        if (cmyk != NULL) {
            rows[0] = cmyk;
            if (jpeg_read_scanlines(jpeg, rows, 1) == 1)
                cmyk_to_rgb(dst->data + (size_t)row * dst->stride, cmyk, dst->w);
        } else {
            const int n = dst->h - row < AT_ONCE ? dst->h - row : AT_ONCE;
            jpeg_read_scanlines(jpeg, rows, (JDIMENSION)n);
        }
    }
    jpeg_finish_decompress(jpeg);
    return true;
}

vg_status image_jpeg_decode(image_buffer *out, const image_source *source, image_scratch *scratch,
                            base_mem *mem, vg_error *err)
{
    const image_header *header = source->header;
    const size_t row_bytes = image_jpeg_scratch_bytes(header);
    vg_status st = image_buffer_reserve(out, header->w, header->h, mem, err);
    if (st == VG_OK)
        st = image_scratch_reserve(scratch, row_bytes, mem, err);
    if (st != VG_OK)
        return st;

    reading r = {.ended = false};
    struct jpeg_decompress_struct jpeg = {0};
    begin(&r, &jpeg, source);
    bool whole = read_rows(&r, &jpeg, &out->view, row_bytes > 0 ? scratch->block : NULL);
    if (r.ended && (!whole || !image_jpeg_has_all_scans(source->bytes, source->n_bytes)))
        st = base_fail(err, VG_ERR_FORMAT, source->name, base_mend("fetch or copy the file again"),
                       "the JPEG is truncated after %zu bytes", source->n_bytes);
    else if (!whole && r.errors.msg_code == JERR_OUT_OF_MEMORY)
        st = base_fail(err, VG_ERR_MEMORY, source->name, NULL, "libjpeg-turbo: %s", r.said);
    else if (!whole)
        st = base_fail(err, VG_ERR_FORMAT, source->name,
                       base_mend("save the picture again from its source"),
                       "the JPEG is damaged: %s", r.said);
    jpeg_destroy_decompress(&jpeg);
    return st;
}
