// Direct convolution from registers: a thread owns PIXELS neighbouring outputs of one row and CHANNELS output channels.
// For each input row it loads one window from global memory and slides over it, so that neighbouring outputs and all
// taps of the row share those loads. Only the weights are staged in shared memory, as broadcasts.

constexpr int kChannels = DIM_C / DIM_GROUPS;
constexpr int kOutputs = DIM_K / DIM_GROUPS;
constexpr int kTaps = DIM_R * DIM_R;
constexpr int kSegments = (DIM_Q + PIXELS - 1) / PIXELS;
constexpr int kSpots = DIM_N * DIM_P * kSegments;
constexpr int kWindow = (PIXELS - 1) * DIM_STRIDE + (DIM_R - 1) * DIM_DILATION + 1;
constexpr int kWide = CHANNELS % 4 == 0 ? 4 : CHANNELS % 2 == 0 ? 2 : 1;
constexpr int kWeightPitch = CHANNELS + (CHANNELS >= 4 ? 4 : 0);
constexpr int kUnrollRows = DIM_R <= 5 ? DIM_R : 1;
constexpr int kStore = DIM_Q % PIXELS == 0 ? (PIXELS % 4 == 0 ? 4 : PIXELS) : 1;

template <int W>
struct alignas(4 * W) Pack {
    float at[W];
};

extern "C" __global__ void __launch_bounds__(THREADS)
    conv2d(const float* __restrict__ x, const float* __restrict__ weight, float* __restrict__ y) {
    __shared__ __align__(16) float taps[C_TILE * kTaps][kWeightPitch];

    constexpr int kTilesK = (kOutputs + CHANNELS - 1) / CHANNELS;
    constexpr int kTilesSpots = (kSpots + THREADS - 1) / THREADS;
    int block = blockIdx.x;
    const int k0 = block % kTilesK * CHANNELS;
    block /= kTilesK;
    const int spot = block % kTilesSpots * THREADS + threadIdx.x;
    const int group = block / kTilesSpots;

    const bool active = spot < kSpots;
    const int q0 = spot % kSegments * PIXELS;
    const int p = spot / kSegments % DIM_P;
    const int n = active ? spot / (kSegments * DIM_P) : 0;
    const int top = p * DIM_STRIDE - DIM_PADDING;
    const int left = q0 * DIM_STRIDE - DIM_PADDING;
    const float* image = x + (n * DIM_C + group * kChannels) * (DIM_H * DIM_W);
    const float* filters = weight + (group * kOutputs + k0) * (kChannels * kTaps);

    float sum[CHANNELS][PIXELS];
#pragma unroll
    for (int k = 0; k < CHANNELS; ++k)
#pragma unroll
        for (int i = 0; i < PIXELS; ++i) sum[k][i] = 0.0f;

    for (int c0 = 0; c0 < kChannels; c0 += C_TILE) {
        for (int e = threadIdx.x; e < C_TILE * kTaps * CHANNELS; e += THREADS) {
            const int tap = e % (C_TILE * kTaps);
            const int k = e / (C_TILE * kTaps);
            const bool inside = k0 + k < kOutputs && c0 * kTaps + tap < kChannels * kTaps;
            taps[tap][k] = inside ? filters[k * (kChannels * kTaps) + c0 * kTaps + tap] : 0.0f;
        }
        __syncthreads();
        for (int c = 0; c < C_TILE; ++c) {
            const bool present = active && c0 + c < kChannels;
#pragma unroll kUnrollRows
            for (int r = 0; r < DIM_R; ++r) {
                const int iy = top + r * DIM_DILATION;
                const bool row = present && (unsigned)iy < DIM_H;
                const float* line = image + ((c0 + c) * DIM_H + iy) * DIM_W + left;
                float window[kWindow];
#pragma unroll
                for (int i = 0; i < kWindow; ++i)
                    window[i] = row && (unsigned)(left + i) < DIM_W ? line[i] : 0.0f;
#pragma unroll
                for (int s = 0; s < DIM_R; ++s)
#pragma unroll
                    for (int k = 0; k < CHANNELS; k += kWide) {
                        const auto w = *reinterpret_cast<const Pack<kWide>*>(&taps[(c * DIM_R + r) * DIM_R + s][k]);
#pragma unroll
                        for (int j = 0; j < kWide; ++j)
#pragma unroll
                            for (int i = 0; i < PIXELS; ++i)
                                sum[k + j][i] += window[i * DIM_STRIDE + s * DIM_DILATION] * w.at[j];
                    }
            }
        }
        __syncthreads();
    }

    if (!active) return;
#pragma unroll
    for (int k = 0; k < CHANNELS; ++k) {
        if (k0 + k >= kOutputs) break;
        float* out = y + ((n * DIM_K + group * kOutputs + k0 + k) * DIM_P + p) * DIM_Q + q0;
#pragma unroll
        for (int i = 0; i < PIXELS; i += kStore) {
            Pack<kStore> value;
#pragma unroll
            for (int j = 0; j < kStore; ++j) value.at[j] = sum[k][i + j];
            if (DIM_Q % PIXELS == 0 || q0 + i < DIM_Q) *reinterpret_cast<Pack<kStore>*>(out + i) = value;
        }
    }
}
