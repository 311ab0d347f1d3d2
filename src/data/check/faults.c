/* faults.c: a list that counts without end and keeps so many. */
#include "faults.h"

#include <string.h>

vg_status faults_init(faults *f, size_t most, base_mem *mem, vg_error *err)
{
    *f = (faults){.most = most};
    f->at = base_alloc_zero(mem, most, sizeof *f->at, err);
    return f->at ? VG_OK : VG_ERR_MEMORY;
}

void faults_fini(faults *f)
{
    base_free(f->at);
    base_str_fini(&f->text);
    *f = (faults){0};
}

static vg_status add_text(faults *f, size_t *at, const char *text, base_mem *mem, vg_error *err)
{
    *at = f->text.length;
    return base_str_add_bytes(&f->text, SIZE_MAX / 2, text, strlen(text) + 1, mem, err);
}

vg_status faults_add(faults *f, const char *kind, const vg_error *fault, base_mem *mem,
                     vg_error *err)
{
    f->n++;
    if (f->n_kept == f->most)
        return VG_OK;
    struct fault_at *a = &f->at[f->n_kept];
    a->kind = kind;
    vg_status st = add_text(f, &a->where, fault->where, mem, err);
    if (st == VG_OK)
        st = add_text(f, &a->what, fault->what, mem, err);
    if (st == VG_OK)
        st = add_text(f, &a->mend, fault->mend, mem, err);
    f->n_kept += st == VG_OK;
    return st;
}

bool faults_get(const faults *f, size_t index, vg_dataset_fault *out)
{
    if (index >= f->n_kept)
        return false;
    const struct fault_at *a = &f->at[index];
    *out = (vg_dataset_fault){.kind = a->kind,
                              .where = f->text.text + a->where,
                              .what = f->text.text + a->what,
                              .mend = f->text.text + a->mend};
    return true;
}
