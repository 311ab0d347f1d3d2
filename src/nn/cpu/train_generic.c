/* train_generic.c: the training kernels for one instruction set; see kernels_generic.c. */
#define TRAIN_TABLE cpu_train_kernels_generic
#define TRAIN_INFER cpu_kernels_generic

#include "simd_generic.h"

#include "train_table.inc.h"
