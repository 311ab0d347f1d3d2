/* fault.h: FFmpeg's codes to faults and to words. For this folder. */
#ifndef VIDEO_FAULT_H
#define VIDEO_FAULT_H

#include "ffmpeg.h"
#include "video.h"

/* code: an AVERROR. is_connecting: else while frames were read. */
video_fault video_fault_of(int code, bool is_connecting);
/* Fills err with what the fault means and how to mend it; detail: FFmpeg's own words, or ours.
 * Returns the status that suits. */
vg_status video_fault_tell(video_fault fault, int code, const char *name, const char *detail,
                           vg_error *err);

#endif
