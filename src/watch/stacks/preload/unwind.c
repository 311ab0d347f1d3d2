/* unwind.c: the native callers of a sample, by the compiler's unwind tables: most code has no frame
 * pointers. The unwinder is the compiler's own, linked into this library: it takes no lock and no
 * memory (glibc finds its tables by _dl_find_object), some 0.3 us a frame. */
#include "preload.h"

#include <dlfcn.h>
#include <unwind.h>

static uintptr_t own_start, own_end;

void unwind_init(void)
{
    struct dl_find_object found;
    if (_dl_find_object((void *)(uintptr_t)unwind_init, &found) == 0) {
        own_start = (uintptr_t)found.dlfo_map_start;
        own_end = (uintptr_t)found.dlfo_map_end;
    }
}

typedef struct walk {
    uint64_t *frame;
    uint32_t n, room;
    uintptr_t loop; /* 0: none */
    bool is_cut;
    stacks_table *table;
} walk;

/* The interpreter's loop is the last native frame told of: what called it is told by its own. */
static _Unwind_Reason_Code step(struct _Unwind_Context *context, void *walk_)
{
    walk *w = walk_;
    int before = 0; /* of the instruction: then it is no return address (a signal) */
    const uintptr_t pc = _Unwind_GetIPInfo(context, &before);
    if (pc == 0)
        return _URC_END_OF_STACK;
    if (pc >= own_start && pc < own_end)
        return _URC_NO_REASON;
    if (w->loop != 0 && _Unwind_GetRegionStart(context) == w->loop)
        return _URC_END_OF_STACK;
    if (w->n + 1 == w->room) {
        w->is_cut = true;
        return _URC_END_OF_STACK;
    }
    w->frame[w->n++] = record_frame(w->table, before ? pc : pc - 1);
    return _URC_NO_REASON;
}

uint32_t unwind(uint64_t *frame, uint32_t room, bool ends_at_loop, stacks_table *t)
{
    walk w = {.frame = frame, .room = room, .loop = ends_at_loop ? python_loop() : 0, .table = t};
    _Unwind_Backtrace(step, &w);
    if (w.is_cut)
        frame[w.n++] = STACKS_NOTE << 48 | STACKS_NOTE_CUT;
    return w.n;
}
