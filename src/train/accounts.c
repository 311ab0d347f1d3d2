/* accounts.c: the owners' accounts under two roots, this machine's memory and a device's. */
#include "accounts.h"

const char *train_owner_name(train_owner owner)
{
    static const char *const names[TRAIN_N_OWNERS] = {"data",      "model",           "activations",
                                                      "work",      "report",          "staging",
                                                      "GPU model", "GPU activations", "program"};
    return names[owner];
}

bool train_owner_is_on_gpu(train_owner owner)
{
    return owner == TRAIN_OWNER_GPU_MODEL || owner == TRAIN_OWNER_GPU_ACTIVATIONS;
}

nn_accounts train_accounts_of_net(const train_accounts *mem, const nn_device *device)
{
    return (nn_accounts){.weights = device ? mem->gpu_model : mem->model,
                         .activations = device ? mem->gpu_activations : mem->activations,
                         .plans = mem->work,
                         .staging = mem->staging};
}

void train_owners_init(train_owners *a)
{
    *a = (train_owners){0};
    base_mem_init(&a->root, "vigil", NULL, SIZE_MAX);
    base_mem_init(&a->gpu, "GPU", NULL, SIZE_MAX);
    for (int i = 0; i < TRAIN_N_ACCOUNTS; i++)
        base_mem_init(&a->owner[i], train_owner_name((train_owner)i),
                      train_owner_is_on_gpu((train_owner)i) ? &a->gpu : &a->root, SIZE_MAX);
    a->lent = (train_accounts){.data = &a->owner[TRAIN_OWNER_DATA],
                               .model = &a->owner[TRAIN_OWNER_MODEL],
                               .activations = &a->owner[TRAIN_OWNER_ACTIVATIONS],
                               .work = &a->owner[TRAIN_OWNER_WORK],
                               .staging = &a->owner[TRAIN_OWNER_STAGING],
                               .gpu_model = &a->owner[TRAIN_OWNER_GPU_MODEL],
                               .gpu_activations = &a->owner[TRAIN_OWNER_GPU_ACTIVATIONS]};
}

void train_owners_plan(train_owners *a)
{
    for (int i = 0; i < TRAIN_N_ACCOUNTS; i++)
        a->planned_bytes[i] = a->owner[i].in_use_bytes;
}

void train_owners_memory(vg_memory *out, const train_owners *a, const nn_device *device)
{
    *out = (vg_memory){.in_use_bytes = a->root.in_use_bytes,
                       .library_bytes = base_mem_library_bytes(),
                       .resident_bytes = base_mem_resident_bytes(),
                       .peak_resident_bytes = base_mem_peak_resident_bytes(),
                       .gpu_in_use_bytes = a->gpu.in_use_bytes,
                       .gpu_taken_bytes = device ? nn_device_taken_bytes(device) : 0};
    for (int i = 0; i < TRAIN_N_ACCOUNTS; i++) {
        if (a->owner[i].n_allocs == 0) /* nobody's here */
            continue;
        const bool is_on_gpu = train_owner_is_on_gpu((train_owner)i);
        out->items[out->n_items++] = (vg_memory_item){.owner = a->owner[i].tag,
                                                      .planned_bytes = a->planned_bytes[i],
                                                      .in_use_bytes = a->owner[i].in_use_bytes,
                                                      .peak_bytes = a->owner[i].peak_bytes,
                                                      .n_allocations = a->owner[i].n_allocs,
                                                      .is_on_gpu = is_on_gpu};
        *(is_on_gpu ? &out->gpu_planned_bytes : &out->planned_bytes) += a->planned_bytes[i];
    }
}
