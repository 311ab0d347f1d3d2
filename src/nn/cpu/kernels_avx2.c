/* kernels_avx2.c: the kernels for AVX2 and FMA. Compiled with just these switched on. */
#define KERNELS_TABLE cpu_kernels_avx2
#define KERNELS_NAME  "avx2"
#define TRAIN_TABLE   cpu_train_kernels_avx2

#include "simd/avx2.h"

#include "table.inc.h"
