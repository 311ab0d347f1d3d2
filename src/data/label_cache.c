/* label_cache.c: a label table in a file.
 *
 * Layout: header, entries, labels, points, all as in memory of the machine that wrote it; the magic
 * number read in another byte order is another number. The key tells whether the files are those
 * that were read; the sum, whether this file is the one that was written. Even so everything is
 * checked before it is used. */
#include <float.h>
#include <string.h>
#include <sys/stat.h>

#include "kind.h"
#include "sum.h"

typedef struct cache_header {
    uint64_t magic, version, key;
    uint64_t n_entries, n_labels, n_points;
    uint64_t n_report_bytes;
    uint64_t sum; /* of everything behind the header */
} cache_header;
_Static_assert(sizeof(cache_header) == 64, "layout of the cache file");
_Static_assert(sizeof(data_report) % 8 == 0, "what follows it stays aligned");

static uint64_t hash_file(uint64_t h, const char *path)
{
    struct stat info;
    int64_t about[3] = {-1, 0, 0}; /* not there */
    if (stat(path, &info) == 0) {
        about[0] = info.st_size;
        about[1] = info.st_mtim.tv_sec;
        about[2] = info.st_mtim.tv_nsec;
    }
    h = base_hash(h, path, strlen(path) + 1);
    return base_hash(h, about, sizeof about);
}

uint64_t label_cache_key(const data_list *list, const label_form *form)
{
    int64_t about[4] = {LABEL_CACHE_VERSION, form->nc, form->n_keypoints, form->keypoint_dims};
    uint64_t h = base_hash(BASE_HASH_START, about, sizeof about);
    h = base_hash(h, form->kind->name, strlen(form->kind->name) + 1);
    char label[DATA_PATH_BYTES];
    for (size_t i = 0; i < list->n; i++) {
        h = hash_file(h, list->paths[i]);
        if (list->classes)
            h = base_hash(h, &list->classes[i], sizeof list->classes[i]);
        else if (data_label_find(label, sizeof label, list->paths[i]))
            h = hash_file(h, label); /* its path, too: another may be taken */
    }
    return h;
}

/* Sizes that go with the file's; false on any doubt. */
static bool sizes_agree(const cache_header *h, size_t point_floats, size_t n_bytes)
{
    size_t entries, labels, points, total = sizeof *h + sizeof(data_report);
    return base_mul_size(&entries, h->n_entries, sizeof(label_entry)) &&
           base_mul_size(&labels, h->n_labels, sizeof(data_label)) &&
           base_mul_size(&points, h->n_points, point_floats * sizeof(float)) &&
           base_add_size(&total, total, entries) && base_add_size(&total, total, labels) &&
           base_add_size(&total, total, points) && total == n_bytes;
}

/* As the readers left it. */
static bool box_is_sound(const data_label *l, const label_form *form)
{
    const float most = form->n_keypoints > 0 ? FLT_MAX : 1;
    for (int k = 0; k < 4; k++)
        if (!(l->xywh_norm[k] >= 0 && l->xywh_norm[k] <= most))
            return false;
    return true;
}

static bool is_sound(label_table *t, const label_form *form)
{
    if (t->report.n_messages > DATA_MOST_MESSAGES)
        return false;
    for (int i = 0; i < DATA_MOST_MESSAGES; i++)
        t->report.messages[i][DATA_MESSAGE_BYTES - 1] = '\0';
    t->report.mixed_where[DATA_MESSAGE_BYTES - 1] = '\0';
    uint64_t at = 0;
    for (size_t i = 0; i < t->n_entries; i++) {
        const label_entry *e = &t->entries[i];
        bool used = label_entry_is_used(e);
        if (e->state < LABEL_FOUND || e->state > LABEL_ABSENT || e->first_label != at ||
            e->n_labels > t->n_labels - at || (used && (e->w < 1 || e->h < 1)))
            return false;
        at += e->n_labels;
    }
    for (size_t i = 0; i < t->n_labels; i++) {
        const data_label *l = &t->labels[i];
        if (l->class_index < 0 || l->class_index >= form->nc || l->first_point > t->n_points ||
            l->n_points > t->n_points - l->first_point || !box_is_sound(l, form) ||
            (form->n_keypoints > 0 && l->n_points != (uint32_t)form->n_keypoints))
            return false;
    }
    return at == t->n_labels;
}

bool label_cache_read(label_table *out, const char *path, uint64_t key, size_t n_entries,
                      const label_form *form, base_mem *mem)
{
    *out = (label_table){0};
    char *bytes = NULL;
    size_t n;
    cache_header h;
    bool good = false;
    /* Read, not mapped: a file that shrinks meanwhile must not end the program. */
    if (!base_path_exists(path) ||
        base_file_read(&bytes, &n, path, SIZE_MAX / 4, mem, NULL) != VG_OK || n < sizeof h)
        goto done;
    memcpy(&h, bytes, sizeof h);
    if (h.magic != LABEL_CACHE_MAGIC || h.version != LABEL_CACHE_VERSION || h.key != key ||
        h.n_entries != n_entries || h.n_report_bytes != sizeof(data_report) ||
        !sizes_agree(&h, label_form_floats(form), n) ||
        h.sum != data_sum(BASE_HASH_START, bytes + sizeof h, n - sizeof h))
        goto done;
    out->n_entries = h.n_entries;
    out->n_labels = h.n_labels;
    out->n_points = h.n_points;
    out->point_floats = label_form_floats(form);
    if (label_table_reserve(out, mem, NULL) != VG_OK)
        goto done;
    const char *at = bytes + sizeof h;
    memcpy(&out->report, at, sizeof out->report);
    at += sizeof out->report;
    memcpy(out->block, at, (size_t)(bytes + n - at));
    good = is_sound(out, form);
done:
    base_free(bytes);
    if (!good)
        label_table_fini(out);
    return good;
}

vg_status label_cache_write(const label_table *t, const char *path, uint64_t key, vg_error *err)
{
    size_t n_block = t->n_entries * sizeof *t->entries + t->n_labels * sizeof *t->labels +
                     t->n_points * t->point_floats * sizeof *t->points;
    cache_header h = {.magic = LABEL_CACHE_MAGIC,
                      .version = LABEL_CACHE_VERSION,
                      .key = key,
                      .n_entries = t->n_entries,
                      .n_labels = t->n_labels,
                      .n_points = t->n_points,
                      .n_report_bytes = sizeof t->report};
    h.sum = data_sum(data_sum(BASE_HASH_START, &t->report, sizeof t->report), t->block, n_block);
    base_file tmp = BASE_FILE_NONE;
    vg_status st = base_file_create_beside(&tmp, path, err);
    if (st != VG_OK)
        goto done;
    st = base_file_write(&tmp, &h, sizeof h, err);
    if (st == VG_OK)
        st = base_file_write(&tmp, &t->report, sizeof t->report, err);
    if (st == VG_OK)
        st = base_file_write(&tmp, t->block, n_block, err);
    if (st != VG_OK)
        goto done;
    st = base_file_commit(&tmp, path, err);
done:
    base_file_discard(&tmp);
    return st;
}
