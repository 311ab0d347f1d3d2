/* accounts.c: the owners' accounts under one root. */
#include "accounts.h"

const char *train_owner_name(train_owner owner)
{
    static const char *const names[TRAIN_N_OWNERS] = {"data", "model",  "activations",
                                                      "work", "report", "program"};
    return names[owner];
}

void train_owners_init(train_owners *a)
{
    *a = (train_owners){0};
    base_mem_init(&a->root, "vigil", NULL, SIZE_MAX);
    for (int i = 0; i < TRAIN_N_ACCOUNTS; i++)
        base_mem_init(&a->owner[i], train_owner_name((train_owner)i), &a->root, SIZE_MAX);
    a->lent = (train_accounts){.data = &a->owner[TRAIN_OWNER_DATA],
                               .model = &a->owner[TRAIN_OWNER_MODEL],
                               .activations = &a->owner[TRAIN_OWNER_ACTIVATIONS],
                               .work = &a->owner[TRAIN_OWNER_WORK]};
}

void train_owners_plan(train_owners *a)
{
    for (int i = 0; i < TRAIN_N_ACCOUNTS; i++)
        a->planned_bytes[i] = a->owner[i].in_use_bytes;
}

void train_owners_memory(vg_memory *out, const train_owners *a)
{
    *out = (vg_memory){.in_use_bytes = a->root.in_use_bytes,
                       .library_bytes = base_mem_library_bytes(),
                       .resident_bytes = base_mem_resident_bytes(),
                       .peak_resident_bytes = base_mem_peak_resident_bytes()};
    for (int i = 0; i < TRAIN_N_ACCOUNTS; i++) {
        if (a->owner[i].n_allocs == 0) /* nobody's here */
            continue;
        out->items[out->n_items++] = (vg_memory_item){.owner = a->owner[i].tag,
                                                      .planned_bytes = a->planned_bytes[i],
                                                      .in_use_bytes = a->owner[i].in_use_bytes,
                                                      .peak_bytes = a->owner[i].peak_bytes,
                                                      .n_allocations = a->owner[i].n_allocs};
        out->planned_bytes += a->planned_bytes[i];
    }
}
