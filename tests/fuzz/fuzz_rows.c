/* Any bytes as a label file of outlines, turned boxes or keypoints: rows within their bounds or an
 * error; and outlines walked, filled and made into masks wherever their corners lie. The first byte
 * chooses the kind, the second the keypoints. */
#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "data/kind.h"
#include "data/outline.h"

enum { W = 24, H = 16, N_OUTLINE = 40, MOST_MASKS = 32 };

static void check_outlines(const label_sink *sink, base_mem *mem)
{
    float points[2 * N_OUTLINE];
    int32_t map[W * H];
    uint32_t areas[MOST_MASKS], order[MOST_MASKS], ranks[MOST_MASKS], n = 0;
    uint8_t *room = base_alloc(mem, outline_room_bytes(W, H), NULL);
    outline_map_begin(map, W, H, 2);
    for (size_t i = 0; i < sink->n_labels && n < MOST_MASKS; i++) {
        const data_label *l = &sink->labels[i];
        if (l->n_points == 0)
            continue;
        outline_resample(points, N_OUTLINE, sink->points + 2 * l->first_point, l->n_points);
        for (int k = 0; k < N_OUTLINE; k++) {
            points[2 * k] *= W;
            points[2 * k + 1] *= H;
        }
        outline_map_paint(map, areas, n, room, points, N_OUTLINE, W, H, 2);
        assert(areas[n] <= W * H / 4);
        n++;
    }
    outline_map_end(map, order, ranks, areas, n, W, H, 2);
    for (int k = 0; k < W * H / 4; k++)
        assert(map[k] >= 0 && map[k] <= (int32_t)n);
    base_free(room);
}

static void check_rows(const uint8_t *data, size_t size, const label_form *form, base_mem *mem)
{
    label_sink sink = {0};
    /* Twice into one sink: the second must not disturb the first. */
    for (int round = 0; round < 2; round++) {
        label_text_result r;
        vg_error err = {0};
        const size_t before = sink.n_labels;
        char *text = base_alloc(mem, size + 1, &err);
        memcpy(text, data, size);
        text[size] = '\0';
        const vg_status st = label_text_parse(&sink, &r, text, size, form, "fuzz", mem, &err);
        base_free(text);
        assert(st == VG_OK || (err.status == st && err.what[0]));
        assert(sink.n_labels == before + (st == VG_OK ? r.n_labels : 0));
    }
    for (size_t i = 0; i < sink.n_labels; i++) {
        const data_label *l = &sink.labels[i];
        assert(l->class_index >= 0 && l->class_index < form->nc);
        assert(l->first_point + l->n_points <= sink.n_points);
        for (int k = 0; k < 4; k++)
            assert(l->xywh_norm[k] >= 0 && isfinite(l->xywh_norm[k]) &&
                   (form->n_keypoints > 0 || l->xywh_norm[k] <= 1));
        assert(form->n_keypoints == 0 || l->n_points == (uint32_t)form->n_keypoints);
        for (size_t k = 0; k < 3 * (size_t)form->n_keypoints; k++) {
            const float v = sink.points[3 * l->first_point + k];
            assert(v >= 0 && (k % 3 == 2 || v <= 1));
        }
    }
    if (form->n_keypoints == 0)
        check_outlines(&sink, mem);
    label_sink_fini(&sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const data_kind *const kinds[] = {&DATA_POLYGONS, &DATA_ROTATED, &DATA_KEYPOINTS};
    base_mem mem = {.tag = "fuzz"};
    if (size < 2)
        return 0;
    label_form form = {.kind = kinds[data[0] % 3], .nc = 1 + data[0] / 3};
    if (form.kind == &DATA_KEYPOINTS) {
        form.n_keypoints = 1 + data[1] / 2 % 20;
        form.keypoint_dims = 2 + data[1] % 2;
    }
    check_rows(data + 2, size - 2, &form, &mem);
    assert(mem.in_use_bytes == 0);
    return 0;
}
