// Softmax, one block per row, online: one pass keeps a running maximum and the sum relative to it, one pass writes.
//
// The row is read twice and waits nowhere, so any length fits. UNROLL packs of VEC elements are in flight per thread;
// rows that do not start on a pack boundary are peeled to it, so odd lengths are vectorised too.
constexpr int WARPS = THREADS / 32;
constexpr float LOG2E = 1.4426950408889634f;
constexpr float LOWEST = -3.402823466e+38f;

struct alignas(4 * VEC) Pack {
    float at[VEC];
};

struct Running {
    float largest;
    float sum;
};

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
softmax(const float *__restrict__ x, float *__restrict__ y)
{
    const long long start = (long long)blockIdx.x * DIM_COLS;
    const float *from = x + start;
    float *to = y + start;
    const int gap = (int)((VEC - start % VEC) % VEC);
    const int head = gap < DIM_COLS ? gap : DIM_COLS;
    const int packs = (DIM_COLS - head) / VEC;
    const int body = head + packs * VEC;
    const int t = threadIdx.x;
    const Pack *in = reinterpret_cast<const Pack *>(from + head);
    Pack *out = reinterpret_cast<Pack *>(to + head);

    Running seen = {LOWEST, 0.0f};
    if (t < head) {
        take(seen, {from[t]});
    }
    int i = t;
    for (; i + (UNROLL - 1) * THREADS < packs; i += UNROLL * THREADS) {
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
    for (; i < packs; i += THREADS) {
        const Pack pack = in[i];
        take(seen, pack.at);
    }
    if (body + t < DIM_COLS) {
        take(seen, {from[body + t]});
    }
    seen = block_merged(seen);
    const float largest = seen.largest;
    const float scale = 1.0f / seen.sum;

    if (t < head) {
        to[t] = exp2f((from[t] - largest) * LOG2E) * scale;
    }
#pragma unroll UNROLL
    for (i = t; i < packs; i += THREADS) {
        Pack pack = in[i];
#pragma unroll
        for (int k = 0; k < VEC; ++k) {
            pack.at[k] = exp2f((pack.at[k] - largest) * LOG2E) * scale;
        }
        out[i] = pack;
    }
    if (body + t < DIM_COLS) {
        to[body + t] = exp2f((from[body + t] - largest) * LOG2E) * scale;
    }
}
