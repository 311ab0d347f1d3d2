/* need.h: what a run will hold, by owner, before anything of it is taken; and the largest batch
 * whose sum fits a limit.
 *
 * The items that are `held` are exact: when the run has been created its accounts say the same, to
 * the byte. The others are bounds of what comes and goes (headers of files while they are written,
 * plots) or is on no account (code, libraries, stacks). The sum of all is what a memory limit is
 * compared with, so that the process's peak stays below it. */
#ifndef TRAIN_NEED_H
#define TRAIN_NEED_H

#include "args.h"
#include "validate.h"

typedef enum train_owner {
    TRAIN_OWNER_DATA,
    TRAIN_OWNER_MODEL,
    TRAIN_OWNER_ACTIVATIONS,
    TRAIN_OWNER_WORK, /* these four: train_accounts, in its order */
    TRAIN_OWNER_REPORT,
    TRAIN_OWNER_PROGRAM,
    TRAIN_N_OWNERS
} train_owner;
const char *train_owner_name(train_owner owner);

typedef struct train_need_item {
    train_owner owner;
    const char *what;
    size_t bytes;
    bool is_held; /* exact, from create to destroy */
} train_need_item;

enum { TRAIN_NEED_ITEMS = 24 };
typedef struct train_need {
    int batch;   /* of the arguments, or chosen */
    int n, h, w; /* the largest batch of training */
    train_need_item items[TRAIN_NEED_ITEMS];
    int n_items;
    size_t held_bytes;  /* of the items that are held */
    size_t total_bytes; /* of all */
    size_t naive_bytes; /* the activations, if none shared its bytes with another */
    size_t limit_bytes; /* what total_bytes was compared with; 0: nothing */
    bool is_chosen;     /* batch was -1 */
} train_need;
size_t train_need_of(const train_need *need, train_owner owner, bool held_only);

/* The plan of a run with these arguments. data empty: of the network alone, of nc classes (0: the
 * model's), which leaves out what depends on pictures. batch -1 and memory_limit are as in
 * train_run_create, but a plan that does not fit memory_limit is no error. The accounts are used
 * for labels and descriptions, and given back. */
vg_status train_plan(train_need *out, const train_args *args, int nc, const train_accounts *mem,
                     vg_error *err);

#endif
