/* kernels_generic.c: the kernels for any CPU, with the compiler's own vectors of 4 floats. */
#define KERNELS_TABLE cpu_kernels_generic
#if defined(__x86_64__)
#define KERNELS_NAME "sse41"
#else
#define KERNELS_NAME "generic"
#endif

#include "simd/generic.h"

#include "kernels_table.inc.h"

/* Training's table is here too: it runs on the same tiles. */
#define TRAIN_TABLE cpu_train_kernels_generic

#include "train_table.inc.h"
