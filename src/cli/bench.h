/* bench.h: how the results of vigil bench are shown. */
#ifndef CLI_BENCH_H
#define CLI_BENCH_H

#include "cli.h"
#include "vigil/bench.h"

/* For people. with_steps: each step below its layer. */
void bench_table_print(const vg_bench *b, bool with_steps);
/* For programs: one object with all of it. */
void bench_json_print(const vg_bench *b);

#endif
