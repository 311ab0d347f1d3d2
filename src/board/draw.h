/* draw.h: what the pages of a board share. For this folder. */
#ifndef BOARD_DRAW_H
#define BOARD_DRAW_H

#include "page/page.h"
#include "runs.h"

enum { BOARD_MOST_SHOTS = 64, BOARD_MOST_COMPARED = 8 };

/* How curves are looked at: the query of a page. */
typedef struct board_look {
    bool is_log, by_time;
    double smooth; /* 0..0.99: how much of the smoothed value before is kept */
} board_look;
board_look board_look_of(const net_request *r);
/* The links that change it. path, query: of the page, without these; part: what is drawn anew. */
void board_put_look(page_html *w, const board_look *k, const char *path, const char *query,
                    const char *part);

/* The rows of a run, and how it is called and coloured among others. */
typedef struct board_rows {
    const char *name;
    const vg_train_epoch *rows;
    const report_columns *columns;
    size_t n;
} board_rows;
/* Charts of one run: losses with their validation, metrics, rates, time. */
/* "box" of "box_loss". */
void board_loss_word(char *out, size_t n, const char *loss);

void board_put_run_curves(page_html *w, const board_rows *run, const board_look *k);
/* The same numbers of several, a chart each. */
void board_put_overlaid(page_html *w, const board_rows *runs, size_t n, const board_look *k);
/* Of a living one, between its epochs. planned_bytes 0: unknown. */
void board_put_course(page_html *w, const board_course *c, size_t planned_bytes,
                      const board_look *k);

/* Who waits for whom; nothing of a process that trains alone. */
void board_put_ranks(page_html *w, const vg_train_ranks *r);

/* ---- pages; each answers ---- */

typedef struct board_pages {
    board_runs *runs;
    page_feed *feed;
    void *story;                     /* of the server's thread; made where it is needed */
    char story_of[BOARD_PATH_BYTES]; /* whose it is, as of story_stamp: a page is read in parts */
    uint64_t story_stamp;            /* 0: nobody's */
    base_mem *mem;
} board_pages;

void board_answer_list(board_pages *b, const net_request *r, net_answer *a, base_mem *mem);
/* False: there is no such run. */
bool board_answer_run(board_pages *b, const net_request *r, const char *path, net_answer *a,
                      base_mem *mem);
void board_answer_compare(board_pages *b, const net_request *r, net_answer *a, base_mem *mem);
/* A picture of a run. False: none. */
bool board_answer_file(const board_pages *b, const char *path, const char *name, net_answer *a,
                       base_mem *mem);
/* The newest state of a run (with the lock), and of the list. */
void board_tell_run(page_news *e, const board_run *run, const board_living *k);
uint64_t board_run_version(const board_run *run, const board_living *k);

/* "2026-11-30 15:04", "-" for what is no time. Returns buf. */
const char *board_date(char buf[32], double unix_s);

#endif
