/* kernels_generic.c: the kernels for any CPU, with the compiler's own vectors of 4 floats. */
#define KERNELS_TABLE cpu_kernels_generic
#if defined(__x86_64__)
#define KERNELS_NAME "sse41"
#else
#define KERNELS_NAME "generic"
#endif
#define TRAIN_TABLE cpu_train_kernels_generic

#include "simd/generic.h"

#include "table.inc.h"
