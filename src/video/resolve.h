/* resolve.h: does a host's name have an address? Asked before FFmpeg does, which waits for the name
 * server without ever looking whether it should stop, and says "input/output error" when there is
 * no such name. For this folder. */
#ifndef VIDEO_RESOLVE_H
#define VIDEO_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>

typedef enum video_resolved {
    VIDEO_RESOLVED,    /* or nothing to look up: an address, no host, a proxy does it */
    VIDEO_RESOLVE_CUT, /* is_cut said so */
    VIDEO_NO_NAME      /* why says why; static text */
} video_resolved;

/* url: a good one (url_parse). Asks is_cut about ten times a second. */
video_resolved video_resolve(const char *url, int (*is_cut)(void *), void *ctx, const char **why);

#endif
