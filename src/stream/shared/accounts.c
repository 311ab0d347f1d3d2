/* accounts.c: the owners' accounts under one root. */
#include "accounts.h"

#include <string.h>

static bool is_on_gpu(int owner)
{
    return owner >= (int)STREAM_FIRST_OF_GPU;
}

void stream_accounts_init(stream_accounts *a, size_t limit_bytes)
{
    static const char *const tags[] = {
#define X(name, tag) tag,
        STREAM_OWNERS(X)
#undef X
    };
    *a = (stream_accounts){0};
    base_mem_init(&a->root, "vigil", NULL, limit_bytes ? limit_bytes : SIZE_MAX);
    base_mem_init(&a->gpu, "GPU", NULL, SIZE_MAX);
    for (int i = 0; i < STREAM_N_OWNERS; i++)
        base_mem_init(&a->owner[i], tags[i], is_on_gpu(i) ? &a->gpu : &a->root, SIZE_MAX);
}

void stream_accounts_limit_gpu(stream_accounts *a, size_t limit_bytes)
{
    a->gpu.limit_bytes = limit_bytes ? limit_bytes : SIZE_MAX;
}

static size_t sum_of(const stream_accounts *a, bool on_gpu)
{
    size_t sum = 0;
    for (int i = 0; i < STREAM_N_OWNERS; i++)
        sum += is_on_gpu(i) == on_gpu ? a->planned_bytes[i] : 0;
    return sum;
}

size_t stream_accounts_planned(const stream_accounts *a)
{
    return sum_of(a, false);
}

size_t stream_accounts_planned_gpu(const stream_accounts *a)
{
    return sum_of(a, true);
}

nn_accounts stream_accounts_of_engine(stream_accounts *a)
{
    const bool on_gpu = a->device != NULL;
    return (nn_accounts){.weights = &a->owner[on_gpu ? STREAM_GPU_WEIGHTS : STREAM_WEIGHTS],
                         .activations =
                             &a->owner[on_gpu ? STREAM_GPU_ACTIVATIONS : STREAM_ACTIVATIONS],
                         .plans = &a->owner[STREAM_PLANS],
                         .staging = &a->owner[STREAM_STAGING]};
}

void stream_accounts_plan_engine(stream_accounts *a, const nn_memory_need *need)
{
    const bool on_gpu = a->device != NULL;
    a->planned_bytes[on_gpu ? STREAM_GPU_WEIGHTS : STREAM_WEIGHTS] = need->weights_bytes;
    a->planned_bytes[on_gpu ? STREAM_GPU_ACTIVATIONS : STREAM_ACTIVATIONS] =
        need->activation_bytes + need->scratch_bytes;
    a->planned_bytes[STREAM_STAGING] = need->staging_bytes;
}

/* Rows of a table. */
static int n_rows(const stream_accounts *a, int without_gpu)
{
    return sum_of(a, true) > 0 ? (int)STREAM_N_OWNERS : without_gpu;
}

_Static_assert((int)STREAM_N_OWNERS <= (int)VG_MEMORY_ITEMS, "every owner has a row in vg_memory");

void stream_accounts_memory(vg_memory *out, const stream_accounts *a)
{
    const bool has_ffmpeg =
        a->planned_bytes[STREAM_DECODERS] > 0 || a->planned_bytes[STREAM_ENCODERS] > 0;
    *out = (vg_memory){.n_items =
                           n_rows(a, has_ffmpeg ? (int)STREAM_N_FFMPEG : (int)STREAM_N_ACCOUNTS),
                       .planned_bytes = stream_accounts_planned(a),
                       .in_use_bytes = a->root.in_use_bytes,
                       .library_bytes = base_mem_library_bytes(),
                       .resident_bytes = base_mem_resident_bytes(),
                       .peak_resident_bytes = base_mem_peak_resident_bytes(),
                       .gpu_planned_bytes = sum_of(a, true),
                       .gpu_in_use_bytes = a->gpu.in_use_bytes,
                       .gpu_taken_bytes = a->device ? nn_device_taken_bytes(a->device) : 0};
    for (int i = 0; i < out->n_items; i++)
        out->items[i] = (vg_memory_item){.owner = a->owner[i].tag,
                                         .planned_bytes = a->planned_bytes[i],
                                         .in_use_bytes = a->owner[i].in_use_bytes,
                                         .peak_bytes = a->owner[i].peak_bytes,
                                         .n_allocations = a->owner[i].n_allocs,
                                         .is_on_gpu = is_on_gpu(i)};
}

void stream_accounts_plan(vg_memory *out, const stream_accounts *a)
{
    *out = (vg_memory){.n_items = n_rows(a, STREAM_N_FFMPEG),
                       .planned_bytes = stream_accounts_planned(a),
                       .gpu_planned_bytes = sum_of(a, true)};
    for (int i = 0; i < out->n_items; i++)
        out->items[i] = (vg_memory_item){.owner = a->owner[i].tag,
                                         .planned_bytes = a->planned_bytes[i],
                                         .is_on_gpu = is_on_gpu(i)};
}

/* "weights 10 MB + activations 20 MB" of one kind of memory. */
static void format_parts(char parts[400], const stream_accounts *a, bool on_gpu)
{
    char part[32];
    parts[0] = '\0';
    for (int i = 0; i < STREAM_N_OWNERS; i++) {
        const size_t used = strlen(parts);
        if (a->planned_bytes[i] > 0 && is_on_gpu(i) == on_gpu)
            base_format(parts + used, 400 - used, "%s%s %s", used ? " + " : "", a->owner[i].tag,
                        base_format_bytes(part, sizeof part, (double)a->planned_bytes[i]));
    }
}

/* What there is for us: of the limit and of the device's memory the smaller. */
static vg_status check_gpu(const stream_accounts *a, vg_error *err)
{
    const size_t sum = sum_of(a, true);
    const vg_device *d = a->device ? nn_device_facts(a->device) : NULL;
    char parts[400], total[32], most[32];
    const size_t memory = d && d->memory_bytes > 0 ? d->memory_bytes : SIZE_MAX; /* else unknown */
    if (!d || (sum <= a->gpu.limit_bytes && sum <= memory))
        return VG_OK;
    const bool is_limit = a->gpu.limit_bytes < memory;
    format_parts(parts, a, true);
    return base_fail(
        err, VG_ERR_LIMIT, is_limit ? "GPU memory limit" : base_where("device %s", d->name),
        is_limit ? "raise --gpu-memory-limit, or take a smaller imgsz, batch or model"
                 : "take a smaller imgsz, batch or model, or --device cpu",
        "the plan needs %s of the GPU (%s), %s %s",
        base_format_bytes(total, sizeof total, (double)sum), parts,
        is_limit ? "the limit is" : "which has",
        base_format_bytes(most, sizeof most, (double)(is_limit ? a->gpu.limit_bytes : memory)));
}

vg_status stream_accounts_check(const stream_accounts *a, vg_error *err)
{
    size_t sum = stream_accounts_planned(a);
    if (sum <= a->root.limit_bytes)
        return check_gpu(a, err);
    char parts[400], total[32], limit[32];
    format_parts(parts, a, false);
    return base_fail(err, VG_ERR_LIMIT, "memory limit",
                     "raise the limit, or take a smaller imgsz, batch or model",
                     "the plan needs %s (%s), the limit is %s",
                     base_format_bytes(total, sizeof total, (double)sum), parts,
                     base_format_bytes(limit, sizeof limit, (double)a->root.limit_bytes));
}
