/* view.h: a story on a terminal: state and forecast, what rises, the tree with a curve a process.
 *
 * The text is drawn in place in the terminal's last rows: the job's own output goes on scrolling
 * above them, in a scroll region. A size that changes is taken in at the next drawing. Nothing is
 * allocated. */
#ifndef WATCH_VIEW_H
#define WATCH_VIEW_H

#include "story.h"
#include "vigil/types.h"

enum { WATCH_VIEW_BYTES = 32 << 10, WATCH_VIEW_MOST_ROWS = 48, WATCH_VIEW_LEAST_ROWS = 6 };

typedef struct watch_view {
    vg_watch_screen screen; /* of the last drawing */
    int n_rows;             /* taken by the last drawing; 0: none */
    char rows[WATCH_VIEW_BYTES];
    char text[WATCH_VIEW_BYTES + 8192];
} watch_view;

/* The rows alone: n of them, at most most_rows, each ending with \n and none wider than
 * screen->columns. Returns n. */
int watch_view_rows(char text[WATCH_VIEW_BYTES], const watch_story *s,
                    const vg_watch_screen *screen, int most_rows);
/* What to write to the terminal to draw or redraw it: one write. "" when the terminal is too small.
 * The cursor stays where the job left it. */
const char *watch_view_draw(watch_view *v, const watch_story *s, const vg_watch_screen *screen);
/* What to write at the end: the view goes, the whole terminal scrolls again. */
const char *watch_view_end(watch_view *v);

#endif
