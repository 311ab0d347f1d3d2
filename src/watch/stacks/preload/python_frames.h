/* python_frames.h: CPython's chain of frames, read where its version has it. For python.c. */
#ifndef WATCH_STACKS_PYTHON_FRAMES_H
#define WATCH_STACKS_PYTHON_FRAMES_H

#include <sys/types.h>

#include "preload.h"
#include "python_lines.h"

/* Where a version has things: offsets in bytes. Read of Include/ of each version (frameobject.h,
 * cpython/code.h, internal/pycore_frame.h, cpython/pystate.h); 3.13 tells its own. */
typedef struct python_layout {
    uint32_t version; /* 0x030b: 3.11 */
    python_lines lines;
    uint16_t state_frame;                             /* of the thread's state */
    uint16_t cframe_frame;                            /* reached by one more pointer; NONE: not */
    uint16_t frame_code, frame_previous, frame_instr; /* instr: a pointer, or a count of int */
    uint16_t frame_owner;                             /* NONE: no frames but Python's */
    uint16_t instr_bytes;                             /* one of the count; 0: it is a pointer */
    uint16_t code_first_line, code_file, code_name, code_lines, code_instrs;
    uint16_t text_ascii, text_other; /* where characters begin */
} python_layout;
enum { PYTHON_NO_OFFSET = UINT16_MAX };

/* False: not a version whose layout is known. `runtime`: _PyRuntime, NULL if it is not there. */
bool python_layout_find(python_layout *out, uint32_t version, const void *runtime);

typedef struct python_types {
    const void *code, *text, *bytes;
    int (*line)(void *, int); /* PyCode_Addr2Line: what lines are checked by */
} python_types;

/* How memory is read: at once, which a thread that holds the interpreter's lock may; or through the
 * kernel, which says no where a stray pointer would crash. */
python_read python_read_at_once, python_read_safely;
void python_read_of(pid_t own); /* a child has another one */
/* Of this process; false: the kernel does not let it. */
bool python_can_read_safely(pid_t own);

/* The frames of a thread's state into out; innermost first. */
uint32_t python_frames_walk(uint64_t *out, uint32_t room, stacks_table *t, const void *state,
                            const python_layout *l, const python_types *types, python_read *read);

/* In a child: what its parent's threads were just writing stays unfinished. */
void python_frames_forget(void);

typedef enum python_checked {
    PYTHON_NO_FRAME,
    PYTHON_AS_EXPECTED,
    PYTHON_OTHERWISE
} python_checked;
/* Is the layout this Python's? Its names must be texts, and its lines what CPython says. The thread
 * holds the lock. */
python_checked python_frames_check(const void *state, const python_layout *l,
                                   const python_types *types, python_read *read);

#endif
