/* facts.h: what is known of a run for the list, read from its folder. For this folder. */
#ifndef BOARD_FACTS_H
#define BOARD_FACTS_H

#include "beneath.h"
#include "train/train.h"

enum { BOARD_SPARK_POINTS = 32 };

typedef enum board_kind { BOARD_NO_RUN, BOARD_TRAIN, BOARD_WATCH } board_kind;

typedef struct board_facts {
    board_kind kind;
    const char *state; /* of page_badge */
    bool is_alive;
    char model[64], data[96];
    int epoch, n_epochs; /* done; of so many, 0: unknown */
    bool has_boxes;      /* else pictures have a class each, and accuracies stand for mAP below */
    char second;         /* 'M', 'P': there are metrics of masks, of keypoints, too; 0 */
    int best_epoch;      /* of the highest map, the sum where there are two; 0: none yet */
    double best_map, best_map50; /* of boxes (top-1, top-5 accuracy); NAN: not known */
    double seconds, began_unix_s, changed_unix_s; /* NAN: not known */
    size_t n_spark;
    double spark[BOARD_SPARK_POINTS];      /* board_row_score, or a watched job's memory */
    char why[192];                         /* what the guard thinks */
    uint64_t stamp;                        /* of all that this was read from */
    uint64_t results, pictures, arguments; /* stamps of what a page's parts show */
} board_facts;

/* What a folder is, by the names in it. */
board_kind board_kind_of(int folder);
/* Of all that board_facts_read would read. */
uint64_t board_facts_stamp(int folder, board_kind kind);
/* What cannot be read is left unknown. May take a while: not under a lock. *story: a room of
 * watch_story's size, made where it is first needed. */
void board_facts_read(board_facts *out, int folder, board_kind kind, void **story, base_mem *mem);
/* The process of a training lives; *view is what it noted (PREPARING: nothing yet). */
bool board_view_read(vg_run_view *view, int folder);
const char *board_state_name(vg_run_state s);
/* What runs are ranked and drawn small by: mAP50-95, the sum where there are two; or accuracy. */
double board_row_score(const vg_train_epoch *row, const report_columns *columns);
/* All rows of results.csv, and its columns (NULL: unwanted). VG_ERR_IO: there is none. */
vg_status board_results_read(vg_train_epoch **out, size_t *n, report_columns *columns, int folder,
                             base_mem *mem, vg_error *err);
/* args.yaml. NULL: there is none that can be read. */
base_tree *board_arguments_read(int folder, base_mem *mem);
/* A scalar as a text; "" for null. */
const char *board_value_text(const base_node *v);

#endif
