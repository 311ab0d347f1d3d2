/* file.c: opening by content, finding by name, and what both formats share. */
#include "file.h"

#include "container.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct dtype_fact {
    const char *name;
    size_t bytes;
} dtype_fact;

static const dtype_fact dtypes[] = {
    [WEIGHTS_F32] = {"F32", 4},   [WEIGHTS_F16] = {"F16", 2}, [WEIGHTS_BF16] = {"BF16", 2},
    [WEIGHTS_F64] = {"F64", 8},   [WEIGHTS_I64] = {"I64", 8}, [WEIGHTS_I32] = {"I32", 4},
    [WEIGHTS_I16] = {"I16", 2},   [WEIGHTS_I8] = {"I8", 1},   [WEIGHTS_U8] = {"U8", 1},
    [WEIGHTS_BOOL] = {"BOOL", 1},
};

size_t weights_dtype_bytes(weights_dtype t)
{
    return dtypes[t].bytes;
}

const char *weights_dtype_name(weights_dtype t)
{
    return dtypes[t].name;
}

bool weights_is_utf8(const void *bytes, size_t n)
{
    const uint8_t *b = bytes;
    for (size_t i = 0; i < n;) {
        const uint8_t c = b[i++];
        if (c == 0)
            return false;
        if (c < 0x80)
            continue;
        const int more = c >= 0xc2 && c <= 0xdf   ? 1
                         : (c & 0xf0) == 0xe0     ? 2
                         : c >= 0xf0 && c <= 0xf4 ? 3
                                                  : 0;
        if (more == 0 || n - i < (size_t)more)
            return false;
        uint32_t code = c & (0x3fu >> more);
        for (int k = 0; k < more; k++) {
            if ((b[i] & 0xc0) != 0x80)
                return false;
            code = code << 6 | (b[i++] & 0x3fu);
        }
        const bool too_long = (more == 2 && code < 0x800) || (more == 3 && code < 0x10000);
        if (too_long || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
            return false;
    }
    return true;
}

void weights_format_real(char *buf, size_t n, double real)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(buf, n, "%.*g", digits, real);
        if (strtod(buf, NULL) == real)
            break;
    }
    for (char *c = buf; *c != '\0'; c++)
        if (*c == ',')
            *c = '.';
    if (strpbrk(buf, ".e") == NULL) /* 3.0 is to stay a float */
        strncat(buf, ".0", n - strlen(buf) - 1);
}

static int name_before(const void *a, const void *b, void *ctx)
{
    const weights_tensor *tensors = ctx;
    return strcmp(tensors[*(const size_t *)a].name, tensors[*(const size_t *)b].name) < 0;
}

/* The sorted names; two alike are refused: which of them is meant? */
static vg_status index_names(weights_file *f, vg_error *err)
{
    f->by_name = arena_take(&f->own, f->n_tensors, sizeof *f->by_name, err);
    if (f->by_name == NULL)
        return err->status;
    for (size_t i = 0; i < f->n_tensors; i++)
        f->by_name[i] = i;
    base_sort(f->by_name, f->n_tensors, sizeof *f->by_name, name_before, f->tensors);
    for (size_t i = 1; i < f->n_tensors; i++) {
        const char *name = f->tensors[f->by_name[i]].name;
        if (strcmp(name, f->tensors[f->by_name[i - 1]].name) == 0)
            return base_fail(err, VG_ERR_FORMAT, f->name,
                             "write the file again with names that differ",
                             "two tensors are named %.200s", name);
    }
    return VG_OK;
}

/* torch.save before PyTorch 1.6: a bare pickle, its first value this magic number. */
static bool is_legacy_pickle(const uint8_t *b, size_t n)
{
    static const uint8_t magic[] = {0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46,
                                    0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19};
    if (n >= 2 + sizeof magic && b[0] == 0x80 && memcmp(b + 2, magic, sizeof magic) == 0)
        return true;
    return n > 9 && b[0] == 0x80 && b[1] >= 1 && b[1] <= 5 && b[8] != '{';
}

static vg_status read_by_content(weights_file *f, base_mem *mem, vg_error *err)
{
    const uint8_t *b = f->bytes;
    const size_t n = f->n_bytes;
    if (n == 0)
        return base_fail(err, VG_ERR_FORMAT, f->name, "copy or download the file again",
                         "the file is empty");
    if (n >= 4 && b[0] == 'P' && b[1] == 'K' && (b[2] == 3 || b[2] == 5) && b[3] == b[2] + 1)
        return pt_read(f, mem, err);
    if (is_legacy_pickle(b, n) || (n >= 262 && memcmp(b + 257, "ustar", 5) == 0))
        return base_fail(err, VG_ERR_UNSUPPORTED, f->name,
                         "load it in PyTorch 1.6 or newer and torch.save it again, which writes "
                         "the current format",
                         "a checkpoint in PyTorch's old format (%s), not a zip",
                         b[0] == 0x80 ? "bare pickle" : "tar");
    vg_status st = VG_OK;
    if ((n < 9 || b[8] != '{') && container_refuse(f, &st, err))
        return st;
    return safetensors_read(f, mem, err);
}

static void fill_absent_texts(weights_meta *m)
{
    const char **texts[] = {&m->model_yaml, &m->scale,  &m->train_args, &m->version,      &m->date,
                            &m->license,    &m->source, &m->chosen,     &m->unknown_class};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (*texts[i] == NULL)
            *texts[i] = "";
}

enum { LEAST_IMGSZ = 32, MOST_IMGSZ = 8192 };

static int imgsz_of(const base_node *n)
{
    return n && n->kind == BASE_NODE_INT && n->i >= LEAST_IMGSZ && n->i <= MOST_IMGSZ ? (int)n->i
                                                                                      : 0;
}

/* imgsz: 640, or [480, 640], height and width. What is no size means nothing: a file
 * says what it likes. */
static vg_status read_imgsz(weights_meta *m, const char *source, base_mem *mem)
{
    base_tree *args = NULL;
    if (m->train_args[0] != '{')
        return VG_OK;
    const vg_status st =
        base_tree_from_json(&args, m->train_args, strlen(m->train_args), source, mem, NULL);
    if (st == VG_ERR_MEMORY)
        return st;
    const base_node *n = base_node_get(st == VG_OK ? base_tree_root(args) : NULL, "imgsz");
    int h = imgsz_of(n), w = h;
    if (n && n->kind == BASE_NODE_LIST && n->n_children >= 1 && n->n_children <= 2) {
        h = imgsz_of(n->first);
        w = n->n_children == 2 ? imgsz_of(n->first->next) : h;
    }
    if (h > 0 && w > 0)
        m->imgsz = (base_size){.h = h, .w = w};
    base_tree_destroy(&args);
    return VG_OK;
}

static vg_status open_bytes(weights_file **out, const base_map *map, const uint8_t *bytes, size_t n,
                            const char *name, base_mem *mem, vg_error *err)
{
    vg_error own_err;
    if (err == NULL)
        err = &own_err;
    *out = NULL;
    weights_file *f = base_alloc_zero(mem, 1, sizeof *f, err);
    if (f == NULL)
        return VG_ERR_MEMORY;
    f->bytes = bytes;
    f->n_bytes = n;
    f->meta.epoch = -1;
    /* Tables and names of the most tensors that are let in, twice over. */
    arena_init(&f->own, (size_t)32 << 10, (size_t)256 << 20, "the table of tensors", mem);
    vg_status st = VG_ERR_MEMORY;
    f->name = arena_text(&f->own, name, strlen(name), err);
    if (f->name == NULL)
        goto done;
    st = read_by_content(f, mem, err);
    if (st != VG_OK)
        goto done;
    st = index_names(f, err);
    if (st != VG_OK)
        goto done;
    fill_absent_texts(&f->meta);
    st = read_imgsz(&f->meta, f->name, mem);
    if (st != VG_OK) {
        base_fail(err, st, f->name, NULL, "no memory for the training arguments");
        goto done;
    }
    f->own.mem = NULL;
    if (map != NULL)
        f->map = *map;
    *out = f;
    f = NULL;
done:
    weights_close(&f);
    return st;
}

/* Names of the published weights that can be read. */
static bool is_read_name(const char *name, const char *suffix)
{
    static const char *const families[] = {"yolo11?", "yolov8?", "yolov8?-p2", "yolov5?u"};
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        const size_t n = strlen(families[i]), at = strcspn(families[i], "?");
        if (suffix == name + n && strncmp(name, families[i], at) == 0 &&
            strchr("nsmlx", name[at]) &&
            strncmp(name + at + 1, families[i] + at + 1, n - at - 1) == 0)
            return true;
    }
    return false;
}

/* Who knows the Python tool expects a name like yolo11n.pt to be fetched. */
static void mend_missing(const char *path, vg_error *err)
{
    const char *name = base_path_name(path);
    const char *suffix = base_path_suffix(name);
    const bool is_theirs = base_starts_with(name, "yolo") && base_equal_nocase(suffix, ".pt");
    const bool is_read = is_read_name(name, suffix);
    if (err == NULL)
        return;
    if (is_theirs && !is_read) { /* not there, and of no use if it were */
        base_format(err->mend, sizeof err->mend,
                    "vigil reads detectors of YOLO11, YOLOv8 and YOLOv5u (yolo11n.pt, yolov8n.pt, "
                    "yolov5nu.pt), and not %.60s; vigil train and vigil demo make weights, too",
                    name);
        return;
    }
    base_format(err->mend, sizeof err->mend,
                is_theirs ? "vigil fetches nothing: download %.60s from its maker's releases "
                            "(Ultralytics), or make weights of your own: vigil train, vigil demo"
                          : "check the path of %.60s; weights come from vigil train "
                            "(runs/train/exp/weights), from vigil demo, or from their maker",
                name);
}

vg_status weights_open(weights_file **out, const char *path, base_mem *mem, vg_error *err)
{
    *out = NULL;
    base_map map = {0};
    vg_status st = base_map_open(&map, path, err);
    if (st != VG_OK && !base_path_exists(path))
        mend_missing(path, err);
    if (st != VG_OK)
        return st;
    st = open_bytes(out, &map, map.bytes, map.n_bytes, path, mem, err);
    if (st != VG_OK)
        base_map_close(&map);
    return st;
}

vg_status weights_open_memory(weights_file **out, const uint8_t *bytes, size_t n, const char *name,
                              base_mem *mem, vg_error *err)
{
    return open_bytes(out, NULL, bytes, n, name, mem, err);
}

void weights_close(weights_file **f)
{
    if (*f == NULL)
        return;
    base_map_close(&(*f)->map);
    arena_fini(&(*f)->own);
    base_free(*f);
    *f = NULL;
}

void weights_forget_pages(const weights_file *f)
{
    if (f->map.bytes != NULL)
        base_map_forget(&f->map);
}

const weights_meta *weights_get_meta(const weights_file *f)
{
    return &f->meta;
}

size_t weights_count(const weights_file *f)
{
    return f->n_tensors;
}

const weights_tensor *weights_at(const weights_file *f, size_t index)
{
    assert(index < f->n_tensors);
    return &f->tensors[index];
}

const weights_tensor *weights_find(const weights_file *f, const char *name)
{
    size_t low = 0, high = f->n_tensors;
    while (low < high) {
        const size_t mid = low + (high - low) / 2;
        const weights_tensor *t = &f->tensors[f->by_name[mid]];
        const int order = strcmp(name, t->name);
        if (order == 0)
            return t;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

const char *weights_metadata_get(const weights_file *f, const char *key)
{
    for (size_t i = 0; i < f->n_pairs; i++)
        if (strcmp(f->pairs[i].key, key) == 0)
            return f->pairs[i].value;
    return NULL;
}

/* A number that divides by a root: what is none says nothing. */
static bool is_eps(double eps)
{
    return eps >= 0 && eps <= 1;
}

bool weights_bn_eps(const weights_file *f, const char *key, double *out)
{
    const char *of_all = weights_metadata_get(f, "bn_eps");
    char *end = NULL;
    if (of_all != NULL) {
        *out = strtod(of_all, &end);
        return end != of_all && *end == '\0' && is_eps(*out);
    }
    for (size_t i = 0; i < f->n_bns; i++)
        if (strcmp(f->bns[i].key, key) == 0) {
            *out = f->bns[i].eps;
            return is_eps(*out);
        }
    return false;
}
