/* half.cl: what follows is compiled for elements of 16 bits. */
#define GPU_HALF
