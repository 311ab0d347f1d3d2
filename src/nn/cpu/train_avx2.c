/* train_avx2.c: the training kernels for one instruction set; see kernels_avx2.c. */
#define TRAIN_TABLE cpu_train_kernels_avx2
#define TRAIN_INFER cpu_kernels_avx2

#include "simd_avx2.h"

#include "train_table.inc.h"
