/* wire.h: what plans for inference and for training have in common: shapes, sums that ride on
 * convolutions, values that live inside others, and the steps of a forward pass. Internal to nn. */
#ifndef NN_WIRE_H
#define NN_WIRE_H

#include "backend.h"

typedef struct nn_wires {
    const nn_graph *g;
    nn_map *maps;     /* (values) n, h, w, c; the caller's */
    int *parent;      /* (values) alias: the value this one lives in, or NN_NO_VALUE */
    int *c0;          /* (values) channel within it */
    int *uses;        /* (values) readers */
    int *produced_as; /* (values) a fused conv writes this value instead of its own; else itself */
    int *fused_add;   /* (ops) for a conv: the residual's value; NN_NO_VALUE: none */
    bool *gone;       /* (ops) fused away */
} nn_wires;

/* n, h, w multiples of the largest stride, within limits. Errors: VG_ERR_ARGUMENT. */
vg_status nn_wires_check(const nn_graph *g, int n, int h, int w, vg_error *err);
/* Bytes of the arrays but maps. */
size_t nn_wires_bytes(const nn_graph *g);
/* Points the arrays into block (int-aligned, zeros) and works everything out for a shape:
 * 1. shapes: rows and columns of every value;
 * 2. fuse: a sum whose one side is a convolution used only there becomes that convolution's
 * residual; values with is_kept (NULL: none; index: values) stay;
 * 3. alias: an input of a concat is produced straight into its slice of the concat's buffer, unless
 * it lives in another buffer already; then it is copied. */
void nn_wire(nn_wires *k, const nn_graph *g, nn_map *maps, int n, int h, int w, const bool *is_kept,
             void *block);

/* 4. steps: the ops that are left, in order; a concat's are copies of what does not live in it.
 * True and the next step in *out, or false behind the last. *at is zero before the first. */
typedef struct nn_wires_at {
    size_t op;
    int input, c0; /* of a concat: the input that is looked at, and its first channel */
} nn_wires_at;
bool nn_wires_next(const nn_wires *k, nn_wires_at *at, nn_step_spec *out);
/* As many as they can be, for any shape. */
size_t nn_wires_most_steps(const nn_graph *g);

/* The value whose buffer holds v; *c0 (NULL: unwanted) the channel in it. */
int nn_wires_root(const nn_wires *k, int v, int *c0);
/* The value is a head's, or another result: who runs the network reads it. */
bool nn_wires_is_head(const nn_graph *g, int v);

#endif
