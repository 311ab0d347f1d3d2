/* layout.h: the table that a sampled process shares with the guard, a file of TABLE_BYTES in the
 * guard's folder that both have mapped.
 *
 *   header | modules | names | stacks | live
 *
 * The process writes, the guard reads at any moment. Everything is lock-free, so that a fork, a
 * signal or a kill at any point leaves a table that can be read: a module, name or stack is never
 * changed once it is READY; a live sample is owned by whoever owns the pointer, so that at worst
 * the guard misses one that is just being written. Bounded: what finds no room is counted.
 * A plain header of libc types: the preloaded library has no floor of ours below it. */
#ifndef WATCH_STACKS_LAYOUT_H
#define WATCH_STACKS_LAYOUT_H

#include <stdatomic.h>
#include <stdint.h>

#define STACKS_MAGIC UINT64_C(0x326b617473677600) /* "\0vgstak2" */

enum {
    STACKS_MOST_PROCESSES = 64, /* tables at once: NN.stacks */
    STACKS_MOST_MODULES = 256,
    STACKS_PATH_BYTES = 232,
    STACKS_MOST_NAMES = 2048, /* Python functions */
    STACKS_FUNCTION_BYTES = 64,
    STACKS_FILE_BYTES = 120,
    STACKS_MOST_STACKS = 4096,
    STACKS_MOST_FRAMES = 72,
    STACKS_MOST_NATIVE = 48, /* of them, where Python's follow: torch alone goes deeper than 60 */
    STACKS_N_BUCKETS = 8192, /* of 8: 65,536 live samples, 32 GiB at 512 KiB a sample */
    STACKS_WAYS = 8
};

/* A frame: the upper 16 bits say what the lower 48 are.
 *   STACKS_UNKNOWN  an address in no module (code made at run time)
 *   STACKS_PYTHON   line << 24 | name
 *   STACKS_NOTE     no frame, but what is to be said of the stack here
 *   else            module number + 1, and the address within it (as the file has it; one before
 *                   the return address, so that it lies in the call) */
#define STACKS_UNKNOWN UINT64_C(0)
#define STACKS_PYTHON  UINT64_C(0xffff)
#define STACKS_NOTE    UINT64_C(0xfffe)
#define STACKS_LOW     UINT64_C(0xffffffffffff)
#define STACKS_NAME    UINT64_C(0xffffff)

enum {
    STACKS_NOTE_NO_PYTHON = 1, /* a thread that Python does not know */
    STACKS_NOTE_CUT            /* more native frames were here */
};

/* What is seen of the CPython in a process. */
typedef enum stacks_python {
    STACKS_PYTHON_NONE,      /* there is none */
    STACKS_PYTHON_UNKNOWN,   /* one of another version: neither frames nor small objects */
    STACKS_PYTHON_STARTS,    /* nothing of it was sampled yet */
    STACKS_PYTHON_OTHERWISE, /* its frames are not where its version has them; nor small objects */
    STACKS_PYTHON_OBJECTS,   /* so, but small objects */
    STACKS_PYTHON_FRAMES,    /* frames, but no small objects */
    STACKS_PYTHON_WHOLE,     /* both */
    STACKS_N_PYTHON
} stacks_python;

enum { STACKS_EMPTY, STACKS_WRITING, STACKS_READY };

typedef struct stacks_module {
    _Atomic uint32_t state;
    uint32_t length;
    uint64_t start, bias; /* where it was loaded, and what to subtract */
    char path[STACKS_PATH_BYTES];
} stacks_module;

typedef struct stacks_name {
    _Atomic uint32_t state;
    uint32_t reserved;
    char function[STACKS_FUNCTION_BYTES], file[STACKS_FILE_BYTES];
} stacks_name;

typedef struct stacks_stack {
    _Atomic uint32_t state;
    uint32_t n_frames; /* innermost first */
    uint64_t hash;
    uint64_t frame[STACKS_MOST_FRAMES];
} stacks_stack;

/* A cache line of addresses, for a free looks at nothing else; 0: a free place; 1: being written.
 */
typedef struct stacks_bucket {
    _Alignas(64) _Atomic uint64_t address[STACKS_WAYS];
} stacks_bucket;

typedef struct stacks_sample {
    uint64_t bytes; /* as asked for: the reader scales */
    uint32_t stack, reserved;
} stacks_sample;

typedef struct stacks_header {
    uint64_t magic, n_bytes;
    int32_t pid;
    int32_t python;     /* stacks_python */
    uint64_t opened_ns; /* CLOCK_BOOTTIME */
    uint64_t rate_bytes;
    uint64_t python_version;                           /* 0x030b: 3.11 */
    _Atomic uint64_t n_samples, n_no_room, n_no_stack; /* ever; lost for want of a slot or stack */
    _Atomic uint64_t n_unread; /* without the interpreter's lock, and the kernel would not read */
} stacks_header;

typedef struct stacks_table {
    _Alignas(64) stacks_header header;
    stacks_module module[STACKS_MOST_MODULES];
    stacks_name name[STACKS_MOST_NAMES];
    stacks_stack stack[STACKS_MOST_STACKS];
    stacks_bucket live[STACKS_N_BUCKETS];
    stacks_sample sample[STACKS_N_BUCKETS][STACKS_WAYS];
} stacks_table;

/* What the library is told, by its environment. */
#define STACKS_ENV_FOLDER "VIGIL_STACKS"
#define STACKS_ENV_RATE   "VIGIL_STACKS_RATE"

#endif
