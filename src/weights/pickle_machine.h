/* pickle_machine.h: the stack machine that runs pickles, shared by pickle.c (the loop),
 * pickle_machine.c (stack and cursor), pickle_values.c and pickle_objects.c (the opcodes) and
 * pickle_ops.c (their table). */
#ifndef WEIGHTS_PICKLE_MACHINE_H
#define WEIGHTS_PICKLE_MACHINE_H

#include "pickle.h"

typedef struct pickle_machine pickle_machine;
typedef struct pickle_op {
    const char *name;                          /* NULL: not an opcode */
    vg_status (*run)(pickle_machine *machine); /* NULL: known, not supported */
    /* For opcodes that are alike. */
    size_t n;         /* bytes of the number that follows; or values taken from the stack */
    pickle_kind kind; /* of the value made or added to */
} pickle_op;
extern const pickle_op pickle_ops[256];

struct pickle_machine {
    const uint8_t *bytes;
    size_t n, at; /* of the next byte to read */
    size_t op_at; /* of the opcode that runs */
    const pickle_op *op;
    const char *source;
    pickle_node **stack; /* (capacity) */
    size_t n_stack, stack_capacity;
    size_t *marks; /* (capacity) heights of the stack at MARK */
    size_t n_marks, marks_capacity;
    pickle_node **memo; /* (capacity), NULL where nothing was put */
    size_t memo_capacity, n_memo;
    pickle_cell *first_class, *last_class;
    bool stopped;
    arena *values;
    base_mem *mem;
    vg_error *err;
};

/* VG_ERR_FORMAT with the running opcode's name and offset. */
vg_status pickle_broken(const pickle_machine *m, const char *what);
/* The next n bytes; the cursor moves behind them. */
vg_status pickle_take(pickle_machine *m, const uint8_t **out, uint64_t n);
/* Little-endian, 1 to 8 bytes. */
uint64_t pickle_number(const uint8_t *p, size_t n);
vg_status pickle_take_number(pickle_machine *m, uint64_t *out, size_t n_bytes);

/* Room for `needed` items of size bytes; a machine's tables grow by half. */
vg_status pickle_reserve(pickle_machine *m, void **table, size_t *capacity, size_t needed,
                         size_t size);
vg_status pickle_push(pickle_machine *m, pickle_node *n);
vg_status pickle_pop(pickle_machine *m, pickle_node **out);
vg_status pickle_top(pickle_machine *m, pickle_node **out);
/* What lies below this height, where the newest MARK is, belongs to an outer value. */
size_t pickle_floor(const pickle_machine *m);
/* The values above the newest MARK are stack[*first..n_stack); the MARK is gone, they are the
 * caller's to drop. */
vg_status pickle_to_mark(pickle_machine *m, size_t *first);

vg_status pickle_make(pickle_machine *m, pickle_node **out, pickle_kind kind);
vg_status pickle_make_and_push(pickle_machine *m, pickle_node **out, pickle_kind kind);
/* Appends to a LIST, TUPLE or SET (key NULL), or to a DICT. */
vg_status pickle_add(pickle_machine *m, pickle_node *to, const pickle_node *key,
                     const pickle_node *value);

/* ---- the opcodes ---- */

vg_status pickle_op_binfloat(pickle_machine *m);
vg_status pickle_op_binpersid(pickle_machine *m);
vg_status pickle_op_build(pickle_machine *m);
vg_status pickle_op_dup(pickle_machine *m);
vg_status pickle_op_extend(pickle_machine *m);
vg_status pickle_op_extend_n(pickle_machine *m);
vg_status pickle_op_false(pickle_machine *m);
vg_status pickle_op_frame(pickle_machine *m);
vg_status pickle_op_gather(pickle_machine *m);
vg_status pickle_op_gather_n(pickle_machine *m);
vg_status pickle_op_get(pickle_machine *m);
vg_status pickle_op_global(pickle_machine *m);
vg_status pickle_op_int(pickle_machine *m);
vg_status pickle_op_long(pickle_machine *m);
vg_status pickle_op_mark(pickle_machine *m);
vg_status pickle_op_memoize(pickle_machine *m);
vg_status pickle_op_new(pickle_machine *m);
vg_status pickle_op_newobj_ex(pickle_machine *m);
vg_status pickle_op_pop(pickle_machine *m);
vg_status pickle_op_pop_mark(pickle_machine *m);
vg_status pickle_op_proto(pickle_machine *m);
vg_status pickle_op_put(pickle_machine *m);
vg_status pickle_op_reduce(pickle_machine *m);
vg_status pickle_op_stack_global(pickle_machine *m);
vg_status pickle_op_stop(pickle_machine *m);
vg_status pickle_op_text(pickle_machine *m);
vg_status pickle_op_true(pickle_machine *m);

#endif
