/* SPDX-License-Identifier: Apache-2.0 */
/* types/terminal.h: what a terminal shows. */
#ifndef VIGIL_TYPES_TERMINAL_H
#define VIGIL_TYPES_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Progress of anything: "drawing  45% ━━━━━─────── 216/480 31.2 img/s 00:07<00:08". */
typedef struct vg_bar {
    const char *what; /* "drawing" */
    size_t n_done, n_total;
    double seconds; /* since it began: the rate and the time left follow from it */
} vg_bar;

/* A terminal that shows a live view. */
typedef struct vg_watch_screen {
    int columns, rows; /* of the whole terminal */
    bool has_color;    /* NO_COLOR is not set */
    bool has_utf8;
} vg_watch_screen;

#ifdef __cplusplus
}
#endif
#endif
