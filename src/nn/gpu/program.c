/* program.c: the kernels, which the build has put into gpu_program.inc.h as bytes. */
#include "host.h"

#include <gpu_program.inc.h>

const gpu_program gpu_program_own = {
    .text = (const char *)gpu_program_text,
    .text_bytes = sizeof gpu_program_text - 1,
#ifdef GPU_HAS_PTX
    .ptx = (const char *)gpu_program_ptx,
#endif
};
