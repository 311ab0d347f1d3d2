/* frame.h: what a frame holds. For this folder. */
#ifndef VIDEO_FRAME_H
#define VIDEO_FRAME_H

#include "ffmpeg.h"
#include "video.h"

/* How the stored picture lies: the upright pixel (x, y) is the stored one of column k and row l,
 * where k, l = x, y, or y, x when swapped; mirrored ones count from the far end. */
typedef struct video_turn {
    bool is_swapped, mirrors_columns, mirrors_rows;
} video_turn;

/* matrix: a display matrix of FFmpeg's (9 values); NULL: upright. Angles that are no multiple of 90
 * are brought to the nearest. */
video_turn video_turn_make(const int32_t *matrix);
/* Clockwise, as players turn it: 0, 90, 180, 270; of the mirrored ones the turn alone. */
int video_turn_degrees(video_turn t);

struct video_frame {
    const video_ffmpeg *ffmpeg;
    AVFrame *picture; /* format -1 when it holds none */
    video_turn turn;
    video_frame_info info;
    char file[VIDEO_FILE_BYTES];
};

#endif
