/* convert.h: whatever a codec of stills gives -> RGB. For this folder. */
#ifndef IMAGE_CONVERT_H
#define IMAGE_CONVERT_H

#include "ffmpeg_load.h"
#include "image/image.h"

/* dst (reserved to the frame's size) = the frame's colours; alpha is dropped and 16 bits lose their
 * low byte, as OpenCV's IMREAD_COLOR does. scratch: rows of rare formats. Errors:
 * VG_ERR_UNSUPPORTED (floats), VG_ERR_MEMORY. */
vg_status image_convert_frame(const image_view *dst, const AVFrame *frame,
                              const image_ffmpeg *ffmpeg, image_scratch *scratch, const char *name,
                              base_mem *mem, vg_error *err);

#endif
