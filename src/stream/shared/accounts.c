/* accounts.c: the owners' accounts under one root. */
#include "accounts.h"

#include <string.h>

void stream_accounts_init(stream_accounts *a, size_t limit_bytes)
{
    static const char *const tags[] = {
#define X(name, tag) tag,
        STREAM_OWNERS(X)
#undef X
    };
    *a = (stream_accounts){0};
    base_mem_init(&a->root, "vigil", NULL, limit_bytes ? limit_bytes : SIZE_MAX);
    for (int i = 0; i < STREAM_N_OWNERS; i++)
        base_mem_init(&a->owner[i], tags[i], &a->root, SIZE_MAX);
}

size_t stream_accounts_planned(const stream_accounts *a)
{
    size_t sum = 0;
    for (int i = 0; i < STREAM_N_OWNERS; i++)
        sum += a->planned_bytes[i];
    return sum;
}

vg_status stream_accounts_check(const stream_accounts *a, vg_error *err)
{
    size_t sum = stream_accounts_planned(a);
    if (sum <= a->root.limit_bytes)
        return VG_OK;
    char parts[400] = "", total[32], limit[32], part[32];
    for (int i = 0; i < STREAM_N_OWNERS; i++) {
        size_t used = strlen(parts);
        if (a->planned_bytes[i] > 0)
            base_format(parts + used, sizeof parts - used, "%s%s %s", used ? " + " : "",
                        a->owner[i].tag,
                        base_format_bytes(part, sizeof part, (double)a->planned_bytes[i]));
    }
    return base_fail(err, VG_ERR_LIMIT, "memory limit",
                     "raise the limit, or take a smaller imgsz, batch or model",
                     "the plan needs %s (%s), the limit is %s",
                     base_format_bytes(total, sizeof total, (double)sum), parts,
                     base_format_bytes(limit, sizeof limit, (double)a->root.limit_bytes));
}
