/* kernels_avx512.c: the kernels for AVX-512 F, BW, DQ and VL. Compiled with just these switched on.
 */
#define KERNELS_TABLE cpu_kernels_avx512
#define KERNELS_NAME  "avx512"
#define TRAIN_TABLE   cpu_train_kernels_avx512

#include "simd/avx512.h"

#include "table.inc.h"
