// Direct convolution: a block stages an input tile with its halo, and the weights of K_TILE output channels, in
// shared memory. A thread owns ROWS output pixels of one column and all K_TILE channels: each staged input value is
// read once per tap and used K_TILE times, each vector of weights is one broadcast for the whole warp.

constexpr int kChannels = DIM_C / DIM_GROUPS;
constexpr int kOutputs = DIM_K / DIM_GROUPS;
// Compilers read a constant in a pragma, not all of them a macro.
constexpr int kUnroll = UNROLL;
constexpr int kThreads = BLOCK_X * BLOCK_Y;
constexpr int kTileP = BLOCK_Y * ROWS;
constexpr int kHaloH = (kTileP - 1) * DIM_STRIDE + (DIM_R - 1) * DIM_DILATION + 1;
constexpr int kHaloW = (BLOCK_X - 1) * DIM_STRIDE + (DIM_R - 1) * DIM_DILATION + 1;
constexpr int kPitch = kHaloW + PAD;
constexpr int kTaps = DIM_R * DIM_R;
constexpr int kWide = K_TILE % 4 == 0 ? 4 : K_TILE % 2 == 0 ? 2 : 1;
// Four more columns turn the stride of the transposing store into a bank offset.
constexpr int kWeightPitch = K_TILE + (K_TILE >= 4 ? 4 : 0);
constexpr int kUnrollTaps = DIM_R <= 5 ? DIM_R : 1;

template <int W>
struct alignas(4 * W) Pack {
    float at[W];
};

extern "C" __global__ void __launch_bounds__(kThreads)
    conv2d(const float* __restrict__ x, const float* __restrict__ weight, float* __restrict__ y) {
    __shared__ float tile[C_TILE][kHaloH][kPitch];
    __shared__ __align__(16) float taps[C_TILE * kTaps][kWeightPitch];

    constexpr int kTilesK = (kOutputs + K_TILE - 1) / K_TILE;
    constexpr int kTilesQ = (DIM_Q + BLOCK_X - 1) / BLOCK_X;
    constexpr int kTilesP = (DIM_P + kTileP - 1) / kTileP;
    // Blocks that share an input tile are neighbours, so that they meet in the second-level cache.
    int block = blockIdx.x;
    const int k0 = block % kTilesK * K_TILE;
    block /= kTilesK;
    const int q0 = block % kTilesQ * BLOCK_X;
    block /= kTilesQ;
    const int p0 = block % kTilesP * kTileP;
    block /= kTilesP;
    const int group = block % DIM_GROUPS;
    const int n = block / DIM_GROUPS;

    const int tx = threadIdx.x % BLOCK_X;
    const int ty = threadIdx.x / BLOCK_X;
    const float* image = x + (n * DIM_C + group * kChannels) * (DIM_H * DIM_W);
    const float* filters = weight + (group * kOutputs + k0) * (kChannels * kTaps);
    const int top = p0 * DIM_STRIDE - DIM_PADDING;
    const int left = q0 * DIM_STRIDE - DIM_PADDING;

    float sum[ROWS][K_TILE];
#pragma unroll
    for (int i = 0; i < ROWS; ++i)
#pragma unroll
        for (int k = 0; k < K_TILE; ++k) sum[i][k] = 0.0f;

    for (int c0 = 0; c0 < kChannels; c0 += C_TILE) {
        for (int e = threadIdx.x; e < C_TILE * kHaloH * kHaloW; e += kThreads) {
            const int column = e % kHaloW;
            const int row = e / kHaloW % kHaloH;
            const int c = e / (kHaloW * kHaloH);
            const int iy = top + row;
            const int ix = left + column;
            const bool inside = (unsigned)iy < DIM_H && (unsigned)ix < DIM_W && c0 + c < kChannels;
            tile[c][row][column] = inside ? image[((c0 + c) * DIM_H + iy) * DIM_W + ix] : 0.0f;
        }
        for (int e = threadIdx.x; e < C_TILE * kTaps * K_TILE; e += kThreads) {
            const int tap = e % (C_TILE * kTaps);
            const int k = e / (C_TILE * kTaps);
            const bool inside = k0 + k < kOutputs && c0 * kTaps + tap < kChannels * kTaps;
            taps[tap][k] = inside ? filters[k * (kChannels * kTaps) + c0 * kTaps + tap] : 0.0f;
        }
        __syncthreads();
#pragma unroll kUnroll
        for (int c = 0; c < C_TILE; ++c)
#pragma unroll kUnrollTaps
            for (int r = 0; r < DIM_R; ++r)
#pragma unroll kUnrollTaps
                for (int s = 0; s < DIM_R; ++s) {
                    float value[ROWS];
#pragma unroll
                    for (int i = 0; i < ROWS; ++i)
                        value[i] = tile[c][(ty + i * BLOCK_Y) * DIM_STRIDE + r * DIM_DILATION]
                                       [tx * DIM_STRIDE + s * DIM_DILATION];
#pragma unroll
                    for (int k = 0; k < K_TILE; k += kWide) {
                        const auto w = *reinterpret_cast<const Pack<kWide>*>(&taps[(c * DIM_R + r) * DIM_R + s][k]);
#pragma unroll
                        for (int i = 0; i < ROWS; ++i)
#pragma unroll
                            for (int j = 0; j < kWide; ++j) sum[i][k + j] += value[i] * w.at[j];
                    }
                }
        __syncthreads();
    }

    const int q = q0 + tx;
    if (q >= DIM_Q) return;
#pragma unroll
    for (int i = 0; i < ROWS; ++i) {
        const int p = p0 + ty + i * BLOCK_Y;
        if (p >= DIM_P) break;
#pragma unroll
        for (int k = 0; k < K_TILE; ++k)
            if (k0 + k < kOutputs)
                y[((n * DIM_K + group * kOutputs + k0 + k) * DIM_P + p) * DIM_Q + q] = sum[i][k];
    }
}
