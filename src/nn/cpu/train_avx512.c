/* train_avx512.c: the training kernels for one instruction set; see kernels_avx512.c. */
#define TRAIN_TABLE cpu_train_kernels_avx512
#define TRAIN_INFER cpu_kernels_avx512

#include "simd_avx512.h"

#include "train_table.inc.h"
