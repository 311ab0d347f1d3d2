/* board.h: pages of runs: what others may include of board.
 *
 * All runs below a folder (trainings, watched jobs) in a list, each on a page of its own, several
 * side by side; or one training alone, for its own process. A thread looks at the folder, the
 * server's thread draws. What is kept of a run is of fixed size, and so is the number of runs; a
 * run's numbers are read again when somebody looks at it. Nothing is written, no link is followed,
 * and a file is served only by a name that was found. */
#ifndef BOARD_BOARD_H
#define BOARD_BOARD_H

#include "base/base.h"

typedef struct board board;

typedef struct board_options {
    const char *folder; /* of runs; is_single: of one training */
    bool is_single;
    const char *where; /* as net_server_options has it; "true": any port of 127.0.0.1 */
    /* What a reader must know, and who stops a run. "": one is made, for stopping alone where the
     * address is of this machine, else for reading, too. */
    const char *token;
    /* is_single: stops the run instead of a signal. By the server's thread. NULL: a signal. */
    void (*stop)(void *ctx);
    void *ctx;
} board_options;

/* Whether an address and a token can be meant. Errors: VG_ERR_ARGUMENT. */
vg_status board_check(const char *where, const char *token, vg_error *err);
/* Everything is copied but ctx. Errors: VG_ERR_IO (no folder), and those of net_server_open. *out
 * belongs to the caller; mem must outlive it. */
vg_status board_open(board **out, const board_options *o, base_mem *mem, vg_error *err);
/* "http://127.0.0.1:41234/?token=..."; until close. */
const char *board_url(const board *b);
void board_close(board **b);

#endif
