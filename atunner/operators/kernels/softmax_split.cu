// Softmax for few long rows: SPLITS blocks per row. The first launch leaves each part's maximum and sum in `partial`,
// the second merges them in one fixed order and writes; equal inputs give equal bits.
//
// UNROLL packs of VEC elements are in flight per thread; parts are peeled to a pack boundary.
constexpr int WARPS = THREADS / 32;
constexpr int PART = ((DIM_COLS + SPLITS - 1) / SPLITS + 31) / 32 * 32;
constexpr float LOG2E = 1.4426950408889634f;
constexpr float LOWEST = -3.402823466e+38f;

struct alignas(4 * VEC) Pack {
    float at[VEC];
};

struct Running {
    float largest;
    float sum;
};

// One block's share of a row: `head` single elements, `packs` aligned packs, then single elements up to `count`.
struct Part {
    long long start;
    int count;
    int head;
    int packs;
};

__device__ __forceinline__ Part my_part()
{
    const long long row = blockIdx.x / SPLITS;
    const int begin = (int)(blockIdx.x % SPLITS) * PART;
    Part part;
    part.start = row * DIM_COLS + begin;
    part.count = begin >= DIM_COLS ? 0 : (DIM_COLS - begin < PART ? DIM_COLS - begin : PART);
    const int gap = (int)((VEC - part.start % VEC) % VEC);
    part.head = gap < part.count ? gap : part.count;
    part.packs = (part.count - part.head) / VEC;
    return part;
}

__device__ __forceinline__ Running merged(Running a, Running b)
{
    const float largest = fmaxf(a.largest, b.largest);
    return {largest, a.sum * exp2f((a.largest - largest) * LOG2E) + b.sum * exp2f((b.largest - largest) * LOG2E)};
}

template <int N>
__device__ __forceinline__ void take(Running &seen, const float (&values)[N])
{
    float largest = seen.largest;
#pragma unroll
    for (int i = 0; i < N; ++i) {
        largest = fmaxf(largest, values[i]);
    }
    float sum = seen.sum * exp2f((seen.largest - largest) * LOG2E);
#pragma unroll
    for (int i = 0; i < N; ++i) {
        sum += exp2f((values[i] - largest) * LOG2E);
    }
    seen = {largest, sum};
}

__device__ __forceinline__ Running warp_merged(Running seen)
{
#pragma unroll
    for (int step = 16; step > 0; step /= 2) {
        const Running other = {
            __shfl_xor_sync(0xffffffffu, seen.largest, step), __shfl_xor_sync(0xffffffffu, seen.sum, step)};
        seen = merged(seen, other);
    }
    return seen;
}

__device__ __forceinline__ Running block_merged(Running seen)
{
    __shared__ Running scratch[32];
    seen = warp_merged(seen);
    if (WARPS == 1) {
        return seen;
    }
    if (threadIdx.x % 32 == 0) {
        scratch[threadIdx.x / 32] = seen;
    }
    __syncthreads();
    seen = {LOWEST, 0.0f};
    if (threadIdx.x % 32 < WARPS) {
        seen = scratch[threadIdx.x % 32];
    }
    return warp_merged(seen);
}

extern "C" __global__ void __launch_bounds__(THREADS)
softmax_partial(const float *__restrict__ x, float *__restrict__ partial)
{
    const Part part = my_part();
    const float *from = x + part.start;
    const Pack *in = reinterpret_cast<const Pack *>(from + part.head);
    const int body = part.head + part.packs * VEC;
    const int t = threadIdx.x;
    Running seen = {LOWEST, 0.0f};
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
    seen = block_merged(seen);
    if (t == 0) {
        partial[2 * (long long)blockIdx.x] = seen.largest;
        partial[2 * (long long)blockIdx.x + 1] = seen.sum;
    }
}

extern "C" __global__ void __launch_bounds__(THREADS)
softmax_write(const float *__restrict__ x, const float *__restrict__ partial, float *__restrict__ y)
{
    const Part part = my_part();
    const long long row = blockIdx.x / SPLITS;
    const int t = threadIdx.x;
    Running seen = {LOWEST, 0.0f};
    for (int i = t; i < SPLITS; i += THREADS) {
        seen = merged(seen, {partial[2 * (row * SPLITS + i)], partial[2 * (row * SPLITS + i) + 1]});
    }
    seen = block_merged(seen);
    const float largest = seen.largest;
    const float scale = 1.0f / seen.sum;

    const float *from = x + part.start;
    float *to = y + part.start;
    const Pack *in = reinterpret_cast<const Pack *>(from + part.head);
    Pack *out = reinterpret_cast<Pack *>(to + part.head);
    const int body = part.head + part.packs * VEC;
    if (t < part.head) {
        to[t] = exp2f((from[t] - largest) * LOG2E) * scale;
    }
#pragma unroll UNROLL
    for (int i = t; i < part.packs; i += THREADS) {
        Pack pack = in[i];
#pragma unroll
        for (int k = 0; k < VEC; ++k) {
            pack.at[k] = exp2f((pack.at[k] - largest) * LOG2E) * scale;
        }
        out[i] = pack;
    }
    if (body + t < part.count) {
        to[body + t] = exp2f((from[body + t] - largest) * LOG2E) * scale;
    }
}
