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

_Static_assert((int)STREAM_N_OWNERS <= (int)VG_MEMORY_ITEMS, "every owner has a row in vg_memory");

void stream_accounts_memory(vg_memory *out, const stream_accounts *a)
{
    const bool has_ffmpeg =
        a->planned_bytes[STREAM_DECODERS] > 0 || a->planned_bytes[STREAM_ENCODERS] > 0;
    *out = (vg_memory){.n_items = has_ffmpeg ? (int)STREAM_N_OWNERS : (int)STREAM_N_ACCOUNTS,
                       .planned_bytes = stream_accounts_planned(a),
                       .in_use_bytes = a->root.in_use_bytes,
                       .library_bytes = base_mem_library_bytes(),
                       .resident_bytes = base_mem_resident_bytes(),
                       .peak_resident_bytes = base_mem_peak_resident_bytes()};
    for (int i = 0; i < out->n_items; i++)
        out->items[i] = (vg_memory_item){.owner = a->owner[i].tag,
                                         .planned_bytes = a->planned_bytes[i],
                                         .in_use_bytes = a->owner[i].in_use_bytes,
                                         .peak_bytes = a->owner[i].peak_bytes,
                                         .n_allocations = a->owner[i].n_allocs};
}

void stream_accounts_plan(vg_memory *out, const stream_accounts *a)
{
    *out = (vg_memory){.n_items = STREAM_N_OWNERS, .planned_bytes = stream_accounts_planned(a)};
    for (int i = 0; i < STREAM_N_OWNERS; i++)
        out->items[i] =
            (vg_memory_item){.owner = a->owner[i].tag, .planned_bytes = a->planned_bytes[i]};
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
