/* Any bytes as a label file, and as a dataset YAML: rows within their bounds or an error, and every
 * byte given back. The first byte chooses: its lowest bit the reader, the others the classes. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "data/labels.h"

static void check_labels(const uint8_t *data, size_t size, int nc, base_mem *mem)
{
    label_sink sink = {0};
    const label_form form = {.kind = &DATA_BOXES, .nc = nc};
    vg_error err = {0};
    /* Twice into one sink: the second must not disturb the first. */
    for (int round = 0; round < 2; round++) {
        label_text_result r;
        size_t before = sink.n_labels;
        char *text = base_alloc(mem, size + 1, &err);
        memcpy(text, data, size);
        text[size] = '\0';
        vg_status st = label_text_parse(&sink, &r, text, size, &form, "fuzz", mem, &err);
        base_free(text);
        assert(st == VG_OK || (err.status == st && err.what[0]));
        assert(sink.n_labels == before + (st == VG_OK ? r.n_labels : 0));
    }
    for (size_t i = 0; i < sink.n_labels; i++) {
        const data_label *l = &sink.labels[i];
        assert(l->class_index >= 0 && l->class_index < nc);
        assert(l->first_point + l->n_points <= sink.n_points);
        for (int k = 0; k < 4; k++)
            assert(l->xywh_norm[k] >= 0 && l->xywh_norm[k] <= 1);
    }
    label_sink_fini(&sink);
}

static void check_spec(const uint8_t *data, size_t size, base_mem *mem)
{
    data_spec *s = NULL;
    vg_error err = {0};
    vg_status st = data_spec_parse(&s, (const char *)data, size, "fuzz", mem, &err);
    assert((st == VG_OK) == (s != NULL));
    assert(st == VG_OK || (err.status == st && err.what[0]));
    for (int i = 0; s && i < data_spec_nc(s); i++)
        assert(data_spec_class_name(s, i));
    for (int split = 0; s && split < DATA_N_SPLITS; split++) {
        const char *place = data_spec_place(s, (data_split)split, 0);
        assert((place != NULL) == data_spec_has(s, (data_split)split));
    }
    data_spec_destroy(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    base_mem mem = {.tag = "fuzz"};
    if (size == 0)
        return 0;
    if (data[0] & 1)
        check_labels(data + 1, size - 1, 1 + data[0] / 2, &mem);
    else
        check_spec(data + 1, size - 1, &mem);
    assert(mem.in_use_bytes == 0);
    return 0;
}
