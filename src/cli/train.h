/* train.h: what `vigil train` and `vigil val` print alike. */
#ifndef CLI_TRAIN_H
#define CLI_TRAIN_H

#include "cli.h"

/* Header, the row of all classes, and a row a class when there are several. */
void train_table_print(FILE *to, const vg_val_result *r);
/* "Memory: planned 755.6 MB (data 171.7 MB, ...), resident ..., peak ..." */
void train_memory_planned(FILE *to, const vg_memory *m);
/* "Memory: at most data 171.7 MB, ... was held; resident ..., peak ..." */
void train_memory_held(FILE *to, const vg_memory *m);

#endif
