/* test_gpu_mma.c: the layout of NVIDIA's matrix instruction, without a GPU. A warp is played in C:
 * its lanes gather their registers from local memory by kernels/mma.h, as the kernel does, an
 * emulation of mma.sync that is written from the PTX manual's own tables computes, and what the
 * lanes hold then must be the product. */
#include "support/test.h"

#include <stdbool.h>

#include "../../src/nn/gpu/kernels/mma.h"
#include "support/random.h"

/* Registers as PTX numbers them: a0..a7, b0..b3 and c0..c3 of each lane. */
typedef struct warp {
    float a[MMA_LANES][8], b[MMA_LANES][4], c[MMA_LANES][4];
} warp;

/* "Matrix Fragments for mma.m16n8k16", 16-bit floating point: A by row, B by column. */
static void emulate_m16n8k16(warp *w)
{
    float a[16][16], b[16][8];
    for (int lane = 0; lane < 32; lane++) {
        const int group = lane >> 2, in_group = lane % 4;
        for (int i = 0; i < 8; i++) {
            const int row = (i >= 0 && i < 2) || (i >= 4 && i < 6) ? group : group + 8;
            const int column = i < 4 ? in_group * 2 + (i & 1) : in_group * 2 + (i & 1) + 8;
            a[row][column] = w->a[lane][i];
        }
        for (int i = 0; i < 4; i++) {
            const int row = i < 2 ? in_group * 2 + (i & 1) : in_group * 2 + (i & 1) + 8;
            b[row][group] = w->b[lane][i];
        }
    }
    for (int lane = 0; lane < 32; lane++)
        for (int i = 0; i < 4; i++) {
            const int row = i < 2 ? lane >> 2 : (lane >> 2) + 8, column = lane % 4 * 2 + (i & 1);
            for (int k = 0; k < 16; k++)
                w->c[lane][i] += a[row][k] * b[k][column];
        }
}

/* "Matrix Fragments for mma.m16n8k8", 16-bit floating point: a0..a3 and b0, b1. */
static void emulate_m16n8k8(warp *w, const float (*ra)[4], const float (*rb)[2])
{
    float a[16][8], b[8][8];
    for (int lane = 0; lane < 32; lane++) {
        const int group = lane >> 2, in_group = lane % 4;
        for (int i = 0; i < 4; i++)
            a[i < 2 ? group : group + 8][in_group * 2 + (i & 1)] = ra[lane][i];
        for (int i = 0; i < 2; i++)
            b[in_group * 2 + i][group] = rb[lane][i];
    }
    for (int lane = 0; lane < 32; lane++)
        for (int i = 0; i < 4; i++) {
            const int row = i < 2 ? lane >> 2 : (lane >> 2) + 8, column = lane % 4 * 2 + (i & 1);
            for (int k = 0; k < 8; k++)
                w->c[lane][i] += a[row][k] * b[k][column];
        }
}

static float xs[MMA_ROWS * MMA_PITCH], ws[MMA_COLUMNS * MMA_PITCH];

/* As mma.cl gathers them: register r is the numbers 2 r and 2 r + 1. */
static void gather(warp *w, int depth)
{
    for (int lane = 0; lane < MMA_LANES; lane++) {
        for (int r = 0; r < 4; r++)
            for (int i = 0; i < 2; i++)
                w->a[lane][2 * r + i] =
                    xs[mma_at(mma_a_row(lane, r), depth + mma_a_depth(lane, r)) + i];
        for (int r = 0; r < 2; r++)
            for (int i = 0; i < 2; i++)
                w->b[lane][2 * r + i] =
                    ws[mma_at(mma_b_column(lane), depth + mma_b_depth(lane, r)) + i];
    }
}

static void fill(void)
{
    test_random rng = {11};
    for (size_t i = 0; i < sizeof xs / sizeof *xs; i++)
        xs[i] = (float)(int)random_float(&rng, -8, 9);
    for (size_t i = 0; i < sizeof ws / sizeof *ws; i++)
        ws[i] = (float)(int)random_float(&rng, -8, 9);
}

/* Whole numbers, so that no order of a sum matters. */
static void assert_product(const warp *w)
{
    bool seen[MMA_ROWS][MMA_COLUMNS] = {{false}};
    for (int lane = 0; lane < MMA_LANES; lane++)
        for (int r = 0; r < 4; r++) {
            const int row = mma_c_row(lane, r), column = mma_c_column(lane, r);
            float want = 0;
            for (int d = 0; d < MMA_CHUNK; d++)
                want += xs[mma_at(row, d)] * ws[mma_at(column, d)];
            assert_true(w->c[lane][r] == want);
            assert_false(seen[row][column]);
            seen[row][column] = true;
        }
}

static void a_warp_holds_the_product_after_two_steps_of_16(void **state)
{
    (void)state;
    warp w = {0};
    fill();
    for (int d = 0; d < MMA_CHUNK; d += MMA_DEPTH) {
        gather(&w, d);
        emulate_m16n8k16(&w);
    }
    assert_product(&w);
}

/* sm_75: registers 0 and 1 of A with 0 of B, then 2 and 3 with 1. */
static void a_warp_holds_it_after_steps_of_8_too(void **state)
{
    (void)state;
    warp w = {0};
    fill();
    for (int d = 0; d < MMA_CHUNK; d += MMA_DEPTH) {
        gather(&w, d);
        for (int half = 0; half < 2; half++) {
            float a[MMA_LANES][4], b[MMA_LANES][2];
            for (int lane = 0; lane < MMA_LANES; lane++) {
                memcpy(a[lane], w.a[lane] + 4 * half, sizeof a[lane]);
                memcpy(b[lane], w.b[lane] + 2 * half, sizeof b[lane]);
            }
            emulate_m16n8k8(&w, (const float(*)[4])a, (const float(*)[2])b);
        }
    }
    assert_product(&w);
}

/* The 32 lanes read 32 different banks of 4 bytes, whichever register it is. */
static void no_bank_is_met_twice(void **state)
{
    (void)state;
    for (int r = 0; r < 6; r++) {
        uint32_t banks = 0;
        for (int lane = 0; lane < MMA_LANES; lane++) {
            const int at = r < 4 ? mma_at(mma_a_row(lane, r), mma_a_depth(lane, r))
                                 : mma_at(mma_b_column(lane), mma_b_depth(lane, r - 4));
            assert_int_equal(at % 2, 0);
            banks |= UINT32_C(1) << (at / 2 % 32);
        }
        assert_int_equal(banks, UINT32_MAX);
    }
    assert_int_equal(MMA_PITCH % 8, 0); /* eight numbers are written at once */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_warp_holds_the_product_after_two_steps_of_16),
        cmocka_unit_test(a_warp_holds_it_after_steps_of_8_too),
        cmocka_unit_test(no_bank_is_met_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
