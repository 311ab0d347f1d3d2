/* likeness.c: masks as bits, 64 pixels a step; keypoints and turned boxes by their formulas. */
#include "likeness.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "maths.h"

/* ---- masks ---- */

enum { WORD = 64, MOST_SIDE = 65535 };

static size_t words_of_row(int w)
{
    return ((size_t)w + WORD - 1) / WORD;
}

size_t detect_bitmaps_bytes(size_t most, int most_h, int most_w)
{
    size_t words, bytes, facts;
    if (most_h < 1 || most_w < 1 || most_h > MOST_SIDE || most_w > MOST_SIDE || most == 0 ||
        !base_mul_size(&words, most, (size_t)most_h * words_of_row(most_w)) ||
        !base_mul_size(&bytes, words, sizeof(uint64_t)) ||
        !base_mul_size(&facts, most, sizeof(struct detect_bitmap_facts)) ||
        !base_add_size(&bytes, bytes, facts))
        return 0;
    return bytes;
}

detect_bitmaps detect_bitmaps_make(void *block, size_t most, int most_h, int most_w)
{
    detect_bitmaps b = {
        .most = most, .most_words = most * (size_t)most_h * words_of_row(most_w), .words = block};
    b.facts = (struct detect_bitmap_facts *)(void *)(b.words + b.most_words);
    detect_bitmaps_resize(&b, most_h, most_w);
    return b;
}

void detect_bitmaps_resize(detect_bitmaps *b, int h, int w)
{
    b->h = h;
    b->w = w;
    b->row_words = words_of_row(w);
    assert(b->most * (size_t)h * b->row_words <= b->most_words);
}

void detect_bitmaps_clear(detect_bitmaps *b, size_t i)
{
    assert(i < b->most);
    memset(detect_bitmaps_row(b, i, 0), 0, (size_t)b->h * b->row_words * sizeof *b->words);
    b->facts[i] = (struct detect_bitmap_facts){0};
}

void detect_bitmaps_add_row(detect_bitmaps *b, size_t i, int y, int x0, int x1, const float *values,
                            float above)
{
    uint64_t *row = detect_bitmaps_row(b, i, y);
    for (int x = x0; x < x1; x++)
        row[x / WORD] |= (uint64_t)(values[x - x0] > above) << (x % WORD);
}

DETECT_WIDE static uint32_t count(const uint64_t *words, size_t n)
{
    uint32_t sum = 0;
    for (size_t k = 0; k < n; k++)
        sum += (uint32_t)__builtin_popcountll(words[k]);
    return sum;
}

DETECT_WIDE static uint32_t count_common(const uint64_t *a, const uint64_t *b, size_t n)
{
    uint32_t sum = 0;
    for (size_t k = 0; k < n; k++)
        sum += (uint32_t)__builtin_popcountll(a[k] & b[k]);
    return sum;
}

void detect_bitmaps_count(detect_bitmaps *b, size_t i)
{
    struct detect_bitmap_facts f = {.y0 = b->h};
    for (int y = 0; y < b->h; y++) {
        const uint32_t n = count(detect_bitmaps_row(b, i, y), b->row_words);
        f.area += n;
        f.y0 = n > 0 && y < f.y0 ? y : f.y0;
        f.y1 = n > 0 ? y + 1 : f.y1;
    }
    b->facts[i] = f;
}

/* Where a pixel of one size lies between pixels of another: half-pixel centres, ends repeat. */
typedef struct between {
    int at, next;
    float part; /* of next */
} between;

static between between_at(int i, int n_to, int n_from)
{
    const float scale = (float)n_from / (float)n_to;
    const float x = fmaxf(((float)i + 0.5f) * scale - 0.5f, 0);
    const int at = (int)x < n_from - 1 ? (int)x : n_from - 1;
    return (between){at, at + 1 < n_from ? at + 1 : at, x - (float)at};
}

/* Up to four neighbours of a pixel, with their weights. */
typedef struct corner {
    size_t at;
    float weight;
} corner;

static void corners_of(corner out[4], const between *y, const between *x, int w)
{
    const int rows[2] = {y->at, y->next}, columns[2] = {x->at, x->next};
    const float down[2] = {1 - y->part, y->part}, across[2] = {1 - x->part, x->part};
    for (int k = 0; k < 4; k++)
        out[k] = (corner){(size_t)rows[k / 2] * (size_t)w + (size_t)columns[k % 2],
                          down[k / 2] * across[k % 2]};
}

static void set_pixel(detect_bitmaps *b, size_t i, int y, int x)
{
    detect_bitmaps_row(b, i, y)[x / WORD] |= UINT64_C(1) << (x % WORD);
}

/* The owner of more than half of a pixel; 0: there is none. */
static int32_t owner_of(const int32_t *map, const corner c[4])
{
    for (int k = 0; k < 4; k++) {
        const int32_t owner = map[c[k].at];
        float share = 0;
        for (int m = 0; m < 4; m++)
            share += map[c[m].at] == owner ? c[m].weight : 0;
        if (share > 0.5f)
            return owner;
    }
    return 0;
}

void detect_bitmaps_split(detect_bitmaps *b, size_t n, const int32_t *map, int map_h, int map_w)
{
    for (size_t i = 0; i < n; i++)
        detect_bitmaps_clear(b, i);
    for (int y = 0; y < b->h && n > 0; y++) {
        const between row = between_at(y, b->h, map_h);
        for (int x = 0; x < b->w; x++) {
            const between column = between_at(x, b->w, map_w);
            corner c[4];
            corners_of(c, &row, &column, map_w);
            const int32_t owner = owner_of(map, c);
            if (owner > 0 && (size_t)owner <= n)
                set_pixel(b, (size_t)owner - 1, y, x);
        }
    }
    for (size_t i = 0; i < n; i++)
        detect_bitmaps_count(b, i);
}

void detect_bitmaps_take(detect_bitmaps *b, size_t i, const uint8_t *map, int map_h, int map_w)
{
    detect_bitmaps_clear(b, i);
    for (int y = 0; y < b->h; y++) {
        const between row = between_at(y, b->h, map_h);
        for (int x = 0; x < b->w; x++) {
            const between column = between_at(x, b->w, map_w);
            corner c[4];
            float share = 0;
            corners_of(c, &row, &column, map_w);
            for (int k = 0; k < 4; k++)
                share += map[c[k].at] != 0 ? c[k].weight : 0;
            if (share > 0.5f)
                set_pixel(b, i, y, x);
        }
    }
    detect_bitmaps_count(b, i);
}

void detect_bitmaps_unpack(detect_bitmaps *b, size_t i, const vg_mask *mask)
{
    detect_bitmaps_clear(b, i);
    assert(mask->grid_height == b->h && mask->grid_width == b->w);
    for (int y = 0; y < mask->height; y++)
        for (int k = 0; k < (mask->width + 7) / 8; k++) {
            const uint8_t eight = mask->bits[(size_t)y * mask->row_bytes + (size_t)k];
            for (int m = 0; eight != 0 && m < 8 && 8 * k + m < mask->width; m++)
                if (eight >> (7 - m) & 1)
                    set_pixel(b, i, mask->y + y, mask->x + 8 * k + m);
        }
    detect_bitmaps_count(b, i);
}

float detect_bitmaps_iou(const detect_bitmaps *a, size_t i, const detect_bitmaps *b, size_t j)
{
    const struct detect_bitmap_facts *p = &a->facts[i], *q = &b->facts[j];
    const int y0 = p->y0 > q->y0 ? p->y0 : q->y0, y1 = p->y1 < q->y1 ? p->y1 : q->y1;
    uint32_t common = 0;
    assert(a->h == b->h && a->w == b->w);
    if (y0 < y1)
        common = count_common(detect_bitmaps_row(a, i, y0), detect_bitmaps_row(b, j, y0),
                              (size_t)(y1 - y0) * a->row_words);
    /* Whole numbers below 2^24 are exact in float, as the reference's sums are. */
    return (float)common / ((float)(p->area + q->area - common) + 1e-7f);
}

static float mask_iou(const void *ctx, size_t det, size_t truth)
{
    const detect_mask_pairs *p = ctx;
    return detect_bitmaps_iou(p->dets, det, p->truths, truth);
}

detect_likeness detect_likeness_of_masks(const detect_mask_pairs *p)
{
    return (detect_likeness){mask_iou, p};
}

/* ---- keypoints ---- */

void detect_keypoint_sigmas(float *out, int n_keypoints, int dims)
{
    /* COCO's: nose, eyes, ears, shoulders, elbows, wrists, hips, knees, ankles (T 3.2) */
    static const float coco[] = {.026f, .025f, .025f, .035f, .035f, .079f, .079f, .072f, .072f,
                                 .062f, .062f, .107f, .107f, .087f, .087f, .089f, .089f};
    const int n_coco = sizeof coco / sizeof *coco;
    for (int k = 0; k < n_keypoints; k++)
        out[k] = n_keypoints == n_coco && dims == 3 ? coco[k] : 1 / (float)n_keypoints;
}

static float oks(const void *ctx, size_t det, size_t truth)
{
    const detect_keypoint_pairs *p = ctx;
    const size_t n = (size_t)p->n_keypoints, dims = (size_t)p->dims;
    const float *found = p->dets + det * n * dims, *labelled = p->truths + truth * n * 3;
    const float *box = p->boxes[truth].xyxy;
    const double area = (double)((box[2] - box[0]) * (box[3] - box[1])) * 0.53; /* T 6 */
    double sum = 0, n_labelled = 0;
    for (size_t k = 0; k < n; k++, found += dims, labelled += 3) {
        if (labelled[2] == 0)
            continue;
        const double dx = found[0] - labelled[0], dy = found[1] - labelled[1];
        const double wide = 2 * (double)p->sigmas[k];
        sum += exp(-(dx * dx + dy * dy) / (wide * wide * (area + 1e-7) * 2));
        n_labelled++;
    }
    return (float)(sum / (n_labelled + 1e-7));
}

detect_likeness detect_likeness_of_keypoints(const detect_keypoint_pairs *p)
{
    return (detect_likeness){oks, p};
}

/* ---- turned boxes ---- */

static float rotated_iou(const void *ctx, size_t det, size_t truth)
{
    const detect_rotated_pairs *p = ctx;
    return detect_probiou_float(p->truths + 5 * truth, p->dets + 5 * det);
}

detect_likeness detect_likeness_of_rotated(const detect_rotated_pairs *p)
{
    return (detect_likeness){rotated_iou, p};
}
