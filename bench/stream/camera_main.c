/* camera_main.c: camera.h as a program of its own, so that it can be killed.
 *
 *     bench/stream/camera PORT CLIP.flv FPS FRAMES        RTSP, to one reader; then silence */
#include <stdio.h>
#include <stdlib.h>

#include "camera.h"

enum { MOST = 1 << 16 };

int main(int n_args, char **args)
{
    static camera_log log;
    static _Atomic int64_t sent_ns[MOST];
    if (n_args < 5) {
        fprintf(stderr, "usage: camera PORT CLIP.flv FPS FRAMES\n");
        return 2;
    }
    log.port = (int)strtol(args[1], NULL, 10);
    log.most = strtoull(args[4], NULL, 10);
    log.most = log.most < MOST ? log.most : MOST;
    log.sent_ns = sent_ns;
    camera_serve(&log, CAMERA_RTSP, args[2], strtod(args[3], NULL));
}
