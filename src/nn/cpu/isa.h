/* isa.h: which table of kernels runs here. Internal to nn/cpu. */
#ifndef NN_CPU_ISA_H
#define NN_CPU_ISA_H

#include "base/base.h"
#include "kernels.h"

/* name NULL: the best this processor has. Errors: VG_ERR_ARGUMENT with the names that would do. */
vg_status cpu_isa_choose(const cpu_kernels **out, const char *name, vg_error *err);

/* 1 / sqrt(key_dim). */
float cpu_attention_scale(int key_dim);

#endif
