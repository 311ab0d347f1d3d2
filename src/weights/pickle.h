/* pickle.h: Python pickles read as plain data. Nothing in them is ever called or imported.
 *
 * The machine of pickle's opcodes (protocols 2 to 5, what torch.save and its users write) builds a
 * graph of values in an arena. A class is its two names; calling one (REDUCE, NEWOBJ) makes a
 * record of the class and the arguments, BUILD hangs the state on it. The exceptions are dict and
 * OrderedDict, which become dicts.
 *
 * The graph may share and, through the memo, contain itself: who walks it must bound depth and
 * steps. Bounds: pickle 16 MiB, arena 256 MiB, stack and memo no larger than the pickle has bytes.
 * Time is linear in the pickle plus the arena. Source: the opcodes' descriptions in Python's
 * pickletools documentation. */
#ifndef WEIGHTS_PICKLE_H
#define WEIGHTS_PICKLE_H

#include "arena.h"

typedef enum pickle_kind {
    PICKLE_NONE,
    PICKLE_BOOL,
    PICKLE_INT,
    PICKLE_BIG, /* an integer beyond 64 bits; its value is not kept */
    PICKLE_REAL,
    PICKLE_TEXT,
    PICKLE_BYTES,
    PICKLE_LIST,
    PICKLE_TUPLE,
    PICKLE_SET,
    PICKLE_DICT,
    PICKLE_CLASS,
    PICKLE_OBJECT,
    PICKLE_PERSISTENT /* a reference to something beside the pickle: torch's storages */
} pickle_kind;

typedef struct pickle_node pickle_node;
typedef struct pickle_cell pickle_cell;
struct pickle_cell {
    const pickle_node *key; /* of a dict, else NULL */
    const pickle_node *value;
    pickle_cell *next; /* NULL at the end */
};
struct pickle_node {
    pickle_kind kind;
    uint32_t at; /* byte of the pickle where its opcode is */
    union {
        int64_t i;   /* INT, BOOL */
        double real; /* REAL */
        struct {     /* TEXT, BYTES: in the pickle, not terminated */
            const char *bytes;
            size_t n;
        } text;
        struct { /* CLASS: in the pickle, not terminated */
            const char *module, *name;
            uint32_t n_module, n_name;
        } type;
        struct { /* LIST, TUPLE, SET, DICT (in order of insertion; of equal keys the last counts) */
            pickle_cell *first, *last;
            size_t n;
        } items;
        struct { /* OBJECT */
            const pickle_node *type, *args;
            const pickle_node *state; /* NULL: none */
            bool has_items; /* it was also filled like a list or dict; those items are not kept */
        } object;
        const pickle_node *id; /* PERSISTENT */
    } as;
};

/* What a value that is missing looks like to those who only ask for kinds. */
extern const pickle_node pickle_none;

enum { PICKLE_MOST_BYTES = 16 << 20, PICKLE_MOST_ARENA_BYTES = 256 << 20 };

typedef struct pickle_graph {
    const pickle_node *root;
    const pickle_cell *classes; /* every class that was named, in order, repeated as often */
} pickle_graph;

/* Runs the pickle (n bytes, which the graph points into) up to STOP. source names it in errors; err
 * is not NULL. Errors: VG_ERR_FORMAT, VG_ERR_UNSUPPORTED (opcode, by name and offset),
 * VG_ERR_LIMIT, VG_ERR_MEMORY. */
vg_status pickle_read(pickle_graph *out, const uint8_t *bytes, size_t n, const char *source,
                      arena *values, base_mem *mem, vg_error *err);

bool pickle_is_text(const pickle_node *n, const char *text);
bool pickle_is_class(const pickle_node *n, const char *module, const char *name);
/* The value behind a text key of a dict; NULL when absent or n is not a dict (or NULL). */
const pickle_node *pickle_get(const pickle_node *n, const char *key);
/* Item of a list or tuple; NULL when absent. */
const pickle_node *pickle_item(const pickle_node *n, size_t index);
/* An attribute of an object: the state's dict entry. NULL when absent. */
const pickle_node *pickle_attribute(const pickle_node *n, const char *name);
/* What the object was made of: a class, or NULL. */
const pickle_node *pickle_type(const pickle_node *n);
const char *pickle_kind_name(pickle_kind kind);
/* "torch.nn.modules.conv.Conv2d" as printable ASCII, cut to n; "?" for what is no class. Returns
 * buf. */
const char *pickle_format_class(char *buf, size_t n, const pickle_node *type);

/* Appends the value as JSON: dicts with keys as texts, tuples and sets as lists, paths as
 * text, objects with a state dict as that dict when `unwrap`, what JSON cannot say (infinity,
 * bytes, other objects) as null. Errors: VG_ERR_LIMIT (depth 64, most_bytes), VG_ERR_FORMAT (text
 * that is not UTF-8), VG_ERR_MEMORY. */
vg_status pickle_to_json(base_str *out, const pickle_node *n, bool unwrap, size_t most_bytes,
                         base_mem *mem, vg_error *err);

#endif
