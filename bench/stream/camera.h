/* camera.h: a camera that says when it sent each frame: a process that serves a clip at a stated
 * pace, again and again with time stamps that go on, to one reader: as FLV over TCP, where a frame
 * is complete with its last byte, or by RTSP over TCP, as cameras do. */
#ifndef BENCH_STREAM_CAMERA_H
#define BENCH_STREAM_CAMERA_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct camera_log {   /* in memory that processes share */
    _Atomic int port;         /* 0: not there yet */
    _Atomic uint64_t n_sent;  /* frames */
    _Atomic uint64_t n_late;  /* of them, sent more than 5 ms after their time */
    uint64_t most;            /* then it holds still */
    _Atomic int64_t *sent_ns; /* (most) base_now_ns before the frame is written; from frame 0 on */
} camera_log;

typedef enum camera_kind { CAMERA_FLV, CAMERA_RTSP } camera_kind;

/* Starts the process, which has read the clip then. It ends with its parent. Frame n has the time
 * stamp n / fps. */
pid_t camera_start(camera_log *log, camera_kind kind, const char *flv, double fps);
/* The same in this process, which ends with its reader. The port is log->port; 0: any, told there.
 */
_Noreturn void camera_serve(camera_log *log, camera_kind kind, const char *flv, double fps);
/* Where its reader finds it. */
void camera_url(char *url, size_t n, const camera_log *log, camera_kind kind);

/* A clip of testsrc2: H.264 of one slice, without frames that wait for others, with a key frame a
 * second. */
void camera_draw_clip(const char *flv, int w, int h, double fps, int seconds);

#endif
