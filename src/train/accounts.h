/* accounts.h: who holds memory in a training or validation run, and what was planned for each. */
#ifndef TRAIN_ACCOUNTS_H
#define TRAIN_ACCOUNTS_H

#include "base/base.h"
#include "nn/nn.h"
#include "vigil/types.h"

typedef enum train_owner {
    TRAIN_OWNER_DATA,
    TRAIN_OWNER_MODEL,
    TRAIN_OWNER_ACTIVATIONS,
    TRAIN_OWNER_WORK, /* these four: train_accounts, in its order */
    TRAIN_OWNER_REPORT,
    /* With a device alone: */
    TRAIN_OWNER_STAGING,         /* this machine's: what is copied to it and from it */
    TRAIN_OWNER_GPU_MODEL,       /* its own memory, from here on */
    TRAIN_OWNER_GPU_ACTIVATIONS, /* and the loss */
    TRAIN_OWNER_PROGRAM,         /* what the process holds beside its accounts: in plans alone */
    TRAIN_N_OWNERS,
    TRAIN_N_ACCOUNTS = TRAIN_OWNER_PROGRAM
} train_owner;
/* "data", ...: the owner of a vg_plan_item, and the tag of its account. */
const char *train_owner_name(train_owner owner);
/* Of a device's memory, not of this machine's. */
bool train_owner_is_on_gpu(train_owner owner);

/* Who pays for what; all may be one. */
typedef struct train_accounts {
    base_mem *data;  /* labels, pictures, batches */
    base_mem *model; /* parameters, gradients, optimizer, average, validation's packed weights */
    base_mem *activations; /* of training, or of validation alone */
    base_mem *work;        /* loss, suppression, metrics, descriptions, headers of files */
    /* For a run on a device; NULL where none is wanted: */
    base_mem *staging;         /* this machine's, for what is copied to the device and back */
    base_mem *gpu_model;       /* the device's: as model */
    base_mem *gpu_activations; /* and the loss */
    struct ranks *ranks;       /* who trains along; NULL: this process is alone */
} train_accounts;
/* Where a network computes: on the device, or here. */
nn_accounts train_accounts_of_net(const train_accounts *mem, const nn_device *device);

/* The accounts of one run under one root. Must stay where it is while blocks live. */
typedef struct train_owners {
    base_mem root;
    base_mem gpu; /* the root of a device's owners: its memory is none of the machine's */
    base_mem owner[TRAIN_N_ACCOUNTS];
    size_t planned_bytes[TRAIN_N_ACCOUNTS];
    train_accounts lent; /* points at owner */
} train_owners;
void train_owners_init(train_owners *a);
/* What is held now becomes the plan. */
void train_owners_plan(train_owners *a);
/* A row for each owner that ever held something. device NULL: the CPU. */
void train_owners_memory(vg_memory *out, const train_owners *a, const nn_device *device);

#endif
