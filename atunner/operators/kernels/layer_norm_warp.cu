// Layer normalisation, LANES threads of one warp per row, ROWS rows per block; shuffles only, no barrier.
//
// STAGE 1 keeps the row in registers and reads it once, with the variance taken about the finished mean; STAGE 0
// reads it twice, the first time with a running mean and sum of squares (Welford), merged pairwise (Chan).
// VEC elements travel per access where rows are aligned for it, else one.
constexpr int W = DIM_COLS % VEC == 0 ? VEC : 1;
constexpr int STRIDE = LANES * W;
constexpr int ITEMS = (DIM_COLS + STRIDE - 1) / STRIDE;
constexpr float EPS = (float)(DIM_EPS_PICO * 1e-12);

struct alignas(4 * W) Pack {
    float at[W];
};

struct Moments {
    float count;
    float mean;
    float squares;
};

__device__ __forceinline__ Moments merged(Moments a, Moments b)
{
    const float count = a.count + b.count;
    const float share = count > 0.0f ? b.count / count : 0.0f;
    const float apart = b.mean - a.mean;
    return {count, a.mean + apart * share, a.squares + b.squares + apart * apart * a.count * share};
}

__device__ __forceinline__ Moments group_merged(Moments seen)
{
#pragma unroll
    for (int step = LANES / 2; step > 0; step /= 2) {
        const Moments other = {
            __shfl_xor_sync(0xffffffffu, seen.count, step),
            __shfl_xor_sync(0xffffffffu, seen.mean, step),
            __shfl_xor_sync(0xffffffffu, seen.squares, step)};
        seen = merged(seen, other);
    }
    return seen;
}

__device__ __forceinline__ float group_sum(float value)
{
#pragma unroll
    for (int step = LANES / 2; step > 0; step /= 2) {
        value += __shfl_xor_sync(0xffffffffu, value, step);
    }
    return value;
}

__device__ __forceinline__ void
store(float *to, Pack pack, const float *gamma, const float *beta, int col, float mean, float scale)
{
    const Pack weight = *reinterpret_cast<const Pack *>(gamma + col);
    const Pack bias = *reinterpret_cast<const Pack *>(beta + col);
#pragma unroll
    for (int k = 0; k < W; ++k) {
        pack.at[k] = (pack.at[k] - mean) * scale * weight.at[k] + bias.at[k];
    }
    *reinterpret_cast<Pack *>(to + col) = pack;
}

extern "C" __global__ void __launch_bounds__(LANES * ROWS) layer_norm(
    const float *__restrict__ x, const float *__restrict__ gamma, const float *__restrict__ beta, float *__restrict__ y)
{
    // Lanes beyond the last row repeat it without storing, so that whole warps take part in every shuffle.
    const long long wanted = (long long)blockIdx.x * ROWS + threadIdx.y;
    const long long row = wanted < DIM_ROWS ? wanted : DIM_ROWS - 1;
    const bool mine = wanted < DIM_ROWS;
    const float *from = x + row * DIM_COLS;
    float *to = y + row * DIM_COLS;
    const int first = threadIdx.x * W;
#if STAGE == 1
    Pack held[ITEMS];
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int col = i * STRIDE + first;
        if (col < DIM_COLS) {
            held[i] = *reinterpret_cast<const Pack *>(from + col);
#pragma unroll
            for (int k = 0; k < W; ++k) {
                sum += held[i].at[k];
            }
        }
    }
    const float mean = group_sum(sum) / DIM_COLS;
    float squares = 0.0f;
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        if (i * STRIDE + first < DIM_COLS) {
#pragma unroll
            for (int k = 0; k < W; ++k) {
                squares += (held[i].at[k] - mean) * (held[i].at[k] - mean);
            }
        }
    }
    const float scale = rsqrtf(group_sum(squares) / DIM_COLS + EPS);
#pragma unroll
    for (int i = 0; i < ITEMS; ++i) {
        const int col = i * STRIDE + first;
        if (mine && col < DIM_COLS) {
            store(to, held[i], gamma, beta, col, mean, scale);
        }
    }
#else
    Moments seen = {0.0f, 0.0f, 0.0f};
#pragma unroll 4
    for (int col = first; col < DIM_COLS; col += STRIDE) {
        const Pack pack = *reinterpret_cast<const Pack *>(from + col);
        Moments next = {(float)W, 0.0f, 0.0f};
#pragma unroll
        for (int k = 0; k < W; ++k) {
            next.mean += pack.at[k] / W;
        }
#pragma unroll
        for (int k = 0; k < W; ++k) {
            next.squares += (pack.at[k] - next.mean) * (pack.at[k] - next.mean);
        }
        seen = merged(seen, next);
    }
    seen = group_merged(seen);
    if (!mine) {
        return;
    }
    const float scale = rsqrtf(seen.squares / DIM_COLS + EPS);
#pragma unroll 4
    for (int col = first; col < DIM_COLS; col += STRIDE) {
        store(to, *reinterpret_cast<const Pack *>(from + col), gamma, beta, col, seen.mean, scale);
    }
#endif
}
