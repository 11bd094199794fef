// Layer normalisation for few long rows: SPLITS blocks per row. The first launch leaves each part's count, mean and sum
// of squared deviations in `partial`, the second merges them in one fixed order and writes; equal inputs give equal bits.
//
// UNROLL packs of VEC elements are in flight per thread; parts are peeled to a pack boundary.
constexpr int WARPS = THREADS / 32;
constexpr int PART = ((DIM_COLS + SPLITS - 1) / SPLITS + 31) / 32 * 32;
constexpr float EPS = (float)(DIM_EPS_PICO * 1e-12);

struct alignas(4 * VEC) Pack {
    float at[VEC];
};

struct Moments {
    float count;
    float mean;
    float squares;
};

// One block's share of a row: `head` single elements, `packs` aligned packs, then single elements up to `count`.
struct Part {
    long long start;
    int begin;
    int count;
    int head;
    int packs;
};

__device__ __forceinline__ Part my_part()
{
    const long long row = blockIdx.x / SPLITS;
    Part part;
    part.begin = (int)(blockIdx.x % SPLITS) * PART;
    part.start = row * DIM_COLS + part.begin;
    part.count = part.begin >= DIM_COLS ? 0 : (DIM_COLS - part.begin < PART ? DIM_COLS - part.begin : PART);
    const int gap = (int)((VEC - part.start % VEC) % VEC);
    part.head = gap < part.count ? gap : part.count;
    part.packs = (part.count - part.head) / VEC;
    return part;
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

__device__ __forceinline__ Moments gathered(const float *__restrict__ x, Part part)
{
    const float *from = x + part.start;
    const Pack *in = reinterpret_cast<const Pack *>(from + part.head);
    const int body = part.head + part.packs * VEC;
    const int t = threadIdx.x;
    Moments seen = {0.0f, 0.0f, 0.0f};
    if (t < part.head) {
        take(seen, {from[t]});
    }
    int i = t;
    for (; i + (UNROLL - 1) * THREADS < part.packs; i += UNROLL * THREADS) {
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
    for (; i < part.packs; i += THREADS) {
        const Pack pack = in[i];
        take(seen, pack.at);
    }
    if (body + t < part.count) {
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
    Part part, Moments all)
{
    const float scale = rsqrtf(all.squares / DIM_COLS + EPS);
    const float *from = x + part.start;
    float *to = y + part.start;
    const Pack *in = reinterpret_cast<const Pack *>(from + part.head);
    Pack *out = reinterpret_cast<Pack *>(to + part.head);
    const int body = part.head + part.packs * VEC;
    const int t = threadIdx.x;
    gamma += part.begin;
    beta += part.begin;
    if (t < part.head) {
        to[t] = (from[t] - all.mean) * scale * gamma[t] + beta[t];
    }
#pragma unroll UNROLL
    for (int i = t; i < part.packs; i += THREADS) {
        Pack pack = in[i];
        const Pack weight = weights(gamma + part.head + i * VEC);
        const Pack bias = weights(beta + part.head + i * VEC);
#pragma unroll
        for (int k = 0; k < VEC; ++k) {
            pack.at[k] = (pack.at[k] - all.mean) * scale * weight.at[k] + bias.at[k];
        }
        out[i] = pack;
    }
    if (body + t < part.count) {
        to[body + t] = (from[body + t] - all.mean) * scale * gamma[body + t] + beta[body + t];
    }
}

extern "C" __global__ void __launch_bounds__(THREADS)
layer_norm_partial(const float *__restrict__ x, float *__restrict__ partial)
{
    const Moments seen = block_merged(gathered(x, my_part()));
    if (threadIdx.x == 0) {
        float *mine = partial + 3 * (long long)blockIdx.x;
        mine[0] = seen.count;
        mine[1] = seen.mean;
        mine[2] = seen.squares;
    }
}

extern "C" __global__ void __launch_bounds__(THREADS) layer_norm_write(
    const float *__restrict__ x, const float *__restrict__ gamma, const float *__restrict__ beta,
    const float *__restrict__ partial, float *__restrict__ y)
{
    const float *parts = partial + 3 * (long long)(blockIdx.x / SPLITS) * SPLITS;
    Moments seen = {0.0f, 0.0f, 0.0f};
    for (int i = threadIdx.x; i < SPLITS; i += THREADS) {
        seen = merged(seen, {parts[3 * i], parts[3 * i + 1], parts[3 * i + 2]});
    }
    write(x, gamma, beta, y, my_part(), block_merged(seen));
}
