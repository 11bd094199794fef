/* Direct convolution, vectors along the output row: CHANNELS output channels x VECTORS vectors of LANES pixels stay in
   registers while every input channel and tap is added. The input is copied once into zero-padded rows whose columns are
   sorted by their remainder modulo the stride, so that every load is contiguous; the weights are packed by blocks. */
typedef float vec __attribute__((vector_size(4 * LANES)));
typedef float loose __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

enum {
    GROUP_C = DIM_C / DIM_GROUPS,
    GROUP_K = DIM_K / DIM_GROUPS,
    TAPS = DIM_R * DIM_R,
    SPAN = LANES * VECTORS,
    WIDTH = (DIM_Q + SPAN - 1) / SPAN * SPAN,
    PHASE = WIDTH + (DIM_R - 1) * DIM_DILATION / DIM_STRIDE,
    HEIGHT = (DIM_P - 1) * DIM_STRIDE + (DIM_R - 1) * DIM_DILATION + 1,
    BLOCKS = (GROUP_K + CHANNELS - 1) / CHANNELS,
};

static void pack_row(const float *restrict line, float *restrict packed) {
    for (int phase = 0; phase < DIM_STRIDE; ++phase)
        for (int i = 0; i < PHASE; ++i) {
            const int column = i * DIM_STRIDE + phase - DIM_PADDING;
            packed[phase * PHASE + i] = line && column >= 0 && column < DIM_W ? line[column] : 0.0f;
        }
}

static void pack_weight(const float *restrict weight, float *restrict packed, int block) {
    const int k0 = block % BLOCKS * CHANNELS;
    const float *filters = weight + (block / BLOCKS * GROUP_K + k0) * (GROUP_C * TAPS);
    for (int i = 0; i < GROUP_C * TAPS; ++i)
        for (int j = 0; j < CHANNELS; ++j)
            packed[i * CHANNELS + j] = k0 + j < GROUP_K ? filters[j * (GROUP_C * TAPS) + i] : 0.0f;
}

static inline __attribute__((always_inline)) void row_tile(const float *restrict rows, const float *restrict packed,
                                                            float *restrict out, int q0, int channels) {
    vec sum[CHANNELS][VECTORS] = {0};
    for (int c = 0; c < GROUP_C; ++c)
        for (int r = 0; r < DIM_R; ++r) {
            const float *line = rows + (c * HEIGHT + r * DIM_DILATION) * (DIM_STRIDE * PHASE) + q0;
#pragma GCC unroll 16
            for (int s = 0; s < DIM_R; ++s) {
                const float *from = line + s * DIM_DILATION % DIM_STRIDE * PHASE + s * DIM_DILATION / DIM_STRIDE;
                const float *w = packed + ((c * DIM_R + r) * DIM_R + s) * CHANNELS;
                vec value[VECTORS];
#pragma GCC unroll 16
                for (int v = 0; v < VECTORS; ++v) value[v] = *(const loose *)(from + v * LANES);
#pragma GCC unroll 16
                for (int k = 0; k < CHANNELS; ++k)
#pragma GCC unroll 16
                    for (int v = 0; v < VECTORS; ++v) sum[k][v] += value[v] * w[k];
            }
        }
    const int left = DIM_Q - q0 < SPAN ? DIM_Q - q0 : SPAN;
#pragma GCC unroll 16
    for (int k = 0; k < CHANNELS; ++k) {
        if (k >= channels) break;
        float *to = out + k * (DIM_P * DIM_Q) + q0;
        if (left == SPAN)
#pragma GCC unroll 16
            for (int v = 0; v < VECTORS; ++v) *(loose *)(to + v * LANES) = sum[k][v];
        else
            for (int i = 0; i < left; ++i) to[i] = ((const float *)sum[k])[i];
    }
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
                pack_row(line, padded + (plane * HEIGHT + row) * (DIM_STRIDE * PHASE));
            }
#pragma omp for
        for (int block = 0; block < DIM_GROUPS * BLOCKS; ++block)
            pack_weight(weight, packed + block * (GROUP_C * TAPS * CHANNELS), block);
#pragma omp for collapse(3)
        for (int plane = 0; plane < DIM_N * DIM_GROUPS; ++plane)
            for (int p = 0; p < DIM_P; ++p)
                for (int block = 0; block < BLOCKS; ++block) {
                    const int left = GROUP_K - block * CHANNELS;
                    const int channels = left < CHANNELS ? left : CHANNELS;
                    const float *rows = padded + (plane * GROUP_C * HEIGHT + p * DIM_STRIDE) * (DIM_STRIDE * PHASE);
                    const float *w = packed + (plane % DIM_GROUPS * BLOCKS + block) * (GROUP_C * TAPS * CHANNELS);
                    float *out = y + (plane * GROUP_K + block * CHANNELS) * (DIM_P * DIM_Q) + p * DIM_Q;
                    for (int q0 = 0; q0 < DIM_Q; q0 += SPAN) row_tile(rows, w, out, q0, channels);
                }
    }
}
