/* Direct convolution, vectors along the output channels: the weights are packed so that LANES x VECTORS channels lie
   side by side, PIXELS outputs of one row stay in registers, and each input value is broadcast to all channels.
   Narrow images lose nothing, since no vector lies across pixels. */
typedef float vec __attribute__((vector_size(4 * LANES)));
typedef float loose __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

enum {
    GROUP_C = DIM_C / DIM_GROUPS,
    GROUP_K = DIM_K / DIM_GROUPS,
    TAPS = DIM_R * DIM_R,
    SPAN = LANES * VECTORS,
    BLOCKS = (GROUP_K + SPAN - 1) / SPAN,
    TILES = (DIM_Q + PIXELS - 1) / PIXELS,
    HEIGHT = (DIM_P - 1) * DIM_STRIDE + (DIM_R - 1) * DIM_DILATION + 1,
    WIDTH = (TILES * PIXELS - 1) * DIM_STRIDE + (DIM_R - 1) * DIM_DILATION + 1,
};

static void pack_row(const float *restrict line, float *restrict padded) {
    for (int i = 0; i < WIDTH; ++i) {
        const int column = i - DIM_PADDING;
        padded[i] = line && column >= 0 && column < DIM_W ? line[column] : 0.0f;
    }
}

static void pack_weight(const float *restrict weight, float *restrict packed, int block) {
    const int k0 = block % BLOCKS * SPAN;
    const float *filters = weight + (block / BLOCKS * GROUP_K + k0) * (GROUP_C * TAPS);
    for (int i = 0; i < GROUP_C * TAPS; ++i)
        for (int j = 0; j < SPAN; ++j)
            packed[i * SPAN + j] = k0 + j < GROUP_K ? filters[j * (GROUP_C * TAPS) + i] : 0.0f;
}

static inline __attribute__((always_inline)) void pixel_tile(const float *restrict rows, const float *restrict packed,
                                                              float *restrict out, int pixels, int channels) {
    vec sum[PIXELS][VECTORS] = {0};
    for (int c = 0; c < GROUP_C; ++c)
        for (int r = 0; r < DIM_R; ++r) {
            const float *line = rows + (c * HEIGHT + r * DIM_DILATION) * WIDTH;
#pragma GCC unroll 16
            for (int s = 0; s < DIM_R; ++s) {
                const float *w = packed + ((c * DIM_R + r) * DIM_R + s) * SPAN;
                vec tap[VECTORS];
#pragma GCC unroll 16
                for (int v = 0; v < VECTORS; ++v) tap[v] = *(const loose *)(w + v * LANES);
#pragma GCC unroll 16
                for (int i = 0; i < PIXELS; ++i)
#pragma GCC unroll 16
                    for (int v = 0; v < VECTORS; ++v) sum[i][v] += tap[v] * line[i * DIM_STRIDE + s * DIM_DILATION];
            }
        }
    float turned[PIXELS][SPAN];
#pragma GCC unroll 16
    for (int i = 0; i < PIXELS; ++i)
#pragma GCC unroll 16
        for (int v = 0; v < VECTORS; ++v) *(loose *)(turned[i] + v * LANES) = sum[i][v];
    for (int k = 0; k < channels; ++k)
        for (int i = 0; i < pixels; ++i) out[k * (DIM_P * DIM_Q) + i] = turned[i][k];
}

void conv2d(const float *restrict x, const float *restrict weight, float *restrict y, float *restrict padded,
            float *restrict packed) {
#pragma omp parallel
    {
#pragma omp for collapse(2) nowait
        for (int plane = 0; plane < DIM_N * DIM_C; ++plane)
            for (int row = 0; row < HEIGHT; ++row) {
                const int iy = row - DIM_PADDING;
                const float *line = iy >= 0 && iy < DIM_H ? x + (plane * DIM_H + iy) * DIM_W : 0;
                pack_row(line, padded + (plane * HEIGHT + row) * WIDTH);
            }
#pragma omp for
        for (int block = 0; block < DIM_GROUPS * BLOCKS; ++block)
            pack_weight(weight, packed + block * (GROUP_C * TAPS * SPAN), block);
#pragma omp for collapse(3)
        for (int plane = 0; plane < DIM_N * DIM_GROUPS; ++plane)
            for (int block = 0; block < BLOCKS; ++block)
                for (int p = 0; p < DIM_P; ++p) {
                    const int left = GROUP_K - block * SPAN;
                    const float *rows = padded + (plane * GROUP_C * HEIGHT + p * DIM_STRIDE) * WIDTH;
                    const float *w = packed + (plane % DIM_GROUPS * BLOCKS + block) * (GROUP_C * TAPS * SPAN);
                    float *out = y + (plane * GROUP_K + block * SPAN) * (DIM_P * DIM_Q) + p * DIM_Q;
                    for (int q0 = 0; q0 < DIM_Q; q0 += PIXELS)
                        pixel_tile(rows + q0 * DIM_STRIDE, w, out + q0, DIM_Q - q0 < PIXELS ? DIM_Q - q0 : PIXELS,
                                   left < SPAN ? left : SPAN);
                }
    }
}
