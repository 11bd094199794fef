// Softmax, one block of THREADS threads per row, maximum first and sum second, two block reductions.
//
// STAGE says where the row waits between the passes: 0 in global memory (read three times), 1 in registers, 2 in
// dynamic shared memory. VEC elements travel per access where rows are aligned for it, else one.
constexpr int W = DIM_COLS % VEC == 0 ? VEC : 1;
constexpr int STRIDE = THREADS * W;
constexpr int ITEMS = (DIM_COLS + STRIDE - 1) / STRIDE;
constexpr int WARPS = THREADS / 32;
constexpr int UNROLLED = STAGE == 1 ? ITEMS : 4;
constexpr float LOG2E = 1.4426950408889634f;
constexpr float LOWEST = -3.402823466e+38f;

struct alignas(4 * W) Pack {
    float at[W];
};

__device__ __forceinline__ float block_max(float value, float *scratch)
{
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {
        value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, step));
    }
    if (WARPS == 1) {
        return value;
    }
    if (threadIdx.x % 32 == 0) {
        scratch[threadIdx.x / 32] = value;
    }
    __syncthreads();
    value = threadIdx.x % 32 < WARPS ? scratch[threadIdx.x % 32] : LOWEST;
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {
        value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, step));
    }
    return value;
}

__device__ __forceinline__ float block_sum(float value, float *scratch)
{
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

extern "C" __global__ void __launch_bounds__(THREADS)
softmax(const float *__restrict__ x, float *__restrict__ y)
{
    __shared__ float maxima[32];
    __shared__ float sums[32];
    const float *from = x + (long long)blockIdx.x * DIM_COLS;
    float *to = y + (long long)blockIdx.x * DIM_COLS;
    const int first = threadIdx.x * W;
#if STAGE == 1
    Pack held[ITEMS];
#elif STAGE == 2
    extern __shared__ float4 staged[];
    float *waiting = reinterpret_cast<float *>(staged);
#endif
    float largest = LOWEST;
#pragma unroll UNROLLED
    for (int i = 0; i < ITEMS; ++i) {
        const int col = i * STRIDE + first;
        if (col < DIM_COLS) {
            const Pack pack = *reinterpret_cast<const Pack *>(from + col);
#if STAGE == 1
            held[i] = pack;
#elif STAGE == 2
            *reinterpret_cast<Pack *>(waiting + col) = pack;
#endif
#pragma unroll
            for (int k = 0; k < W; ++k) {
                largest = fmaxf(largest, pack.at[k]);
            }
        }
    }
    largest = block_max(largest, maxima);
    float sum = 0.0f;
#pragma unroll UNROLLED
    for (int i = 0; i < ITEMS; ++i) {
        const int col = i * STRIDE + first;
        if (col < DIM_COLS) {
#if STAGE == 1
            Pack pack = held[i];
#elif STAGE == 2
            Pack pack = *reinterpret_cast<const Pack *>(waiting + col);
#else
            Pack pack = *reinterpret_cast<const Pack *>(from + col);
#endif
#pragma unroll
            for (int k = 0; k < W; ++k) {
                pack.at[k] = exp2f((pack.at[k] - largest) * LOG2E);
                sum += pack.at[k];
            }
#if STAGE == 1
            held[i] = pack;
#elif STAGE == 2
            *reinterpret_cast<Pack *>(waiting + col) = pack;
#endif
        }
    }
    const float scale = 1.0f / block_sum(sum, sums);
#pragma unroll UNROLLED
    for (int i = 0; i < ITEMS; ++i) {
        const int col = i * STRIDE + first;
        if (col < DIM_COLS) {
#if STAGE == 1
            Pack pack = held[i];
#elif STAGE == 2
            Pack pack = *reinterpret_cast<const Pack *>(waiting + col);
#else
            Pack pack = *reinterpret_cast<const Pack *>(from + col);
#pragma unroll
            for (int k = 0; k < W; ++k) {
                pack.at[k] = exp2f((pack.at[k] - largest) * LOG2E);
            }
#endif
#pragma unroll
            for (int k = 0; k < W; ++k) {
                pack.at[k] *= scale;
            }
            *reinterpret_cast<Pack *>(to + col) = pack;
        }
    }
}
