/* program.c: the kernels, which the build has put into these headers as bytes. */
#include "host.h"

#include <gpu_infer.inc.h>
#include <gpu_infer_half.inc.h>
#include <gpu_learn.inc.h>
#include <gpu_train.inc.h>
#include <gpu_train_half.inc.h>
#ifdef GPU_HAS_PTX
#include <gpu_infer_half_sm75.inc.h>
#include <gpu_infer_half_sm80.inc.h>
#endif

const gpu_program gpu_programs[GPU_N_SETS] = {
    [GPU_INFER] = {.text = (const char *)gpu_infer_text,
                   .text_bytes = sizeof gpu_infer_text - 1,
#ifdef GPU_HAS_PTX
                   .ptx = (const char *)gpu_infer_ptx
#endif
    },
    [GPU_INFER_HALF] = {.text = (const char *)gpu_infer_half_text,
                        .text_bytes = sizeof gpu_infer_half_text - 1,
#ifdef GPU_HAS_PTX
                        .ptx = (const char *)gpu_infer_half_ptx,
                        .ptx_sm75 = (const char *)gpu_infer_half_sm75_ptx,
                        .ptx_sm80 = (const char *)gpu_infer_half_sm80_ptx
#endif
    },
    [GPU_TRAIN] = {.text = (const char *)gpu_train_text,
                   .text_bytes = sizeof gpu_train_text - 1,
#ifdef GPU_HAS_PTX
                   .ptx = (const char *)gpu_train_ptx
#endif
    },
    [GPU_TRAIN_HALF] = {.text = (const char *)gpu_train_half_text,
                        .text_bytes = sizeof gpu_train_half_text - 1,
#ifdef GPU_HAS_PTX
                        .ptx = (const char *)gpu_train_half_ptx
#endif
    },
    [GPU_LEARN] = {.text = (const char *)gpu_learn_text,
                   .text_bytes = sizeof gpu_learn_text - 1,
#ifdef GPU_HAS_PTX
                   .ptx = (const char *)gpu_learn_ptx
#endif
    },
};
