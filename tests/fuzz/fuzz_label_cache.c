/* Any bytes as what stands in a label cache behind its header, which is made to fit, so that the
 * key and the sum do not keep them out: a table within its bounds, or none. Of all kinds of labels,
 * folders of classes with them. The first byte chooses the kind, the next three how many of what
 * there are. */
#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data/kind.h"
#include "data/sum.h"

static void check_table(const label_table *t, const label_form *form)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n_entries; i++) {
        const label_entry *e = &t->entries[i];
        assert(e->first_label == n && e->n_labels <= t->n_labels - n);
        assert(!label_entry_is_used(e) || (e->w > 0 && e->h > 0));
        n += e->n_labels;
    }
    assert(n == t->n_labels && t->report.n_messages <= DATA_MOST_MESSAGES);
    for (size_t i = 0; i < t->n_labels; i++) {
        const data_label *l = &t->labels[i];
        assert(l->class_index >= 0 && l->class_index < form->nc);
        assert(l->n_points <= t->n_points && l->first_point <= t->n_points - l->n_points);
        assert(form->n_keypoints == 0 || l->n_points == (uint32_t)form->n_keypoints);
        for (int k = 0; k < 4; k++)
            assert(l->xywh_norm[k] >= 0 && isfinite(l->xywh_norm[k]));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const data_kind *const kinds[] = {&DATA_BOXES, &DATA_POLYGONS, &DATA_KEYPOINTS,
                                             &DATA_FOLDERS};
    enum { HEAD_WORDS = 8, MOST = 1 << 16 };
    static uint8_t bytes[HEAD_WORDS * 8 + MOST];
    if (size < 4 || size > MOST)
        return 0;
    label_form form = {.kind = kinds[data[0] % 4], .nc = 3};
    if (form.kind == &DATA_KEYPOINTS) {
        form.n_keypoints = 2;
        form.keypoint_dims = 3;
    }
    const size_t n_entries = data[1] % 8, n_labels = data[2] % 16, n_points = data[3] % 32;
    const size_t n_block = sizeof(data_report) + n_entries * sizeof(label_entry) +
                           n_labels * sizeof(data_label) +
                           n_points * label_form_floats(&form) * sizeof(float);
    if (n_block > MOST)
        return 0;
    /* Short inputs go on as zeros; the report stands last in the input, being the least of it. */
    const size_t n_rows = n_block - sizeof(data_report), n_given = size - 4;
    uint8_t *block = bytes + HEAD_WORDS * 8;
    memset(block, 0, n_block);
    memcpy(block + sizeof(data_report), data + 4, n_given < n_rows ? n_given : n_rows);
    if (n_given > n_rows)
        memcpy(block, data + 4 + n_rows,
               n_given - n_rows < sizeof(data_report) ? n_given - n_rows : sizeof(data_report));
    const uint64_t head[HEAD_WORDS] = {LABEL_CACHE_MAGIC,
                                       LABEL_CACHE_VERSION,
                                       77,
                                       n_entries,
                                       n_labels,
                                       n_points,
                                       sizeof(data_report),
                                       data_sum(BASE_HASH_START, block, n_block)};
    memcpy(bytes, head, sizeof head);

    base_mem mem = {.tag = "fuzz"};
    char path[64];
    label_table t;
    const int fd = memfd_create("cache", MFD_CLOEXEC);
    assert(fd >= 0 && write(fd, bytes, sizeof head + n_block) == (ssize_t)(sizeof head + n_block));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (label_cache_read(&t, path, 77, n_entries, &form, &mem))
        check_table(&t, &form);
    label_table_fini(&t);
    close(fd);
    assert(mem.in_use_bytes == 0);
    return 0;
}
