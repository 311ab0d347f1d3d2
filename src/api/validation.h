/* validation.h: what training and validation share: accounts by owner, a result in the API's words,
 * its plots. Internal to api. */
#ifndef API_VALIDATION_H
#define API_VALIDATION_H

#include "api.h"
#include "stream/stream.h"
#include "train/train.h"

enum { API_PATH_BYTES = 4096 };

typedef enum api_owner {
    API_DATA,
    API_MODEL,
    API_ACTIVATIONS,
    API_WORK,
    API_REPORT,
    API_N_OWNERS
} api_owner;

/* Must stay where it is while blocks live. */
typedef struct api_accounts {
    base_mem root;
    base_mem owner[API_N_OWNERS];
    size_t planned_bytes[API_N_OWNERS];
    train_accounts lent; /* points at owner */
} api_accounts;
void api_accounts_init(api_accounts *a);
/* What is held now is the plan. */
void api_accounts_plan(api_accounts *a);
void api_accounts_memory(vg_memory *out, const api_accounts *a);

vg_data_report api_data_report(const data_set *set);

/* (nc) names of the classes of a run; the array belongs to the caller, the texts to the spec. */
vg_status api_class_names(const char ***out, const data_spec *spec, int nc, base_mem *mem,
                          vg_error *err);

/* A result with its table; zeroed is valid. */
typedef struct api_result {
    vg_val_result result;
    vg_val_class *classes;
} api_result;
vg_status api_result_make(api_result *out, const train_validation *v, const char *const *names,
                          base_mem *mem, vg_error *err);
void api_result_fini(api_result *r);

/* Curves and confusion matrices into folder. */
vg_status api_validation_plots(const char *folder, const train_validation *v,
                               const char *const *names, int nc, base_mem *mem, vg_error *err);
/* folder/predictions.json. COCO's own class numbers for COCO's classes, else the dataset's. */
vg_status api_coco_create(report_coco **out, const char *folder, const char *const *names, int nc,
                          base_mem *mem, vg_error *err);
/* folder/name into path. */
vg_status api_path(char path[API_PATH_BYTES], const char *folder, const char *name, vg_error *err);

#endif
