// Layer normalisation, one block per row, streamed: one pass keeps count, mean and sum of squared deviations (Welford;
// batches and threads are merged pairwise, Chan), one pass writes.
//
// The row is read twice and waits nowhere, so any length fits. UNROLL packs of VEC elements are in flight per thread;
// rows that do not start on a pack boundary are peeled to it, so odd lengths are vectorised too.
constexpr int WARPS = THREADS / 32;
constexpr float EPS = (float)(DIM_EPS_PICO * 1e-12);

struct alignas(4 * VEC) Pack {
    float at[VEC];
};

struct Moments {
    float count;
    float mean;
    float squares;
};

// The block's row: `head` single elements, `packs` aligned packs, then single elements up to `count`.
struct Row {
    long long start;
    int count;
    int head;
    int packs;
};

__device__ __forceinline__ Row my_row()
{
    Row row;
    row.start = (long long)blockIdx.x * DIM_COLS;
    row.count = DIM_COLS;
    const int gap = (int)((VEC - row.start % VEC) % VEC);
    row.head = gap < row.count ? gap : row.count;
    row.packs = (row.count - row.head) / VEC;
    return row;
}

__device__ __forceinline__ Moments merged(Moments a, Moments b)
{
    const float count = a.count + b.count;
    const float share = count > 0.0f ? b.count / count : 0.0f;
    const float apart = b.mean - a.mean;
    return {count, a.mean + apart * share, a.squares + b.squares + apart * apart * a.count * share};
}

template <int N>
__device__ __forceinline__ void take(Moments &seen, const float (&values)[N])
{
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < N; ++i) {
        sum += values[i];
    }
    const float mean = sum * (1.0f / N);
    float squares = 0.0f;
#pragma unroll
    for (int i = 0; i < N; ++i) {
        squares += (values[i] - mean) * (values[i] - mean);
    }
    seen = merged(seen, {(float)N, mean, squares});
}

__device__ __forceinline__ Moments warp_merged(Moments seen)
{
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {
        const Moments other = {
            __shfl_xor_sync(0xffffffffu, seen.count, step),
            __shfl_xor_sync(0xffffffffu, seen.mean, step),
            __shfl_xor_sync(0xffffffffu, seen.squares, step)};
        seen = merged(seen, other);
    }
    return seen;
}

__device__ __forceinline__ Moments block_merged(Moments seen)
{
    __shared__ Moments scratch[32];
    seen = warp_merged(seen);
    if (WARPS == 1) {
        return seen;
    }
    if (threadIdx.x % 32 == 0) {
        scratch[threadIdx.x / 32] = seen;
    }
    __syncthreads();
    seen = {0.0f, 0.0f, 0.0f};
    if (threadIdx.x % 32 < WARPS) {
        seen = scratch[threadIdx.x % 32];
    }
    return warp_merged(seen);
}

__device__ __forceinline__ Moments gathered(const float *__restrict__ x, Row row)
{
    const float *from = x + row.start;
    const Pack *in = reinterpret_cast<const Pack *>(from + row.head);
    const int body = row.head + row.packs * VEC;
    const int t = threadIdx.x;
    Moments seen = {0.0f, 0.0f, 0.0f};
    if (t < row.head) {
        take(seen, {from[t]});
    }
    int i = t;
    for (; i + (UNROLL - 1) * THREADS < row.packs; i += UNROLL * THREADS) {
        float values[UNROLL * VEC];
#pragma unroll
        for (int u = 0; u < UNROLL; ++u) {
            const Pack pack = in[i + u * THREADS];
#pragma unroll
            for (int k = 0; k < VEC; ++k) {
                values[u * VEC + k] = pack.at[k];
            }
        }
        take(seen, values);
    }
    for (; i < row.packs; i += THREADS) {
        const Pack pack = in[i];
        take(seen, pack.at);
    }
    if (body + t < row.count) {
        take(seen, {from[body + t]});
    }
    return seen;
}

__device__ __forceinline__ Pack weights(const float *__restrict__ from)
{
    if (DIM_COLS % VEC == 0) {
        return *reinterpret_cast<const Pack *>(from);
    }
    Pack pack;
#pragma unroll
    for (int k = 0; k < VEC; ++k) {
        pack.at[k] = from[k];
    }
    return pack;
}

__device__ __forceinline__ void write(
    const float *__restrict__ x, const float *__restrict__ gamma, const float *__restrict__ beta, float *__restrict__ y,
    Row row, Moments all)
{
    const float scale = rsqrtf(all.squares / DIM_COLS + EPS);
    const float *from = x + row.start;
    float *to = y + row.start;
    const Pack *in = reinterpret_cast<const Pack *>(from + row.head);
    Pack *out = reinterpret_cast<Pack *>(to + row.head);
    const int body = row.head + row.packs * VEC;
    const int t = threadIdx.x;
    if (t < row.head) {
        to[t] = (from[t] - all.mean) * scale * gamma[t] + beta[t];
    }
#pragma unroll UNROLL
    for (int i = t; i < row.packs; i += THREADS) {
        Pack pack = in[i];
        const Pack weight = weights(gamma + row.head + i * VEC);
        const Pack bias = weights(beta + row.head + i * VEC);
#pragma unroll
        for (int k = 0; k < VEC; ++k) {
            pack.at[k] = (pack.at[k] - all.mean) * scale * weight.at[k] + bias.at[k];
        }
        out[i] = pack;
    }
    if (body + t < row.count) {
        to[body + t] = (from[body + t] - all.mean) * scale * gamma[body + t] + beta[body + t];
    }
}

extern "C" __global__ void __launch_bounds__(THREADS) layer_norm(
    const float *__restrict__ x, const float *__restrict__ gamma, const float *__restrict__ beta, float *__restrict__ y)
{
    const Row row = my_row();
    write(x, gamma, beta, y, row, block_merged(gathered(x, row)));
}
