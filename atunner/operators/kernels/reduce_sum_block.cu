// Sum of each row, one block of THREADS threads per row: shuffles within warps, shared memory between them.
//
// UNROLL packs of VEC elements are in flight per thread, each with its own running sum; rows that do not start on a
// pack boundary are peeled to it, so odd lengths are vectorised too.
constexpr int WARPS = THREADS / 32;

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

extern "C" __global__ void __launch_bounds__(THREADS)
reduce_sum(const float *__restrict__ x, float *__restrict__ y)
{
    const float sum = gathered(x, (long long)blockIdx.x * DIM_COLS, DIM_COLS);
    if (threadIdx.x == 0) {
        y[blockIdx.x] = sum;
    }
}
