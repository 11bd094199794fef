// Winograd F(2x2, 3x3): filters and 4x4 input tiles are transformed, 16 small matrix products replace the convolution,
// and an inverse transform gives 2x2 outputs. 16 multiplications do the work of 36 (Lavin and Gray, arXiv 1509.09308).

constexpr int kRowTiles = (DIM_P + 1) / 2;
constexpr int kColumnTiles = (DIM_Q + 1) / 2;
constexpr int kTiles = DIM_N * kRowTiles * kColumnTiles;
constexpr int kThreadsX = TILE_T / THREAD_T;
constexpr int kThreadsY = TILE_K / THREAD_K;
constexpr int kThreads = kThreadsX * kThreadsY;
constexpr int kWideK = THREAD_K < 4 ? THREAD_K : 4;
constexpr int kWideT = THREAD_T < 4 ? THREAD_T : 4;
constexpr int kStore = kTiles % kWideT == 0 ? kWideT : 1;
constexpr int kLoadsA = (TILE_K * TILE_C + kThreads - 1) / kThreads;
constexpr int kLoadsB = (TILE_T * TILE_C + kThreads - 1) / kThreads;
constexpr int kPairs = DIM_Q % 2 == 0 ? 2 : 1;

template <int W>
struct alignas(4 * W) Pack {
    float at[W];
};

// out = G in, for one vector of three.
__device__ __forceinline__ void spread_filter(float a, float b, float c, float out[4]) {
    out[0] = a;
    out[1] = 0.5f * (a + b + c);
    out[2] = 0.5f * (a - b + c);
    out[3] = c;
}

// out = transpose(B) in, for one vector of four.
__device__ __forceinline__ void spread_input(float a, float b, float c, float d, float out[4]) {
    out[0] = a - c;
    out[1] = b + c;
    out[2] = c - b;
    out[3] = b - d;
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    transform_filter(const float* __restrict__ weight, float* __restrict__ filters) {
    const int index = blockIdx.x * BLOCK + threadIdx.x;
    if (index >= DIM_K * DIM_C) return;
    const int k = index % DIM_K;
    const int c = index / DIM_K;
    const float* g = weight + (k * DIM_C + c) * 9;
    float half[3][4];
#pragma unroll
    for (int s = 0; s < 3; ++s) spread_filter(g[s], g[3 + s], g[6 + s], half[s]);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        float out[4];
        spread_filter(half[0][i], half[1][i], half[2][i], out);
#pragma unroll
        for (int j = 0; j < 4; ++j) filters[((i * 4 + j) * DIM_C + c) * DIM_K + k] = out[j];
    }
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    transform_input(const float* __restrict__ x, float* __restrict__ patches) {
    const int index = blockIdx.x * BLOCK + threadIdx.x;
    if (index >= DIM_C * kTiles) return;
    const int tile = index % kTiles;
    const int c = index / kTiles;
    const int n = tile / (kRowTiles * kColumnTiles);
    const int top = tile / kColumnTiles % kRowTiles * 2 - DIM_PADDING;
    const int left = tile % kColumnTiles * 2 - DIM_PADDING;
    const float* image = x + (n * DIM_C + c) * (DIM_H * DIM_W) + top * DIM_W + left;
    float half[4][4];
#pragma unroll
    for (int j = 0; j < 4; ++j) {
        float d[4];
#pragma unroll
        for (int i = 0; i < 4; ++i) {
            const bool inside = (unsigned)(top + i) < DIM_H && (unsigned)(left + j) < DIM_W;
            d[i] = inside ? image[i * DIM_W + j] : 0.0f;
        }
        spread_input(d[0], d[1], d[2], d[3], half[j]);
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        float out[4];
        spread_input(half[0][i], half[1][i], half[2][i], half[3][i], out);
#pragma unroll
        for (int j = 0; j < 4; ++j) patches[((i * 4 + j) * DIM_C + c) * kTiles + tile] = out[j];
    }
}

// 16 independent products: products[f][k][tile] = sum over c of filters[f][c][k] * patches[f][c][tile].
extern "C" __global__ void __launch_bounds__(kThreads)
    multiply(const float* __restrict__ filters, const float* __restrict__ patches, float* __restrict__ products) {
    __shared__ __align__(16) float rows[TILE_C][TILE_K];
    __shared__ __align__(16) float columns[TILE_C][TILE_T];

    constexpr int kBlocksK = (DIM_K + TILE_K - 1) / TILE_K;
    constexpr int kBlocksT = (kTiles + TILE_T - 1) / TILE_T;
    const int k0 = blockIdx.x % kBlocksK * TILE_K;
    const int t0 = blockIdx.x / kBlocksK % kBlocksT * TILE_T;
    const int frequency = blockIdx.x / (kBlocksK * kBlocksT);
    const int tid = threadIdx.x;
    const int tx = tid % kThreadsX;
    const int ty = tid / kThreadsX;
    const float* a = filters + frequency * (DIM_C * DIM_K);
    const float* b = patches + frequency * (DIM_C * kTiles);

    float next_row[kLoadsA];
    float next_column[kLoadsB];
    auto fetch = [&](int c0) {
#pragma unroll
        for (int i = 0; i < kLoadsA; ++i) {
            const int e = tid + i * kThreads;
            const int c = c0 + e / TILE_K;
            const int k = k0 + e % TILE_K;
            next_row[i] = c < DIM_C && k < DIM_K ? a[c * DIM_K + k] : 0.0f;
        }
#pragma unroll
        for (int i = 0; i < kLoadsB; ++i) {
            const int e = tid + i * kThreads;
            const int c = c0 + e / TILE_T;
            const int t = t0 + e % TILE_T;
            next_column[i] = c < DIM_C && t < kTiles ? b[c * kTiles + t] : 0.0f;
        }
    };

    float sum[THREAD_K][THREAD_T];
#pragma unroll
    for (int i = 0; i < THREAD_K; ++i)
#pragma unroll
        for (int j = 0; j < THREAD_T; ++j) sum[i][j] = 0.0f;

    fetch(0);
    for (int c0 = 0; c0 < DIM_C; c0 += TILE_C) {
#pragma unroll
        for (int i = 0; i < kLoadsA; ++i) {
            const int e = tid + i * kThreads;
            if (TILE_K * TILE_C % kThreads == 0 || e < TILE_K * TILE_C) rows[e / TILE_K][e % TILE_K] = next_row[i];
        }
#pragma unroll
        for (int i = 0; i < kLoadsB; ++i) {
            const int e = tid + i * kThreads;
            if (TILE_T * TILE_C % kThreads == 0 || e < TILE_T * TILE_C) columns[e / TILE_T][e % TILE_T] = next_column[i];
        }
        __syncthreads();
        if (c0 + TILE_C < DIM_C) fetch(c0 + TILE_C);
#pragma unroll
        for (int c = 0; c < TILE_C; ++c) {
            Pack<kWideK> f[THREAD_K / kWideK];
            Pack<kWideT> d[THREAD_T / kWideT];
#pragma unroll
            for (int i = 0; i < THREAD_K / kWideK; ++i)
                f[i] = *reinterpret_cast<const Pack<kWideK>*>(&rows[c][(i * kThreadsY + ty) * kWideK]);
#pragma unroll
            for (int j = 0; j < THREAD_T / kWideT; ++j)
                d[j] = *reinterpret_cast<const Pack<kWideT>*>(&columns[c][(j * kThreadsX + tx) * kWideT]);
#pragma unroll
            for (int i = 0; i < THREAD_K; ++i)
#pragma unroll
                for (int j = 0; j < THREAD_T; ++j)
                    sum[i][j] += f[i / kWideK].at[i % kWideK] * d[j / kWideT].at[j % kWideT];
        }
        __syncthreads();
    }

#pragma unroll
    for (int i = 0; i < THREAD_K; ++i) {
        const int k = k0 + (i / kWideK * kThreadsY + ty) * kWideK + i % kWideK;
        if (k >= DIM_K) continue;
#pragma unroll
        for (int j = 0; j < THREAD_T; j += kStore) {
            const int t = t0 + (j / kWideT * kThreadsX + tx) * kWideT + j % kWideT;
            Pack<kStore> value;
#pragma unroll
            for (int v = 0; v < kStore; ++v) value.at[v] = sum[i][j + v];
            if (t < kTiles) *reinterpret_cast<Pack<kStore>*>(products + (frequency * DIM_K + k) * kTiles + t) = value;
        }
    }
}

extern "C" __global__ void __launch_bounds__(BLOCK)
    transform_output(const float* __restrict__ products, float* __restrict__ y) {
    const int index = blockIdx.x * BLOCK + threadIdx.x;
    if (index >= DIM_K * kTiles) return;
    const int tile = index % kTiles;
    const int k = index / kTiles;
    const int n = tile / (kRowTiles * kColumnTiles);
    const int p = tile / kColumnTiles % kRowTiles * 2;
    const int q = tile % kColumnTiles * 2;
    float half[2][4];
#pragma unroll
    for (int j = 0; j < 4; ++j) {
        float m[4];
#pragma unroll
        for (int i = 0; i < 4; ++i) m[i] = products[((i * 4 + j) * DIM_K + k) * kTiles + tile];
        half[0][j] = m[0] + m[1] + m[2];
        half[1][j] = m[1] - m[2] - m[3];
    }
    float* out = y + ((n * DIM_K + k) * DIM_P + p) * DIM_Q + q;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
        if (p + i >= DIM_P) break;
        const float left = half[i][0] + half[i][1] + half[i][2];
        const float right = half[i][1] - half[i][2] - half[i][3];
        if constexpr (kPairs == 2) {
            *reinterpret_cast<Pack<2>*>(out + i * DIM_Q) = {{left, right}};
        } else {
            out[i * DIM_Q] = left;
            if (q + 1 < DIM_Q) out[i * DIM_Q + 1] = right;
        }
    }
}
