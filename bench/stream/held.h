/* held.h: what a stream job's process holds, as the programs here print and compare it. */
#ifndef BENCH_STREAM_HELD_H
#define BENCH_STREAM_HELD_H

#include <stdio.h>

#include "stream/stream.h"

typedef struct held {
    uint64_t n_allocs; /* of ours, ever */
    size_t resident, in_use, library;
    int n_descriptors, n_threads;
    int64_t now_ns, cpu_ns;
} held;

held held_take(const stream_accounts *mem);
void held_head(FILE *to, const char *of);
void held_print(FILE *to, uint64_t at, const held *h);
/* Resident within 1 MB, no allocation of ours, the same descriptors and threads. */
bool held_is_flat(const held *first, const held *last);

/* Ends the program with what failed. */
void held_check(vg_status st, const vg_error *err);
/* "NAME=VALUE" */
void held_set(stream_options *o, const char *text);
/* Runs a program to its end, its output on standard error; ends this one when it fails. */
void held_run(const char *const *command);

#endif
