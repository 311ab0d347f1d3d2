/* board.c: vg_board over board's server. */
#include "board/board.h"
#include "vigil/vigil.h"

struct vg_board {
    base_mem account;
    board *board;
};

vg_status vg_board_open(vg_board **out, const char *folder, const char *where, const char *token,
                        vg_error *err)
{
    vg_board *b = base_handle_alloc(sizeof *b, err);
    *out = b;
    if (b == NULL)
        return VG_ERR_MEMORY;
    base_mem_init(&b->account, "board", NULL, 0);
    const board_options o = {.folder = folder, .where = where, .token = token != NULL ? token : ""};
    const vg_status st = board_open(&b->board, &o, &b->account, err);
    if (st != VG_OK)
        vg_board_close(out);
    return st;
}

const char *vg_board_url(const vg_board *b)
{
    return board_url(b->board);
}

void vg_board_close(vg_board **handle)
{
    if (*handle != NULL) {
        board_close(&(*handle)->board);
        base_handle_free(*handle);
    }
    *handle = NULL;
}
