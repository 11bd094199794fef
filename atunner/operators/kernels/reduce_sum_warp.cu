// Sum of each row, LANES threads of one warp per row, ROWS rows per block; shuffles only, no barrier.
//
// UNROLL packs of VEC elements are in flight per thread, each with its own running sum; VEC is 1 where rows are not
// aligned for it.
constexpr int W = DIM_COLS % VEC == 0 ? VEC : 1;
constexpr int PACKS = DIM_COLS / W;

struct alignas(4 * W) Pack {
    float at[W];
};

extern "C" __global__ void __launch_bounds__(LANES * ROWS)
reduce_sum(const float *__restrict__ x, float *__restrict__ y)
{
    // Lanes beyond the last row repeat it without storing, so that whole warps take part in every shuffle.
    const long long wanted = (long long)blockIdx.x * ROWS + threadIdx.y;
    const long long row = wanted < DIM_ROWS ? wanted : DIM_ROWS - 1;
    const Pack *in = reinterpret_cast<const Pack *>(x + row * DIM_COLS);
    float sums[UNROLL] = {};
    int i = threadIdx.x;
    for (; i + (UNROLL - 1) * LANES < PACKS; i += UNROLL * LANES) {
#pragma unroll
        for (int u = 0; u < UNROLL; ++u) {
            const Pack pack = in[i + u * LANES];
#pragma unroll
            for (int k = 0; k < W; ++k) {
                sums[u] += pack.at[k];
            }
        }
    }
    for (; i < PACKS; i += LANES) {
        const Pack pack = in[i];
#pragma unroll
        for (int k = 0; k < W; ++k) {
            sums[0] += pack.at[k];
        }
    }
    float sum = 0.0f;
#pragma unroll
    for (int u = 0; u < UNROLL; ++u) {
        sum += sums[u];
    }
#pragma unroll
    for (int step = LANES / 2; step > 0; step /= 2) {
        sum += __shfl_xor_sync(0xffffffffu, sum, step);
    }
    if (threadIdx.x == 0 && wanted < DIM_ROWS) {
        y[row] = sum;
    }
}
