/* test_resize.c: the vector loops equal the plain ones over odd sizes, and stay inside their rows.
 */
#include "support.h"

#include <sys/mman.h>
#include <unistd.h>

#include "image/resize.h"

static uint32_t seed = 1;
static uint8_t next_byte(void)
{
    seed = seed * 1664525u + 1013904223u;
    return (uint8_t)(seed >> 24);
}

static base_mem mem = {.tag = "test", .limit_bytes = SIZE_MAX};

/* Random bytes that end where a page without access begins: a read or write past them ends the test
 * in every build. */
typedef struct guarded {
    uint8_t *bytes, *pages;
    size_t n_pages_bytes;
} guarded;

static guarded guarded_make(size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), inside = base_round_up(n, page);
    guarded g = {.n_pages_bytes = inside + page};
    g.pages =
        mmap(NULL, g.n_pages_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(g.pages, MAP_FAILED);
    assert_int_equal(mprotect(g.pages + inside, page, PROT_NONE), 0);
    g.bytes = g.pages + inside - n;
    for (size_t i = 0; i < n; i++)
        g.bytes[i] = next_byte();
    return g;
}

static void guarded_free(guarded *g)
{
    assert_int_equal(munmap(g->pages, g->n_pages_bytes), 0);
}

static void resize_with(const image_row_kernels *kernels, uint8_t *out, const image_view *src,
                        int w, int h)
{
    image_scratch scratch = {0};
    image_resizer r;
    assert_int_equal(image_resizer_init(&r, src, w, h, &scratch, &mem, NULL), VG_OK);
    r.kernels = kernels;
    for (int y = 0; y < h; y++)
        image_resizer_row(&r, out + (size_t)y * 3 * (size_t)w, y);
    image_scratch_fini(&scratch);
}

static void check_kernels(const image_row_kernels *kernels)
{
    static const int SIZES[][4] = {
        {1, 1, 5, 4},     {2, 2, 7, 3},   {3, 3, 3, 9},    {3, 5, 17, 1}, {40, 30, 20, 15},
        {42, 4, 21, 2},   {6, 2, 3, 1},   {4, 2, 2, 1},    {2, 2, 1, 1},  {97, 31, 64, 48},
        {64, 48, 97, 31}, {33, 7, 11, 7}, {101, 9, 33, 9}, {9, 9, 9, 10}, {19, 19, 19, 19}};
    for (size_t i = 0; i < sizeof(SIZES) / sizeof(SIZES[0]); i++) {
        int w0 = SIZES[i][0], h0 = SIZES[i][1], w = SIZES[i][2], h = SIZES[i][3];
        size_t n = 3 * (size_t)w * (size_t)h;
        guarded pixels = guarded_make(3 * (size_t)w0 * (size_t)h0);
        guarded block_want = guarded_make(n), block_is = guarded_make(n);
        uint8_t *want = block_want.bytes, *is = block_is.bytes;
        image_view src = {pixels.bytes, w0, h0, 3 * (size_t)w0};
        resize_with(&IMAGE_ROW_KERNELS_C, want, &src, w, h);
        resize_with(kernels, is, &src, w, h);
        if (memcmp(want, is, n) != 0)
            fail_msg("%s: %d x %d to %d x %d differs from plain C", kernels->name, w0, h0, w, h);

        float *floats = base_alloc(&mem, n * sizeof(float), NULL);
        kernels->to_float(floats, is, n);
        for (size_t k = 0; k < n; k++)
            assert_true(floats[k] == (float)is[k] / 255.0f);
        base_free(floats);
        guarded_free(&block_is);
        guarded_free(&block_want);
        guarded_free(&pixels);
    }
    assert_int_equal(mem.in_use_bytes, 0);
}

/* Columns of any spans, of which the last end with the row; rows of any length. */
static void check_smoothing(const image_row_kernels *kernels)
{
    enum { MOST_W = 40, MOST = 24 };
    static int16_t low[MOST_W * MOST], high[MOST_W * MOST];
    uint64_t random = 1;
    for (int src_w = 1; src_w <= 70; src_w += 3) {
        image_span of[MOST_W];
        const image_spans spans = {of, low, high, src_w < MOST_W ? src_w : MOST_W, MOST};
        const size_t n = 3 * (size_t)spans.w;
        guarded row = guarded_make(3 * (size_t)src_w), a = guarded_make(n), b = guarded_make(n);
        memset(low, 0, sizeof low);
        memset(high, 0, sizeof high);
        for (int x = 0; x < spans.w; x++) {
            const int first = x * (src_w - 1) / spans.w;
            const int most = src_w - first < MOST ? src_w - first : MOST;
            random = random * 6364136223846793005U + 1442695040888963407U;
            of[x] = (image_span){first, 1 + (int)(random >> 40) % most};
            for (int i = 0; i < of[x].n; i++) {
                const int32_t weight = (1 << IMAGE_WEIGHT_BITS) / of[x].n + (i == 0 ? i - x : 0);
                low[x * MOST + i] = (int16_t)(weight & ((1 << IMAGE_HALF_BITS) - 1));
                high[x * MOST + i] = (int16_t)(weight >> IMAGE_HALF_BITS);
            }
        }
        IMAGE_ROW_KERNELS_C.smooth_across(a.bytes, row.bytes, src_w, &spans);
        kernels->smooth_across(b.bytes, row.bytes, src_w, &spans);
        assert_memory_equal(a.bytes, b.bytes, n);
        int32_t want[3 * MOST_W], got[3 * MOST_W];
        for (size_t i = 0; i < n; i++)
            want[i] = got[i] = (int32_t)(i * 9973) - 4000;
        for (int k = 0; k < 3; k++) {
            IMAGE_ROW_KERNELS_C.smooth_add(want, a.bytes, 1234567 + k, n);
            kernels->smooth_add(got, a.bytes, 1234567 + k, n);
        }
        assert_memory_equal(want, got, n * sizeof *got);
        IMAGE_ROW_KERNELS_C.smooth_round(a.bytes, want, n);
        kernels->smooth_round(b.bytes, got, n);
        assert_memory_equal(a.bytes, b.bytes, n);
        guarded_free(&b);
        guarded_free(&a);
        guarded_free(&row);
    }
}

static void sse41_equals_plain_c(void **state)
{
    (void)state;
    const image_row_kernels *kernels = image_row_kernels_x86("sse4.1");
    if (kernels == NULL)
        skip();
    check_kernels(kernels);
    check_smoothing(kernels);
}

static void avx2_equals_plain_c(void **state)
{
    (void)state;
    const image_row_kernels *kernels = image_row_kernels_x86("avx2");
    if (kernels == NULL)
        skip();
    check_kernels(kernels);
    check_smoothing(kernels);
}

static void a_flat_picture_stays_flat_at_every_size(void **state)
{
    (void)state;
    uint8_t pixels[3 * 13 * 7], out[3 * 40 * 40];
    memset(pixels, 201, sizeof(pixels));
    image_view src = {pixels, 13, 7, 39};
    for (int size = 1; size <= 40; size++) {
        resize_with(image_row_kernels_get(), out, &src, size, 41 - size);
        for (size_t i = 0; i < 3 * (size_t)size * (size_t)(41 - size); i++)
            assert_in_range(out[i], 200, 201); /* OpenCV's weights may sum to 2047: its own error */
    }
}

static void an_unknown_instruction_set_is_null(void **state)
{
    (void)state;
    assert_null(image_row_kernels_x86("avx1024"));
    assert_non_null(image_row_kernels_get());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sse41_equals_plain_c),
        cmocka_unit_test(avx2_equals_plain_c),
        cmocka_unit_test(a_flat_picture_stays_flat_at_every_size),
        cmocka_unit_test(an_unknown_instruction_set_is_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
