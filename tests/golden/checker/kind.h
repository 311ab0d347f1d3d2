/* kind.h: a kind of golden file: how it is recognised, and how its numbers are computed anew.
 * Kinds go by tensors and metadata, never by a file's name: files of other seeds, sizes, scales and
 * class counts are of the same kind. */
#ifndef GOLDEN_KIND_H
#define GOLDEN_KIND_H

#include "file.h"
#include "nn/nn.h"
#include "report.h"

enum { GOLD_MAX_ISAS = 8 };

typedef struct gold_job {
    gold_report *report;
    const char *isas[GOLD_MAX_ISAS]; /* kernel tables to check the network with */
    int n_isas;
    bool half;         /* the device keeps numbers of 16 bits */
    nn_device *device; /* that computes the networks' forward passes; NULL: the CPU */
    base_mem *mem;
} gold_job;

typedef struct gold_kind {
    const char *name, *help;
    bool on_half;   /* and with numbers of 16 bits: has bounds of its own for them */
    bool on_device; /* forward passes alone are compared: a GPU can be asked for them, too */
    bool (*recognises)(const gold_file *f);
    /* Writes rows. What keeps it from computing is an error, and a failure of the file. */
    vg_status (*check)(gold_file *f, gold_job *job, vg_error *err);
} gold_kind;

/* NULL-terminated; the first that recognises a file has it. */
extern const gold_kind *const gold_kinds[];

#endif
