/* runs.h: the table of runs below a folder, looked at again and again by one thread, and read by
 * others under its lock. For this folder.
 *
 * Memory: a run is some hundred bytes and its path, at most BOARD_MOST_RUNS of them; a living
 * training has a course, at most BOARD_MOST_LIVING of those. */
#ifndef BOARD_RUNS_H
#define BOARD_RUNS_H

#include "course.h"
#include "facts.h"

enum { BOARD_MOST_RUNS = 10000, BOARD_MOST_LIVING = 16, BOARD_DEEPEST = 6 };

typedef struct board_run {
    char *path; /* below the folder; "": itself */
    board_facts facts;
    uint64_t version; /* changes when the facts do */
    uint64_t seen_in; /* the scan that found it last */
} board_run;

/* A training whose process lives, or did while somebody could look. */
typedef struct board_living {
    bool is_used;
    char path[BOARD_PATH_BYTES];
    vg_run_view view;
    uint64_t version; /* of view; of course */
    uint64_t course_version;
    board_course course;
} board_living;

typedef struct board_runs board_runs;

/* Errors: VG_ERR_IO. */
vg_status board_runs_create(board_runs **out, const char *folder, bool is_single, base_mem *mem,
                            vg_error *err);
void board_runs_destroy(board_runs **r);

/* ---- by the thread that looks ---- */

/* The whole folder. True: something changed. */
bool board_runs_scan(board_runs *r, base_mem *mem);
/* The living trainings alone. */
bool board_runs_look(board_runs *r, base_mem *mem);

/* ---- by whoever draws, between lock and unlock ---- */

void board_runs_lock(board_runs *r);
void board_runs_unlock(board_runs *r);
size_t board_runs_count(const board_runs *r);
const board_run *board_runs_at(const board_runs *r, size_t i);
const board_run *board_runs_find(const board_runs *r, const char *path); /* NULL: none */
const board_living *board_runs_living(const board_runs *r, const char *path);
uint64_t board_runs_version(const board_runs *r); /* of the table */
bool board_runs_are_more(const board_runs *r);    /* than BOARD_MOST_RUNS */

/* ---- without the lock ---- */

int board_runs_open(const board_runs *r, const char *path); /* its folder; -1: gone */
const char *board_runs_folder(const board_runs *r);
bool board_runs_are_single(const board_runs *r);
/* By which a run is named in a query: of its path. */
void board_run_id(char id[24], const char *path);

#endif
