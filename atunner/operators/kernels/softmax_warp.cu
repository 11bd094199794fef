// Softmax, LANES threads of one warp per row, ROWS rows per block; shuffles only, no barrier.
//
// STAGE 1 keeps the row in registers and reads it once; STAGE 0 reads it twice, the first time with a running
// maximum. VEC elements travel per access where rows are aligned for it, else one.
constexpr int W = DIM_COLS % VEC == 0 ? VEC : 1;
constexpr int STRIDE = LANES * W;
constexpr int ITEMS = (DIM_COLS + STRIDE - 1) / STRIDE;
constexpr float LOG2E = 1.4426950408889634f;
constexpr float LOWEST = -3.402823466e+38f;

struct alignas(4 * W) Pack {
    float at[W];
};

__device__ __forceinline__ float group_max(float value)
{
#pragma unroll
    for (int step = LANES / 2; step > 0; step /= 2) {
        value = fmaxf(value, __shfl_xor_sync(0xffffffffu, value, step));
    }
    return value;
}

__device__ __forceinline__ float group_sum(float value)
{
#pragma unroll
    for (int step = LANES / 2; step > 0; step /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, step);
    }
    return value;
}

extern "C" __global__ void __launch_bounds__(LANES * ROWS)
softmax(const float *__restrict__ x, float *__restrict__ y)
{
    // Lanes beyond the last row repeat it without storing, so that whole warps take part in every shuffle.
    const long long wanted = (long long)blockIdx.x * ROWS + threadIdx.y;
    const long long row = wanted < DIM_ROWS ? wanted : DIM_ROWS - 1;
    const bool mine = wanted < DIM_ROWS;
    const float *from = x + row * DIM_COLS;
    float *to = y + row * DIM_COLS;
    const int first = threadIdx.x * W;
    float largest = LOWEST;
    float sum = 0.0f;
#if STAGE == 1
    Pack held[ITEMS];
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int col = i * STRIDE + first;
        if (col < DIM_COLS) {
            held[i] = *reinterpret_cast<const Pack *>(from + col);
#pragma unroll
            for (int k = 0; k < W; ++k) {
                largest = fmaxf(largest, held[i].at[k]);
            }
        }
    }
    largest = group_max(largest);
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        if (i * STRIDE + first < DIM_COLS) {
#pragma unroll
            for (int k = 0; k < W; ++k) {
                held[i].at[k] = exp2f((held[i].at[k] - largest) * LOG2E);
                sum += held[i].at[k];
            }
        }
    }
    const float scale = 1.0f / group_sum(sum);
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int col = i * STRIDE + first;
        if (mine && col < DIM_COLS) {
#pragma unroll
            for (int k = 0; k < W; ++k) {
                held[i].at[k] *= scale;
            }
            *reinterpret_cast<Pack *>(to + col) = held[i];
        }
    }
#else
#pragma unroll 4
    for (int col = first; col < DIM_COLS; col += STRIDE) {
        const Pack pack = *reinterpret_cast<const Pack *>(from + col);
        float higher = largest;
#pragma unroll
        for (int k = 0; k < W; ++k) {
            higher = fmaxf(higher, pack.at[k]);
        }
        sum *= exp2f((largest - higher) * LOG2E);
        largest = higher;
#pragma unroll
        for (int k = 0; k < W; ++k) {
            sum += exp2f((pack.at[k] - largest) * LOG2E);
        }
    }
    const float highest = group_max(largest);
    const float scale = 1.0f / group_sum(sum * exp2f((largest - highest) * LOG2E));
    if (!mine) {
        return;
    }
#pragma unroll 4
    for (int col = first; col < DIM_COLS; col += STRIDE) {
        Pack pack = *reinterpret_cast<const Pack *>(from + col);
#pragma unroll
        for (int k = 0; k < W; ++k) {
            pack.at[k] = exp2f((pack.at[k] - highest) * LOG2E) * scale;
        }
        *reinterpret_cast<Pack *>(to + col) = pack;
    }
#endif
}
