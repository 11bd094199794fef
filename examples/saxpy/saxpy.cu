// y += a * x, tile_size_x elements a thread, block_size_x apart.
extern "C" __global__ void saxpy(float *y, const float *x, float a, int n) {
    int first = blockIdx.x * block_size_x * tile_size_x + threadIdx.x;
#if use_unroll
#pragma unroll
#else
#pragma unroll 1
#endif
    for (int t = 0; t < tile_size_x; ++t) {
        int i = first + t * block_size_x;
        if (i < n) y[i] += a * x[i];
    }
}
