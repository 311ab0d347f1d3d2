/* isa.c: the tables from best to plainest, and what each asks of the processor. */
#include "isa.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
static bool has_avx512(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_sse41(void)
{
    return __builtin_cpu_supports("sse4.1");
}
#else
static bool has_sse41(void)
{
    return true; /* the generic table uses what the compiler was told to build for */
}
#endif

static bool always(void)
{
    return true;
}

static const struct {
    const cpu_kernels *kernels;
    bool (*is_here)(void);
} tables[] = {
#if defined(__x86_64__)
    {&cpu_kernels_avx512, has_avx512},
    {&cpu_kernels_avx2, has_avx2},
#endif
    {&cpu_kernels_generic, has_sse41},
    {&cpu_kernels_plain, always},
};
enum { N_TABLES = sizeof tables / sizeof *tables };

vg_status cpu_isa_choose(const cpu_kernels **out, const char *name, vg_error *err)
{
    char names[128] = "";
    *out = NULL;
    for (size_t i = 0; i < N_TABLES; i++) {
        if (!tables[i].is_here())
            continue;
        if (!name || strcmp(name, tables[i].kernels->name) == 0) {
            *out = tables[i].kernels;
            return VG_OK;
        }
        size_t used = strlen(names);
        base_format(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                    tables[i].kernels->name);
    }
    return base_fail(err, VG_ERR_ARGUMENT, NULL, base_mend("use one of: %s", names),
                     "no kernels \"%s\" on this processor", name);
}

float cpu_attention_scale(int key_dim)
{
    return 1.0f / sqrtf((float)key_dim);
}
