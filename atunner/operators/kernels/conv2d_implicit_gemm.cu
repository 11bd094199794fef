// Implicit GEMM: rows are output channels, columns are output pixels, depth is (input channel, tap). The matrix of
// patches exists only tile by tile in shared memory; the next tile is fetched into registers while this one is used.

constexpr int kChannels = DIM_C / DIM_GROUPS;
constexpr int kOutputs = DIM_K / DIM_GROUPS;
constexpr int kTaps = DIM_R * DIM_R;
constexpr int kDepth = kChannels * kTaps;
constexpr int kSteps = (kDepth + TILE_D - 1) / TILE_D;
constexpr int kImage = DIM_P * DIM_Q;
constexpr int kPixels = DIM_N * kImage;
constexpr int kThreadsX = TILE_P / THREAD_P;
constexpr int kThreadsY = TILE_K / THREAD_K;
// Compilers read a constant in a pragma, not all of them a macro.
constexpr int kUnroll = UNROLL;
constexpr int kThreads = kThreadsX * kThreadsY;
constexpr int kPitch = TILE_K + PAD;
constexpr int kWideK = THREAD_K < 4 ? THREAD_K : 4;
constexpr int kWideP = THREAD_P < 4 ? THREAD_P : 4;
constexpr int kStore = kImage % kWideP == 0 ? kWideP : 1;
constexpr int kLoadsA = (TILE_K * TILE_D + kThreads - 1) / kThreads;
constexpr int kLoadsB = (TILE_P * TILE_D + kThreads - 1) / kThreads;
// Columns that one thread gathers; tile and block sizes are powers of two.
constexpr int kSlots = TILE_P > kThreads ? TILE_P / kThreads : 1;

template <int W>
struct alignas(4 * W) Pack {
    float at[W];
};

// Where each step of the depth reads, relative to a column's first pixel, and the bit that says whether its tap is inside
// the image. Constant memory answers a whole warp at once, so an element of a patch costs no division.
struct Tap {
    int offset;
    unsigned bit;
};
constexpr bool kTabled = kTaps <= 32 && kSteps * TILE_D <= 7680;
struct Table {
    Tap at[kTabled ? kSteps * TILE_D : 1];
};

__host__ __device__ constexpr Table all_taps() {
    Table table = {};
    for (int depth = 0; kTabled && depth < kDepth; ++depth) {
        const int r = depth % kTaps / DIM_R * DIM_DILATION;
        const int s = depth % DIM_R * DIM_DILATION;
        table.at[depth].offset = (depth / kTaps * DIM_H + r) * DIM_W + s;
        table.at[depth].bit = 1u << depth % kTaps % 32;
    }
    return table;
}

__constant__ constexpr Table kTable = all_taps();

struct Column {
    const float* image;
    int top, left;
    unsigned taps;
};

__device__ __forceinline__ bool inside(int top, int left, int tap) {
    return (unsigned)(top + tap / DIM_R * DIM_DILATION) < DIM_H && (unsigned)(left + tap % DIM_R * DIM_DILATION) < DIM_W;
}

__device__ __forceinline__ Column column_of(const float* x, int pixel) {
    const int n = pixel / kImage;
    const int top = pixel / DIM_Q % DIM_P * DIM_STRIDE - DIM_PADDING;
    const int left = pixel % DIM_Q * DIM_STRIDE - DIM_PADDING;
    unsigned taps = pixel < kPixels;
    if (kTabled && pixel < kPixels) {
        taps = 0;
#pragma unroll
        for (int tap = 0; tap < kTaps; ++tap) taps |= (unsigned)inside(top, left, tap) << tap % 32;
    }
    return {x + n * (DIM_C * DIM_H * DIM_W) + top * DIM_W + left, top, left, taps};
}

__device__ __forceinline__ float patch(const Column& column, int depth) {
    if constexpr (kTabled) {
        const Tap tap = kTable.at[depth];
        return column.taps & tap.bit ? column.image[tap.offset] : 0.0f;
    } else {
        const int tap = depth % kTaps;
        const int offset = (depth / kTaps * DIM_H + tap / DIM_R * DIM_DILATION) * DIM_W + tap % DIM_R * DIM_DILATION;
        return column.taps && depth < kDepth && inside(column.top, column.left, tap) ? column.image[offset] : 0.0f;
    }
}

extern "C" __global__ void __launch_bounds__(kThreads)
    conv2d(const float* __restrict__ x, const float* __restrict__ weight, float* __restrict__ y) {
    __shared__ __align__(16) float rows[STAGES][TILE_D][kPitch];
    __shared__ __align__(16) float columns[STAGES][TILE_D][TILE_P];

    constexpr int kTilesK = (kOutputs + TILE_K - 1) / TILE_K;
    constexpr int kTilesP = (kPixels + TILE_P - 1) / TILE_P;
    const int k0 = blockIdx.x % kTilesK * TILE_K;
    const int pixel0 = blockIdx.x / kTilesK % kTilesP * TILE_P;
    const int group = blockIdx.x / (kTilesK * kTilesP);
    const int tid = threadIdx.x;
    const int tx = tid % kThreadsX;
    const int ty = tid / kThreadsX;
    const float* filters = weight + (group * kOutputs + k0) * kDepth;

    Column column[kSlots];
#pragma unroll
    for (int j = 0; j < kSlots; ++j)
        column[j] = column_of(x + group * kChannels * DIM_H * DIM_W, pixel0 + (tid + j * kThreads) % TILE_P);

    float next_row[kLoadsA];
    float next_column[kLoadsB];
    auto fetch = [&](int d0) {
#pragma unroll
        for (int i = 0; i < kLoadsA; ++i) {
            const int e = tid + i * kThreads;
            const int depth = d0 + e % TILE_D;
            const int k = e / TILE_D;
            const bool inside = k0 + k < kOutputs && depth < kDepth && k < TILE_K;
            next_row[i] = inside ? filters[k * kDepth + depth] : 0.0f;
        }
#pragma unroll
        for (int i = 0; i < kLoadsB; ++i) {
            const int e = tid + i * kThreads;
            next_column[i] = 0.0f;
            if (TILE_P * TILE_D % kThreads == 0 || e < TILE_P * TILE_D)
                next_column[i] = patch(column[i % kSlots], d0 + e / TILE_P);
        }
    };
    auto stage = [&](int buffer) {
#pragma unroll
        for (int i = 0; i < kLoadsA; ++i) {
            const int e = tid + i * kThreads;
            if (TILE_K * TILE_D % kThreads == 0 || e < TILE_K * TILE_D) rows[buffer][e % TILE_D][e / TILE_D] = next_row[i];
        }
#pragma unroll
        for (int i = 0; i < kLoadsB; ++i) {
            const int e = tid + i * kThreads;
            if (TILE_P * TILE_D % kThreads == 0 || e < TILE_P * TILE_D)
                columns[buffer][e / TILE_P][e % TILE_P] = next_column[i];
        }
    };

    float sum[THREAD_K][THREAD_P];
#pragma unroll
    for (int i = 0; i < THREAD_K; ++i)
#pragma unroll
        for (int j = 0; j < THREAD_P; ++j) sum[i][j] = 0.0f;

    fetch(0);
    for (int d0 = 0, buffer = 0; d0 < kDepth; d0 += TILE_D, buffer = (buffer + 1) % STAGES) {
        stage(buffer);
        __syncthreads();
        if (d0 + TILE_D < kDepth) fetch(d0 + TILE_D);
#pragma unroll kUnroll
        for (int d = 0; d < TILE_D; ++d) {
            Pack<kWideK> a[THREAD_K / kWideK];
            Pack<kWideP> b[THREAD_P / kWideP];
#pragma unroll
            for (int i = 0; i < THREAD_K / kWideK; ++i)
                a[i] = *reinterpret_cast<const Pack<kWideK>*>(&rows[buffer][d][(i * kThreadsY + ty) * kWideK]);
#pragma unroll
            for (int j = 0; j < THREAD_P / kWideP; ++j)
                b[j] = *reinterpret_cast<const Pack<kWideP>*>(&columns[buffer][d][(j * kThreadsX + tx) * kWideP]);
#pragma unroll
            for (int i = 0; i < THREAD_K; ++i)
#pragma unroll
                for (int j = 0; j < THREAD_P; ++j)
                    sum[i][j] += a[i / kWideK].at[i % kWideK] * b[j / kWideP].at[j % kWideP];
        }
        // With two buffers the barrier of the next step is enough.
        if (STAGES == 1) __syncthreads();
    }

#pragma unroll
    for (int j = 0; j < THREAD_P; j += kStore) {
        const int pixel = pixel0 + (j / kWideP * kThreadsX + tx) * kWideP + j % kWideP;
        if (pixel >= kPixels) continue;
        float* out = y + pixel / kImage * (DIM_K * kImage) + group * kOutputs * kImage + pixel % kImage;
#pragma unroll
        for (int i = 0; i < THREAD_K; ++i) {
            const int k = k0 + (i / kWideK * kThreadsY + ty) * kWideK + i % kWideK;
            Pack<kStore> value;
#pragma unroll
            for (int v = 0; v < kStore; ++v) value.at[v] = sum[i][j + v];
            if (k < kOutputs) *reinterpret_cast<Pack<kStore>*>(out + k * kImage) = value;
        }
    }
}
