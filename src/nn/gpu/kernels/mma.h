/* mma.h: NVIDIA's matrix instruction, mma.sync.m16n8k16 of 16-bit numbers with sums of floats:
 * which element of its three matrices a lane of a warp holds. In the words of C and of OpenCL C, so
 * that tests/nn/test_gpu_mma.c proves without a GPU what the kernel relies on.
 *
 * A (16 rows x 16 deep) is in 4 registers a lane, B (16 deep x 8 columns) in 2, each of two numbers
 * side by side in depth; C (16 x 8) in 4 floats. Source: PTX ISA, "Matrix Fragments for
 * mma.m16n8k16". m16n8k8, of sm_75, is one half of its depth: registers 0 and 1 of A with 0 of B,
 * then 2 and 3 with 1. */
#ifndef NN_GPU_MMA_H
#define NN_GPU_MMA_H

#define MMA_LANES   32
#define MMA_ROWS    16
#define MMA_COLUMNS 8
#define MMA_DEPTH   16
/* Of a convolution's sum, taken into local memory at a time; and numbers from one row there to the
 * next: the 8 that are not used spread the rows over the banks, so that the 32 lanes' reads of a
 * register meet 32 different ones. */
#define MMA_CHUNK 32
#define MMA_PITCH 40

/* The first of register r's two numbers, r 0..3. */
static inline int mma_a_row(int lane, int r)
{
    return lane / 4 + r % 2 * 8;
}

static inline int mma_a_depth(int lane, int r)
{
    return lane % 4 * 2 + r / 2 * 8;
}

/* The same of B, r 0..1. */
static inline int mma_b_column(int lane)
{
    return lane / 4;
}

static inline int mma_b_depth(int lane, int r)
{
    return lane % 4 * 2 + r * 8;
}

/* Float r of C, r 0..3: 0 and 1 are neighbours in a row, and so are 2 and 3. */
static inline int mma_c_row(int lane, int r)
{
    return lane / 4 + r / 2 * 8;
}

static inline int mma_c_column(int lane, int r)
{
    return lane % 4 * 2 + r % 2;
}

/* A number's place in local memory: a pixel's or channel's row, and depth in it. */
static inline int mma_at(int row, int depth)
{
    return row * MMA_PITCH + depth;
}

#endif
