// The sum over k is split: SPLITS blocks share one tile of the product, each adds its part of k into its own partial result,
// and a second kernel adds the parts in a fixed order, so that results repeat bit by bit. Fills a device when the product
// has few tiles.

constexpr int kThreadsX = TILE_N / THREAD_N;
constexpr int kThreadsY = TILE_M / THREAD_M;
constexpr int kThreads = kThreadsX * kThreadsY;
// Four more columns turn the stride of the transposing store into a bank offset.
constexpr int kPitch = TILE_M + 4;
constexpr int kWideM = THREAD_M < 4 ? THREAD_M : 4;
constexpr int kWideN = THREAD_N < 4 ? THREAD_N : 4;
// Vector loads need rows of whole vectors.
constexpr int kVectorA = DIM_K % VECTOR == 0 && TILE_K % VECTOR == 0 ? VECTOR : 1;
constexpr int kVectorB = DIM_N % VECTOR == 0 && TILE_N % VECTOR == 0 ? VECTOR : 1;
constexpr int kPart = ((DIM_K + TILE_K - 1) / TILE_K + SPLITS - 1) / SPLITS * TILE_K;
constexpr int kResults = DIM_M * DIM_N;
constexpr int kStore = DIM_N % kWideN == 0 ? kWideN : 1;
constexpr int kRunsA = TILE_K / kVectorA;
constexpr int kRunsB = TILE_N / kVectorB;
constexpr int kLoadsA = (TILE_M * kRunsA + kThreads - 1) / kThreads;
constexpr int kLoadsB = (TILE_K * kRunsB + kThreads - 1) / kThreads;

template <int W>
struct alignas(4 * W) Pack {
    float at[W];
};

extern "C" __global__ void __launch_bounds__(kThreads)
    matmul_part(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ parts) {
    __shared__ __align__(16) float left[TILE_K][kPitch];
    __shared__ __align__(16) float right[TILE_K][TILE_N];

    constexpr int kTilesN = (DIM_N + TILE_N - 1) / TILE_N;
    constexpr int kTilesM = (DIM_M + TILE_M - 1) / TILE_M;
    const int column0 = blockIdx.x % kTilesN * TILE_N;
    const int row0 = blockIdx.x / kTilesN % kTilesM * TILE_M;
    const int part = blockIdx.x / (kTilesN * kTilesM);
    // A part that begins beyond k stores zeros.
    const int first = part * kPart;
    const int last = first + kPart < DIM_K ? first + kPart : DIM_K;
    float* c = parts + part * kResults;
    const int tid = threadIdx.x;
    const int tx = tid % kThreadsX;
    const int ty = tid / kThreadsX;

    float sum[THREAD_M][THREAD_N];
#pragma unroll
    for (int i = 0; i < THREAD_M; ++i)
#pragma unroll
        for (int j = 0; j < THREAD_N; ++j) sum[i][j] = 0.0f;

    for (int k0 = first; k0 < last; k0 += TILE_K) {
#pragma unroll
        for (int load = 0; load < kLoadsA; ++load) {
            const int e = tid + load * kThreads;
            if (TILE_M * kRunsA % kThreads != 0 && e >= TILE_M * kRunsA) break;
            const int i = e / kRunsA;
            const int k = e % kRunsA * kVectorA;
            Pack<kVectorA> value = {};
            if (row0 + i < DIM_M && k0 + k < DIM_K)
                value = *reinterpret_cast<const Pack<kVectorA>*>(a + (row0 + i) * DIM_K + k0 + k);
#pragma unroll
            for (int v = 0; v < kVectorA; ++v) left[k + v][i] = value.at[v];
        }
#pragma unroll
        for (int load = 0; load < kLoadsB; ++load) {
            const int e = tid + load * kThreads;
            if (TILE_K * kRunsB % kThreads != 0 && e >= TILE_K * kRunsB) break;
            const int k = e / kRunsB;
            const int j = e % kRunsB * kVectorB;
            Pack<kVectorB> value = {};
            if (k0 + k < DIM_K && column0 + j < DIM_N)
                value = *reinterpret_cast<const Pack<kVectorB>*>(b + (k0 + k) * DIM_N + column0 + j);
            *reinterpret_cast<Pack<kVectorB>*>(&right[k][j]) = value;
        }
        __syncthreads();
#pragma unroll
        for (int k = 0; k < TILE_K; ++k) {
            Pack<kWideM> x[THREAD_M / kWideM];
            Pack<kWideN> y[THREAD_N / kWideN];
#pragma unroll
            for (int i = 0; i < THREAD_M / kWideM; ++i)
                x[i] = *reinterpret_cast<const Pack<kWideM>*>(&left[k][(i * kThreadsY + ty) * kWideM]);
#pragma unroll
            for (int j = 0; j < THREAD_N / kWideN; ++j)
                y[j] = *reinterpret_cast<const Pack<kWideN>*>(&right[k][(j * kThreadsX + tx) * kWideN]);
#pragma unroll
            for (int i = 0; i < THREAD_M; ++i)
#pragma unroll
                for (int j = 0; j < THREAD_N; ++j)
                    sum[i][j] += x[i / kWideM].at[i % kWideM] * y[j / kWideN].at[j % kWideN];
        }
        __syncthreads();
    }

#pragma unroll
    for (int i = 0; i < THREAD_M; ++i) {
        const int row = row0 + (i / kWideM * kThreadsY + ty) * kWideM + i % kWideM;
        if (row >= DIM_M) continue;
#pragma unroll
        for (int j = 0; j < THREAD_N; j += kStore) {
            const int column = column0 + (j / kWideN * kThreadsX + tx) * kWideN + j % kWideN;
            Pack<kStore> value;
#pragma unroll
            for (int v = 0; v < kStore; ++v) value.at[v] = sum[i][j + v];
            if (column < DIM_N) *reinterpret_cast<Pack<kStore>*>(c + row * DIM_N + column) = value;
        }
    }
}

extern "C" __global__ void __launch_bounds__(256) add_parts(const float* __restrict__ parts, float* __restrict__ c) {
    constexpr int kWide = kResults % 4 == 0 ? 4 : 1;
    const int index = (blockIdx.x * 256 + threadIdx.x) * kWide;
    if (index >= kResults) return;
    auto sum = *reinterpret_cast<const Pack<kWide>*>(parts + index);
#pragma unroll
    for (int part = 1; part < SPLITS; ++part) {
        const auto value = *reinterpret_cast<const Pack<kWide>*>(parts + part * kResults + index);
#pragma unroll
        for (int v = 0; v < kWide; ++v) sum.at[v] += value.at[v];
    }
    *reinterpret_cast<Pack<kWide>*>(c + index) = sum;
}
