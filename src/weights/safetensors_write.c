/* safetensors_write.c: writing, and converting what is open. The header is text in memory, tensors
 * stream.
 *
 * The header lists tensors in the given order; their data lie by element size, the largest first
 * (other readers slice the file in whole elements), each group in the given order, the first on a
 * multiple of 64. */
#include <inttypes.h>
#include <string.h>

#include "file.h"

enum { MOST_HEADER_BYTES = 16 << 20 };

static vg_status add_quoted(base_str *s, const char *text, base_mem *mem, vg_error *err)
{
    if (!weights_is_utf8(text, strlen(text)))
        return base_fail(err, VG_ERR_ARGUMENT, NULL, NULL, "a name or value to write is not UTF-8");
    const size_t n = base_json_escape(NULL, 0, text);
    char *escaped = base_alloc(mem, n + 1, err);
    if (escaped == NULL)
        return VG_ERR_MEMORY;
    base_json_escape(escaped, n + 1, text);
    vg_status st = base_str_add(s, MOST_HEADER_BYTES, mem, err, "\"%s\"", escaped);
    base_free(escaped);
    return st;
}

static vg_status item_bytes(size_t *out, const safetensors_item *item, vg_error *err)
{
    size_t n = weights_dtype_bytes(item->dtype);
    if (item->n_dims < 0 || item->n_dims > WEIGHTS_MAX_DIMS)
        return base_fail(err, VG_ERR_ARGUMENT, base_where("tensor %.150s", item->name), NULL,
                         "it has %d dimensions, not 0..%d", item->n_dims, WEIGHTS_MAX_DIMS);
    for (int d = 0; d < item->n_dims; d++)
        if (item->shape[d] < 0 || !base_mul_size(&n, n, (size_t)item->shape[d]))
            return base_fail(err, VG_ERR_ARGUMENT, base_where("tensor %.150s", item->name), NULL,
                             "its shape is negative or too large");
    *out = n;
    return VG_OK;
}

static vg_status add_item(base_str *s, const safetensors_item *item, size_t begin, size_t end,
                          base_mem *mem, vg_error *err)
{
    vg_status st = add_quoted(s, item->name, mem, err);
    if (st == VG_OK)
        st = base_str_add(s, MOST_HEADER_BYTES, mem, err, ":{\"dtype\":\"%s\",\"shape\":[",
                          weights_dtype_name(item->dtype));
    for (int d = 0; d < item->n_dims && st == VG_OK; d++)
        st = base_str_add(s, MOST_HEADER_BYTES, mem, err, "%s%" PRId64, d > 0 ? "," : "",
                          item->shape[d]);
    if (st == VG_OK)
        st = base_str_add(s, MOST_HEADER_BYTES, mem, err, "],\"data_offsets\":[%zu,%zu]},", begin,
                          end);
    return st;
}

/* Places every item's data; begins (n_items). */
static vg_status place_items(size_t *begins, const safetensors_item *items, size_t n_items,
                             vg_error *err)
{
    size_t at = 0;
    for (size_t size = 8; size >= 1; size /= 2)
        for (size_t i = 0; i < n_items; i++) {
            if (weights_dtype_bytes(items[i].dtype) != size)
                continue;
            size_t bytes = 0;
            vg_status st = item_bytes(&bytes, &items[i], err);
            if (st != VG_OK)
                return st;
            begins[i] = at;
            if (!base_add_size(&at, at, bytes))
                return base_fail(err, VG_ERR_ARGUMENT, NULL, NULL,
                                 "the tensors are too large together");
        }
    return VG_OK;
}

static int item_before(const void *a, const void *b, void *ctx)
{
    const safetensors_item *items = ctx;
    return strcmp(items[*(const size_t *)a].name, items[*(const size_t *)b].name) < 0;
}

static vg_status check_names(const safetensors_item *items, size_t n_items, size_t *scratch,
                             vg_error *err)
{
    for (size_t i = 0; i < n_items; i++)
        scratch[i] = i;
    base_sort(scratch, n_items, sizeof *scratch, item_before, (void *)(uintptr_t)items);
    for (size_t i = 0; i < n_items; i++) {
        const char *name = items[scratch[i]].name;
        if (strcmp(name, "__metadata__") == 0 ||
            (i > 0 && strcmp(name, items[scratch[i - 1]].name) == 0))
            return base_fail(err, VG_ERR_ARGUMENT, base_where("tensor %.150s", name), NULL,
                             "the name is taken by another tensor or by the format");
    }
    return VG_OK;
}

static vg_status make_header(base_str *s, const safetensors_item *items, size_t n_items,
                             const size_t *begins, const weights_write_meta *meta, size_t n_meta,
                             base_mem *mem, vg_error *err)
{
    vg_status st = base_str_add(s, MOST_HEADER_BYTES, mem, err, "{");
    for (size_t i = 0; i < n_meta && st == VG_OK; i++) {
        st = base_str_add(s, MOST_HEADER_BYTES, mem, err, i == 0 ? "\"__metadata__\":{" : ",");
        if (st == VG_OK)
            st = add_quoted(s, meta[i].key, mem, err);
        if (st == VG_OK)
            st = base_str_add(s, MOST_HEADER_BYTES, mem, err, ":");
        if (st == VG_OK)
            st = add_quoted(s, meta[i].value, mem, err);
    }
    if (n_meta > 0 && st == VG_OK)
        st = base_str_add(s, MOST_HEADER_BYTES, mem, err, "},");
    for (size_t i = 0; i < n_items && st == VG_OK; i++) {
        size_t bytes = 0;
        st = item_bytes(&bytes, &items[i], err);
        if (st == VG_OK)
            st = add_item(s, &items[i], begins[i], begins[i] + bytes, mem, err);
    }
    if (st != VG_OK)
        return st;
    if (s->text[s->length - 1] == ',') /* it becomes the closing brace */
        s->text[s->length - 1] = '}';
    else
        st = base_str_add(s, MOST_HEADER_BYTES, mem, err, "}");
    while (st == VG_OK && (s->length + 8) % BASE_MEM_ALIGN != 0)
        st = base_str_add(s, MOST_HEADER_BYTES, mem, err, " ");
    return st;
}

vg_status safetensors_write(const char *path, const safetensors_item *items, size_t n_items,
                            const weights_write_meta *meta, size_t n_meta, safetensors_emit emit,
                            const void *ctx, base_mem *mem, vg_error *err)
{
    vg_status st = VG_ERR_MEMORY;
    base_file file = BASE_FILE_NONE;
    base_str header = {0};
    uint64_t n_header = 0;
    size_t *begins = base_alloc_zero(mem, n_items + 1, sizeof *begins, err);
    if (begins == NULL)
        goto done;
    st = check_names(items, n_items, begins, err);
    if (st == VG_OK)
        st = place_items(begins, items, n_items, err);
    if (st == VG_OK)
        st = make_header(&header, items, n_items, begins, meta, n_meta, mem, err);
    if (st != VG_OK)
        goto done;

    st = base_file_create_beside(&file, path, err);
    if (st != VG_OK)
        goto done;
    n_header = header.length;
    st = base_file_write(&file, &n_header, sizeof n_header, err);
    if (st == VG_OK)
        st = base_file_write(&file, header.text, header.length, err);
    for (size_t size = 8; size >= 1; size /= 2)
        for (size_t i = 0; i < n_items && st == VG_OK; i++)
            if (weights_dtype_bytes(items[i].dtype) == size)
                st = emit(ctx, i, &file, err);
    if (st == VG_OK)
        st = base_file_commit(&file, path, err);
done:
    base_file_discard(&file);
    base_str_fini(&header);
    base_free(begins);
    return st;
}

/* ---- from the caller's arrays ---- */

static vg_status emit_floats(const weights_write_tensor *t, const float *from, size_t n,
                             base_file *f, vg_error *err)
{
    uint16_t part[WEIGHTS_PART];
    if (t->dtype == WEIGHTS_F32)
        return base_file_write(f, from, n * sizeof *from, err);
    for (size_t k = 0; k < n; k++)
        part[k] =
            t->dtype == WEIGHTS_F16 ? weights_f32_to_f16(from[k]) : weights_f32_to_bf16(from[k]);
    return base_file_write(f, part, n * sizeof part[0], err);
}

/* Floats that are asked for, or become narrower on the way. */
static vg_status emit_parts(const weights_write_tensor *t, size_t n, base_file *f, vg_error *err)
{
    float part[WEIGHTS_PART];
    const float *from = t->data;
    for (size_t i = 0; i < n;) {
        const size_t now = n - i < WEIGHTS_PART ? n - i : WEIGHTS_PART;
        vg_status st = from == NULL ? t->read(t->ctx, part, i, now, err) : VG_OK;
        if (st == VG_OK)
            st = emit_floats(t, from == NULL ? part : from + i, now, f, err);
        if (st != VG_OK)
            return st;
        i += now;
    }
    return VG_OK;
}

static vg_status emit_array(const void *ctx, size_t index, base_file *f, vg_error *err)
{
    const weights_write_tensor *t = (const weights_write_tensor *)ctx + index;
    size_t n = 1;
    for (int d = 0; d < t->n_dims; d++)
        n *= (size_t)t->shape[d];
    if (n == 0)
        return VG_OK;
    if (t->data == NULL || t->dtype == WEIGHTS_F16 || t->dtype == WEIGHTS_BF16)
        return emit_parts(t, n, f, err);
    return base_file_write(f, t->data, n * weights_dtype_bytes(t->dtype), err);
}

vg_status weights_write_safetensors(const char *path, const weights_write_tensor *tensors,
                                    size_t n_tensors, const weights_write_meta *meta, size_t n_meta,
                                    base_mem *mem, vg_error *err)
{
    safetensors_item *items = base_alloc_zero(mem, n_tensors + 1, sizeof *items, err);
    if (items == NULL)
        return VG_ERR_MEMORY;
    for (size_t i = 0; i < n_tensors; i++)
        items[i] = (safetensors_item){.name = tensors[i].name,
                                      .dtype = tensors[i].dtype,
                                      .n_dims = tensors[i].n_dims,
                                      .shape = tensors[i].shape};
    vg_status st =
        safetensors_write(path, items, n_tensors, meta, n_meta, emit_array, tensors, mem, err);
    base_free(items);
    return st;
}

/* ---- from an open file ---- */

static vg_status emit_tensor(const void *ctx, size_t index, base_file *f, vg_error *err)
{
    const weights_tensor *t = &((const weights_file *)ctx)->tensors[index];
    uint8_t part[16384];
    const size_t size = weights_dtype_bytes(t->dtype), most = sizeof part / size;
    for (size_t i = 0; i < t->n_elements; i += most) {
        const size_t n = t->n_elements - i < most ? t->n_elements - i : most;
        weights_gather(part, t, i, n);
        vg_status st = base_file_write(f, part, n * size, err);
        if (st != VG_OK)
            return st;
    }
    return VG_OK;
}

static vg_status add_names(base_str *s, const weights_meta *m, base_mem *mem, vg_error *err)
{
    vg_status st = base_str_add(s, MOST_HEADER_BYTES, mem, err, "[");
    for (int i = 0; i < m->n_classes && st == VG_OK; i++) {
        st = base_str_add(s, MOST_HEADER_BYTES, mem, err, i > 0 ? "," : "");
        if (st == VG_OK)
            st = add_quoted(s, m->names[i], mem, err);
    }
    return st != VG_OK ? st : base_str_add(s, MOST_HEADER_BYTES, mem, err, "]");
}

static vg_status add_strides(base_str *s, const weights_meta *m, base_mem *mem, vg_error *err)
{
    char number[40];
    vg_status st = base_str_add(s, MOST_HEADER_BYTES, mem, err, "[");
    for (int i = 0; i < m->n_strides && st == VG_OK; i++) {
        weights_format_real(number, sizeof number, (double)m->strides[i]);
        st = base_str_add(s, MOST_HEADER_BYTES, mem, err, "%s%s", i > 0 ? "," : "", number);
    }
    return st != VG_OK ? st : base_str_add(s, MOST_HEADER_BYTES, mem, err, "]");
}

/* One number for all of a .pt's BatchNorms; "": it says none. */
static vg_status eps_text(char *buf, size_t n, const weights_file *f, vg_error *err)
{
    buf[0] = '\0';
    for (size_t i = 1; i < f->n_bns; i++)
        if (f->bns[i].eps != f->bns[0].eps)
            return base_fail(err, VG_ERR_UNSUPPORTED, base_where("%s, %s", f->name, f->bns[i].key),
                             "keep the .pt, which is read as it is",
                             "batch normalisations of more than one eps, which safetensors has no "
                             "room for");
    if (f->n_bns > 0)
        weights_format_real(buf, n, f->bns[0].eps);
    return VG_OK;
}

/* The metadata of a .pt's facts, into meta (10 places); absent ones are left out. */
static size_t facts_as_meta(weights_write_meta *meta, const weights_meta *m, const char *names,
                            const char *strides, const char *epoch, const char *eps)
{
    const weights_write_meta all[] = {
        {"model_yaml", m->model_yaml},
        {"scale", m->scale},
        {"names", m->n_classes > 0 ? names : ""},
        {"stride", m->n_strides > 0 ? strides : ""},
        {"train_args", m->train_args},
        {"version", m->version},
        {"date", m->date},
        {"license", m->license},
        {"epoch", epoch},
        {"bn_eps", eps},
    };
    size_t n = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].value[0] != '\0')
            meta[n++] = all[i];
    return n;
}

vg_status weights_convert(const weights_file *f, const char *path, base_mem *mem, vg_error *err)
{
    vg_status st = VG_ERR_MEMORY;
    base_str names = {0}, strides = {0};
    weights_write_meta facts[10], *meta = facts;
    size_t n_meta = 0;
    char epoch[32], eps[32];
    weights_write_meta *pairs = base_alloc_zero(mem, f->n_pairs + 1, sizeof *pairs, err);
    safetensors_item *items = base_alloc_zero(mem, f->n_tensors + 1, sizeof *items, err);
    if (pairs == NULL || items == NULL)
        goto done;
    for (size_t i = 0; i < f->n_tensors; i++)
        items[i] = (safetensors_item){.name = f->tensors[i].name,
                                      .dtype = f->tensors[i].dtype,
                                      .n_dims = f->tensors[i].n_dims,
                                      .shape = f->tensors[i].shape};
    if (f->n_pairs > 0) { /* a safetensors file keeps what it says, also what we do not know */
        for (size_t i = 0; i < f->n_pairs; i++)
            pairs[i] = (weights_write_meta){f->pairs[i].key, f->pairs[i].value};
        meta = pairs;
        n_meta = f->n_pairs;
    } else {
        st = add_names(&names, &f->meta, mem, err);
        if (st == VG_OK)
            st = add_strides(&strides, &f->meta, mem, err);
        if (st == VG_OK)
            st = eps_text(eps, sizeof eps, f, err);
        if (st != VG_OK)
            goto done;
        base_format(epoch, sizeof epoch, "%" PRId64, f->meta.epoch);
        n_meta = facts_as_meta(facts, &f->meta, names.text, strides.text, epoch, eps);
    }
    st = safetensors_write(path, items, f->n_tensors, meta, n_meta, emit_tensor, f, mem, err);
done:
    base_str_fini(&names);
    base_str_fini(&strides);
    base_free(items);
    base_free(pairs);
    return st;
}
