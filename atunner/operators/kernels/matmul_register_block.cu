// A thread computes THREAD_M x THREAD_N elements in registers from tiles in shared memory: 2 * THREAD_M * THREAD_N
// operations for THREAD_M + THREAD_N values read. The tile of a is stored transposed, so that fragments of both tiles are
// vectors; groups of four elements are dealt to the threads in turn, which keeps reads free of bank conflicts.

constexpr int kThreadsX = TILE_N / THREAD_N;
constexpr int kThreadsY = TILE_M / THREAD_M;
// Compilers read a constant in a pragma, not all of them a macro.
constexpr int kUnroll = UNROLL;
constexpr int kThreads = kThreadsX * kThreadsY;
constexpr int kPitch = TILE_M + PAD;
constexpr int kWideM = THREAD_M < 4 ? THREAD_M : 4;
constexpr int kWideN = THREAD_N < 4 ? THREAD_N : 4;
// Vector loads need rows of whole vectors.
constexpr int kVectorA = DIM_K % VECTOR == 0 && TILE_K % VECTOR == 0 ? VECTOR : 1;
constexpr int kVectorB = DIM_N % VECTOR == 0 && TILE_N % VECTOR == 0 ? VECTOR : 1;
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
    matmul(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c) {
    __shared__ __align__(16) float left[TILE_K][kPitch];
    __shared__ __align__(16) float right[TILE_K][TILE_N];

    constexpr int kTilesN = (DIM_N + TILE_N - 1) / TILE_N;
    const int column0 = blockIdx.x % kTilesN * TILE_N;
    const int row0 = blockIdx.x / kTilesN * TILE_M;
    const int tid = threadIdx.x;
    const int tx = tid % kThreadsX;
    const int ty = tid / kThreadsX;

    float sum[THREAD_M][THREAD_N];
#pragma unroll
    for (int i = 0; i < THREAD_M; ++i)
#pragma unroll
        for (int j = 0; j < THREAD_N; ++j) sum[i][j] = 0.0f;

    for (int k0 = 0; k0 < DIM_K; k0 += TILE_K) {
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
#pragma unroll kUnroll
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
