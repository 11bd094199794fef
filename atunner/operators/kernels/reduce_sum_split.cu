// Sums of few long rows: SPLITS blocks per row. The first launch leaves each part's sum in `partial`, the second adds
// them up in one fixed order, a warp per row; equal inputs give equal bits.
//
// UNROLL packs of VEC elements are in flight per thread; parts are peeled to a pack boundary.
constexpr int WARPS = THREADS / 32;
constexpr int PART = ((DIM_COLS + SPLITS - 1) / SPLITS + 31) / 32 * 32;

struct alignas(4 * VEC) Pack {
    float at[VEC];
};

__device__ __forceinline__ float block_sum(float value)
{
    __shared__ float scratch[32];
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, step);
    }
    if (WARPS == 1) {
        return value;
    }
    if (threadIdx.x % 32 == 0) {
        scratch[threadIdx.x / 32] = value;
    }
    __syncthreads();
    value = threadIdx.x % 32 < WARPS ? scratch[threadIdx.x % 32] : 0.0f;
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, step);
    }
    return value;
}

// The sum of `count` elements over the block: singles up to a pack boundary, packs, then singles.
__device__ __forceinline__ float gathered(const float *__restrict__ x, long long start, int count)
{
    const float *from = x + start;
    const int gap = (int)((VEC - start % VEC) % VEC);
    const int head = gap < count ? gap : count;
    const int packs = (count - head) / VEC;
    const int body = head + packs * VEC;
    const Pack *in = reinterpret_cast<const Pack *>(from + head);
    const int t = threadIdx.x;
    float sums[UNROLL] = {};
    int i = t;
    for (; i + (UNROLL - 1) * THREADS < packs; i += UNROLL * THREADS) {
#pragma unroll
        for (int u = 0; u < UNROLL; ++u) {
            const Pack pack = in[i + u * THREADS];
#pragma unroll
            for (int k = 0; k < VEC; ++k) {
                sums[u] += pack.at[k];
            }
        }
    }
    for (; i < packs; i += THREADS) {
        const Pack pack = in[i];
#pragma unroll
        for (int k = 0; k < VEC; ++k) {
            sums[0] += pack.at[k];
        }
    }
    float sum = t < head ? from[t] : 0.0f;
    if (body + t < count) {
        sum += from[body + t];
    }
#pragma unroll
    for (int u = 0; u < UNROLL; ++u) {
        sum += sums[u];
    }
    return block_sum(sum);
}

// The sum of this block's part of its row.
__device__ __forceinline__ float part_sum(const float *__restrict__ x)
{
    const long long row = blockIdx.x / SPLITS;
    const int begin = (int)(blockIdx.x % SPLITS) * PART;
    const int left = begin < DIM_COLS ? DIM_COLS - begin : 0;
    return gathered(x, row * DIM_COLS + begin, left < PART ? left : PART);
}

extern "C" __global__ void __launch_bounds__(THREADS)
reduce_sum_partial(const float *__restrict__ x, float *__restrict__ partial)
{
    const float sum = part_sum(x);
    if (threadIdx.x == 0) {
        partial[blockIdx.x] = sum;
    }
}

extern "C" __global__ void __launch_bounds__(32)
reduce_sum_finish(const float *__restrict__ partial, float *__restrict__ y)
{
    float sum = 0.0f;
    for (int i = threadIdx.x; i < SPLITS; i += 32) {
        sum += partial[(long long)blockIdx.x * SPLITS + i];
    }
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {
        sum += __shfl_xor_sync(0xffffffffu, sum, step);
    }
    if (threadIdx.x == 0) {
        y[blockIdx.x] = sum;
    }
}
