/* file.c: tensors out of src/weights' reader, with a list of what was copied. */
#include "file.h"

vg_status gold_file_open(gold_file *f, const char *dir, const char *name, base_mem *mem,
                         vg_error *err)
{
    *f = (gold_file){.mem = mem};
    if (!base_format(f->dir, sizeof f->dir, "%s", dir) ||
        !base_path_join(f->path, sizeof f->path, dir, name))
        return base_fail(err, VG_ERR_LIMIT, base_where("%.200s", name), NULL, "a path too long");
    vg_status st = weights_open(&f->weights, f->path, mem, err);
    if (st != VG_OK)
        return st;
    f->asked = base_alloc_zero(mem, weights_count(f->weights) + 1, sizeof *f->asked, err);
    return f->asked ? VG_OK : VG_ERR_MEMORY;
}

void gold_file_close(gold_file *f)
{
    for (size_t i = 0; i < f->n_copies; i++)
        base_free(f->copies[i]);
    base_free(f->copies);
    base_free(f->asked);
    weights_close(&f->weights);
    *f = (gold_file){0};
}

void *gold_take(gold_file *f, size_t n, size_t size, vg_error *err)
{
    if (f->n_copies == f->copies_capacity) {
        size_t more = f->copies_capacity ? 2 * f->copies_capacity : 64;
        void **grown = base_realloc(f->mem, f->copies, more * sizeof *grown, err);
        if (!grown)
            return NULL;
        f->copies = grown;
        f->copies_capacity = more;
    }
    void *block = base_alloc_zero(f->mem, n ? n : 1, size, err);
    if (block)
        f->copies[f->n_copies++] = block;
    return block;
}

vg_status gold_bad(const gold_file *f, vg_error *err, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return base_fail(err, VG_ERR_FORMAT, base_where("%s", f->path), NULL, "%s", text);
}

bool gold_has(const gold_file *f, const char *format, ...)
{
    char name[256];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    return weights_find(f->weights, name) != NULL;
}

bool gold_has_prefix(const gold_file *f, const char *prefix)
{
    for (size_t i = 0; i < weights_count(f->weights); i++)
        if (base_starts_with(weights_at(f->weights, i)->name, prefix))
            return true;
    return false;
}

const weights_tensor *gold_at(gold_file *f, size_t index)
{
    f->asked[index] = true;
    return weights_at(f->weights, index);
}

static const weights_tensor *find(gold_file *f, const char *name)
{
    for (size_t i = 0; i < weights_count(f->weights); i++)
        if (strcmp(weights_at(f->weights, i)->name, name) == 0)
            return gold_at(f, i);
    return NULL;
}

/* A copy in the tensor's own dtype: golden files are row major. */
static void *copy_of(gold_file *f, const weights_tensor *t, vg_error *err)
{
    size_t bytes = weights_dtype_bytes(t->dtype);
    void *block = gold_take(f, t->n_elements, bytes, err);
    if (block && t->n_elements)
        memcpy(block, t->data, t->n_elements * bytes);
    return block;
}

vg_status gold_get(gold_tensor *out, gold_file *f, weights_dtype dtype, int n_dims, vg_error *err,
                   const char *format, ...)
{
    char name[256];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    const weights_tensor *t = find(f, name);
    *out = (gold_tensor){0};
    if (!t)
        return gold_bad(f, err, "no tensor \"%s\"", name);
    if (t->dtype != dtype)
        return gold_bad(f, err, "tensor \"%s\" is of %s, not %s", name,
                        weights_dtype_name(t->dtype), weights_dtype_name(dtype));
    if (t->n_dims > 4 || (n_dims > 0 && t->n_dims != n_dims))
        return gold_bad(f, err, "tensor \"%s\" has %d dimensions", name, t->n_dims);
    *out = (gold_tensor){.name = t->name, .n = t->n_elements, .n_dims = t->n_dims};
    for (int d = 0; d < 4; d++)
        out->shape[d] = d < t->n_dims ? (size_t)t->shape[d] : 1;
    void *copy = copy_of(f, t, err);
    if (!copy)
        return VG_ERR_MEMORY;
    out->f32 = dtype == WEIGHTS_F32 ? copy : NULL;
    out->f64 = dtype == WEIGHTS_F64 ? copy : NULL;
    out->i64 = dtype == WEIGHTS_I64 ? copy : NULL;
    out->i32 = dtype == WEIGHTS_I32 ? copy : NULL;
    out->u8 = dtype == WEIGHTS_U8 ? copy : NULL;
    return VG_OK;
}

vg_status gold_meta_i64(int64_t *out, const gold_file *f, const char *key, int64_t least,
                        int64_t most, vg_error *err)
{
    const char *text = weights_metadata_get(f->weights, key);
    if (text && !base_parse_i64(out, text, least, most))
        return gold_bad(f, err, "metadata %s is \"%s\", no whole number in its range", key, text);
    return VG_OK;
}

vg_status gold_meta_real(double *out, const gold_file *f, const char *key, vg_error *err)
{
    const char *text = weights_metadata_get(f->weights, key);
    if (text && !base_parse_double(out, text))
        return gold_bad(f, err, "metadata %s is \"%s\", no number", key, text);
    return VG_OK;
}

const char *gold_meta_text(const gold_file *f, const char *key, const char *fallback)
{
    const char *text = weights_metadata_get(f->weights, key);
    return text ? text : fallback;
}
