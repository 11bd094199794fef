// Tiles of both matrices in shared memory; a thread owns ROWS elements of one column of the product, so each staged
// value of b is used ROWS times and each value of a is one broadcast for the warp.

// Compilers read a constant in a pragma, not all of them a macro.
constexpr int kUnroll = UNROLL;
constexpr int kThreads = BLOCK_X * BLOCK_Y;
constexpr int kTileM = BLOCK_Y * ROWS;
constexpr int kLoads = (kTileM * TILE_K + kThreads - 1) / kThreads;
constexpr int kLines = (TILE_K + BLOCK_Y - 1) / BLOCK_Y;

extern "C" __global__ void __launch_bounds__(kThreads)
    matmul(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c) {
    __shared__ float left[kTileM][TILE_K + PAD];
    __shared__ float right[TILE_K][BLOCK_X];

    constexpr int kTilesN = (DIM_N + BLOCK_X - 1) / BLOCK_X;
    const int column0 = blockIdx.x % kTilesN * BLOCK_X;
    const int row0 = blockIdx.x / kTilesN * kTileM;
    const int tx = threadIdx.x % BLOCK_X;
    const int ty = threadIdx.x / BLOCK_X;
    const int column = column0 + tx;

    float sum[ROWS];
#pragma unroll
    for (int i = 0; i < ROWS; ++i) sum[i] = 0.0f;

    for (int k0 = 0; k0 < DIM_K; k0 += TILE_K) {
#pragma unroll
        for (int load = 0; load < kLoads; ++load) {
            const int e = threadIdx.x + load * kThreads;
            if (kTileM * TILE_K % kThreads != 0 && e >= kTileM * TILE_K) break;
            const int row = row0 + e / TILE_K;
            const int k = k0 + e % TILE_K;
            left[e / TILE_K][e % TILE_K] = row < DIM_M && k < DIM_K ? a[row * DIM_K + k] : 0.0f;
        }
#pragma unroll
        for (int load = 0; load < kLines; ++load) {
            const int i = ty + load * BLOCK_Y;
            if (TILE_K % BLOCK_Y != 0 && i >= TILE_K) break;
            right[i][tx] = k0 + i < DIM_K && column < DIM_N ? b[(k0 + i) * DIM_N + column] : 0.0f;
        }
        __syncthreads();
#pragma unroll kUnroll
        for (int k = 0; k < TILE_K; ++k) {
            const float value = right[k][tx];
#pragma unroll
            for (int i = 0; i < ROWS; ++i) sum[i] += left[ty + i * BLOCK_Y][k] * value;
        }
        __syncthreads();
    }

    if (column >= DIM_N) return;
#pragma unroll
    for (int i = 0; i < ROWS; ++i) {
        const int row = row0 + ty + i * BLOCK_Y;
        if (row < DIM_M) c[row * DIM_N + column] = sum[i];
    }
}
