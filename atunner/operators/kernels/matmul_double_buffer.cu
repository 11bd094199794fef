// Warp tiles and double buffering: while a tile is multiplied, the next one travels from global memory into registers and
// then into the other half of shared memory, so that one barrier a step suffices. The 32 lanes of a warp form a 4 x 8 grid
// over a square-like warp tile, which reads less from shared memory than a strip of the same area.

constexpr int kLanesX = 8;
constexpr int kLanesY = 4;
constexpr int kTileM = WARPS_M * kLanesY * THREAD_M;
constexpr int kTileN = WARPS_N * kLanesX * THREAD_N;
constexpr int kThreads = 32 * WARPS_M * WARPS_N;
constexpr int kPitch = kTileM + PAD;
constexpr int kWideM = THREAD_M < 4 ? THREAD_M : 4;
constexpr int kWideN = THREAD_N < 4 ? THREAD_N : 4;
constexpr int kVectorA = DIM_K % VECTOR == 0 && TILE_K % VECTOR == 0 ? VECTOR : 1;
constexpr int kVectorB = DIM_N % VECTOR == 0 && kTileN % VECTOR == 0 ? VECTOR : 1;
constexpr int kStore = DIM_N % kWideN == 0 ? kWideN : 1;
constexpr int kRunsA = TILE_K / kVectorA;
constexpr int kRunsB = kTileN / kVectorB;
constexpr int kLoadsA = (kTileM * kRunsA + kThreads - 1) / kThreads;
constexpr int kLoadsB = (TILE_K * kRunsB + kThreads - 1) / kThreads;

template <int W>
struct alignas(4 * W) Pack {
    float at[W];
};

extern "C" __global__ void __launch_bounds__(kThreads)
    matmul(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c) {
    __shared__ __align__(16) float left[2][TILE_K][kPitch];
    __shared__ __align__(16) float right[2][TILE_K][kTileN];

    constexpr int kTilesN = (DIM_N + kTileN - 1) / kTileN;
    const int column0 = blockIdx.x % kTilesN * kTileN;
    const int row0 = blockIdx.x / kTilesN * kTileM;
    const int tid = threadIdx.x;
    const int warp = tid / 32;
    const int tx = tid % kLanesX;
    const int ty = tid % 32 / kLanesX;
    const int warp_row = warp / WARPS_N * (kLanesY * THREAD_M);
    const int warp_column = warp % WARPS_N * (kLanesX * THREAD_N);

    Pack<kVectorA> next_left[kLoadsA];
    Pack<kVectorB> next_right[kLoadsB];
    auto fetch = [&](int k0) {
#pragma unroll
        for (int load = 0; load < kLoadsA; ++load) {
            const int e = tid + load * kThreads;
            const int row = row0 + e / kRunsA;
            const int k = k0 + e % kRunsA * kVectorA;
            next_left[load] = {};
            if (row < DIM_M && k < DIM_K && e < kTileM * kRunsA)
                next_left[load] = *reinterpret_cast<const Pack<kVectorA>*>(a + row * DIM_K + k);
        }
#pragma unroll
        for (int load = 0; load < kLoadsB; ++load) {
            const int e = tid + load * kThreads;
            const int k = k0 + e / kRunsB;
            const int column = column0 + e % kRunsB * kVectorB;
            next_right[load] = {};
            if (k < DIM_K && column < DIM_N && e < TILE_K * kRunsB)
                next_right[load] = *reinterpret_cast<const Pack<kVectorB>*>(b + k * DIM_N + column);
        }
    };
    auto stage = [&](int buffer) {
#pragma unroll
        for (int load = 0; load < kLoadsA; ++load) {
            const int e = tid + load * kThreads;
            if (kTileM * kRunsA % kThreads != 0 && e >= kTileM * kRunsA) break;
#pragma unroll
            for (int v = 0; v < kVectorA; ++v) left[buffer][e % kRunsA * kVectorA + v][e / kRunsA] = next_left[load].at[v];
        }
#pragma unroll
        for (int load = 0; load < kLoadsB; ++load) {
            const int e = tid + load * kThreads;
            if (TILE_K * kRunsB % kThreads != 0 && e >= TILE_K * kRunsB) break;
            *reinterpret_cast<Pack<kVectorB>*>(&right[buffer][e / kRunsB][e % kRunsB * kVectorB]) = next_right[load];
        }
    };

    float sum[THREAD_M][THREAD_N];
#pragma unroll
    for (int i = 0; i < THREAD_M; ++i)
#pragma unroll
        for (int j = 0; j < THREAD_N; ++j) sum[i][j] = 0.0f;

    fetch(0);
    stage(0);
    __syncthreads();
    for (int k0 = 0, buffer = 0; k0 < DIM_K; k0 += TILE_K, buffer ^= 1) {
        const bool more = k0 + TILE_K < DIM_K;
        if (more) fetch(k0 + TILE_K);
#pragma unroll
        for (int k = 0; k < TILE_K; ++k) {
            Pack<kWideM> x[THREAD_M / kWideM];
            Pack<kWideN> y[THREAD_N / kWideN];
#pragma unroll
            for (int i = 0; i < THREAD_M / kWideM; ++i)
                x[i] = *reinterpret_cast<const Pack<kWideM>*>(&left[buffer][k][warp_row + (i * kLanesY + ty) * kWideM]);
#pragma unroll
            for (int j = 0; j < THREAD_N / kWideN; ++j)
                y[j] = *reinterpret_cast<const Pack<kWideN>*>(
                    &right[buffer][k][warp_column + (j * kLanesX + tx) * kWideN]);
#pragma unroll
            for (int i = 0; i < THREAD_M; ++i)
#pragma unroll
                for (int j = 0; j < THREAD_N; ++j)
                    sum[i][j] += x[i / kWideM].at[i % kWideM] * y[j / kWideN].at[j % kWideN];
        }
        if (more) stage(buffer ^ 1);
        __syncthreads();
    }

#pragma unroll
    for (int i = 0; i < THREAD_M; ++i) {
        const int row = row0 + warp_row + (i / kWideM * kLanesY + ty) * kWideM + i % kWideM;
        if (row >= DIM_M) continue;
#pragma unroll
        for (int j = 0; j < THREAD_N; j += kStore) {
            const int column = column0 + warp_column + (j / kWideN * kLanesX + tx) * kWideN + j % kWideN;
            Pack<kStore> value;
#pragma unroll
            for (int v = 0; v < kStore; ++v) value.at[v] = sum[i][j + v];
            if (column < DIM_N) *reinterpret_cast<Pack<kStore>*>(c + row * DIM_N + column) = value;
        }
    }
}
