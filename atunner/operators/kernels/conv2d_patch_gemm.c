/* Patches by panel, then a blocked matrix product: for PANEL pixels at a time a thread writes DEPTH rows of the matrix of
   patches into its own small buffer, and a micro-kernel of CHANNELS x (LANES * VECTORS) multiplies it by packed weights. */
typedef float vec __attribute__((vector_size(4 * LANES)));
typedef float loose __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

enum {
    GROUP_C = DIM_C / DIM_GROUPS,
    GROUP_K = DIM_K / DIM_GROUPS,
    TAPS = DIM_R * DIM_R,
    TOTAL = GROUP_C * TAPS,
    IMAGE = DIM_P * DIM_Q,
    SPAN = LANES * VECTORS,
    PANELS = (IMAGE + PANEL - 1) / PANEL,
    BLOCKS = (GROUP_K + CHANNELS - 1) / CHANNELS,
    SHARES = (BLOCKS + SHARE - 1) / SHARE,
};

static void pack_weight(const float *restrict weight, float *restrict packed, int block) {
    const int k0 = block % BLOCKS * CHANNELS;
    const float *filters = weight + (block / BLOCKS * GROUP_K + k0) * TOTAL;
    for (int i = 0; i < TOTAL; ++i)
        for (int j = 0; j < CHANNELS; ++j)
            packed[i * CHANNELS + j] = k0 + j < GROUP_K ? filters[j * TOTAL + i] : 0.0f;
}

/* One row of patches: the input of one channel and tap for pixels first .. first + PANEL, line by line. */
static void gather(const float *restrict image, float *restrict to, int first, int tap) {
    const int r = tap / DIM_R * DIM_DILATION - DIM_PADDING;
    const int s = tap % DIM_R * DIM_DILATION - DIM_PADDING;
    int q = first % DIM_Q;
    int row = first / DIM_Q * DIM_STRIDE + r;
    for (int i = 0; i < PANEL; row += DIM_STRIDE, q = 0) {
        const int run = DIM_Q - q < PANEL - i ? DIM_Q - q : PANEL - i;
        const int inside = first + i < IMAGE && row >= 0 && row < DIM_H;
        const float *line = image + (inside ? row : 0) * DIM_W;
        for (int j = 0; j < run; ++j) {
            const int column = (q + j) * DIM_STRIDE + s;
            to[i + j] = inside && column >= 0 && column < DIM_W ? line[column] : 0.0f;
        }
        i += run;
    }
}

static inline __attribute__((always_inline)) void multiply(const float *restrict panel, const float *restrict packed,
                                                            float *restrict out, int depth, int pixels, int channels,
                                                            int begun) {
    vec sum[CHANNELS][VECTORS] = {0};
    for (int d = 0; d < depth; ++d) {
        vec value[VECTORS];
#pragma GCC unroll 16
        for (int v = 0; v < VECTORS; ++v) value[v] = *(const loose *)(panel + d * PANEL + v * LANES);
#pragma GCC unroll 16
        for (int k = 0; k < CHANNELS; ++k)
#pragma GCC unroll 16
            for (int v = 0; v < VECTORS; ++v) sum[k][v] += value[v] * packed[d * CHANNELS + k];
    }
#pragma GCC unroll 16
    for (int k = 0; k < CHANNELS; ++k) {
        if (k >= channels) break;
        float *to = out + k * IMAGE;
        if (pixels == SPAN)
#pragma GCC unroll 16
            for (int v = 0; v < VECTORS; ++v) {
                loose *at = (loose *)(to + v * LANES);
                *at = sum[k][v] + (begun ? (vec)*at : (vec){0});
            }
        else
            for (int i = 0; i < pixels; ++i) to[i] = (begun ? to[i] : 0.0f) + ((const float *)sum[k])[i];
    }
}

static void panel_times_weights(const float *restrict image, const float *restrict packed, float *restrict out, int first,
                                int from, int to) {
    float panel[DEPTH * PANEL] __attribute__((aligned(64)));
    for (int d0 = 0; d0 < TOTAL; d0 += DEPTH) {
        const int depth = TOTAL - d0 < DEPTH ? TOTAL - d0 : DEPTH;
        for (int d = 0; d < depth; ++d)
            gather(image + (d0 + d) / TAPS * (DIM_H * DIM_W), panel + d * PANEL, first, (d0 + d) % TAPS);
        for (int block = from; block < to; ++block) {
            const int channels = GROUP_K - block * CHANNELS < CHANNELS ? GROUP_K - block * CHANNELS : CHANNELS;
            for (int i = 0; i < PANEL && first + i < IMAGE; i += SPAN)
                multiply(panel + i, packed + (block * TOTAL + d0) * CHANNELS, out + block * CHANNELS * IMAGE + first + i,
                         depth, IMAGE - first - i < SPAN ? IMAGE - first - i : SPAN, channels, d0 > 0);
        }
    }
}

void conv2d(const float *restrict x, const float *restrict weight, float *restrict y, float *restrict packed) {
#pragma omp parallel
    {
#pragma omp for
        for (int block = 0; block < DIM_GROUPS * BLOCKS; ++block)
            pack_weight(weight, packed + block * (TOTAL * CHANNELS), block);
#pragma omp for collapse(3)
        for (int plane = 0; plane < DIM_N * DIM_GROUPS; ++plane)
            for (int panel = 0; panel < PANELS; ++panel)
                for (int share = 0; share < SHARES; ++share) {
                    const int to = (share + 1) * SHARE < BLOCKS ? (share + 1) * SHARE : BLOCKS;
                    panel_times_weights(x + plane * GROUP_C * (DIM_H * DIM_W),
                                        packed + plane % DIM_GROUPS * (BLOCKS * TOTAL * CHANNELS),
                                        y + plane * GROUP_K * IMAGE, panel * PANEL, share * SHARE, to);
                }
    }
}
