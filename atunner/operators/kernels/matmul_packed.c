/* Goto's scheme (Goto and van de Geijn, ACM TOMS 34(3), 2008): b is packed into panels of LANES * VECTORS columns, a into
   strips of ROWS rows, a strip block of TILE_M x TILE_K stays in the second-level cache, a panel in the first, and the
   micro-kernel keeps ROWS x VECTORS vectors of the product in registers. */
typedef float vec __attribute__((vector_size(4 * LANES)));
typedef float loose __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* A pragma line does not expand macros; the operator does. */
#define PRAGMA(text) _Pragma(#text)
#define UNROLLED(times) PRAGMA(GCC unroll times)

enum {
    SPAN = LANES * VECTORS,
    STRIPS = (DIM_M + ROWS - 1) / ROWS,
    PANELS = (DIM_N + SPAN - 1) / SPAN,
    STRIPS_OF_BLOCK = TILE_M / ROWS > 0 ? TILE_M / ROWS : 1,
    PANELS_OF_BLOCK = TILE_N / SPAN > 0 ? TILE_N / SPAN : 1,
    BLOCKS_M = (STRIPS + STRIPS_OF_BLOCK - 1) / STRIPS_OF_BLOCK,
    BLOCKS_N = (PANELS + PANELS_OF_BLOCK - 1) / PANELS_OF_BLOCK,
};

static inline int least(int x, int y) { return x < y ? x : y; }

static void pack_strip(const float *restrict a, float *restrict to, int strip) {
    const int rows = least(ROWS, DIM_M - strip * ROWS);
    for (int i = 0; i < ROWS; ++i)
        for (int k = 0; k < DIM_K; ++k) to[k * ROWS + i] = i < rows ? a[(strip * ROWS + i) * DIM_K + k] : 0.0f;
}

static void pack_panel(const float *restrict b, float *restrict to, int panel) {
    const int columns = least(SPAN, DIM_N - panel * SPAN);
    for (int k = 0; k < DIM_K; ++k)
        for (int j = 0; j < SPAN; ++j) to[k * SPAN + j] = j < columns ? b[k * DIM_N + panel * SPAN + j] : 0.0f;
}

static void tile(const float *restrict strip, const float *restrict panel, float *restrict c, int depth, int rows,
                 int columns, int begun) {
    vec sum[ROWS][VECTORS] = {0};
    UNROLLED(UNROLL)
    for (int k = 0; k < depth; ++k) {
        vec value[VECTORS];
#pragma GCC unroll 16
        for (int v = 0; v < VECTORS; ++v) value[v] = *(const loose *)(panel + k * SPAN + v * LANES);
#pragma GCC unroll 16
        for (int i = 0; i < ROWS; ++i)
#pragma GCC unroll 16
            for (int v = 0; v < VECTORS; ++v) sum[i][v] += value[v] * strip[k * ROWS + i];
    }
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; ++i) {
        if (i >= rows) break;
        float *to = c + i * DIM_N;
        if (columns == SPAN)
#pragma GCC unroll 16
            for (int v = 0; v < VECTORS; ++v) {
                loose *at = (loose *)(to + v * LANES);
                *at = sum[i][v] + (begun ? (vec)*at : (vec){0});
            }
        else
            for (int j = 0; j < columns; ++j) to[j] = (begun ? to[j] : 0.0f) + ((const float *)sum[i])[j];
    }
}

static void block(const float *restrict strips, const float *restrict panels, float *restrict c, int m, int n) {
    const int last_strip = least(STRIPS, (m + 1) * STRIPS_OF_BLOCK);
    const int last_panel = least(PANELS, (n + 1) * PANELS_OF_BLOCK);
    for (int k0 = 0; k0 < DIM_K; k0 += TILE_K)
        for (int panel = n * PANELS_OF_BLOCK; panel < last_panel; ++panel)
            for (int strip = m * STRIPS_OF_BLOCK; strip < last_strip; ++strip)
                tile(strips + (strip * DIM_K + k0) * ROWS, panels + (panel * DIM_K + k0) * SPAN,
                     c + strip * ROWS * DIM_N + panel * SPAN, least(TILE_K, DIM_K - k0), least(ROWS, DIM_M - strip * ROWS),
                     least(SPAN, DIM_N - panel * SPAN), k0 > 0);
}

void matmul(const float *restrict a, const float *restrict b, float *restrict c, float *restrict strips,
            float *restrict panels) {
#pragma omp parallel
    {
#pragma omp for nowait
        for (int strip = 0; strip < STRIPS; ++strip) pack_strip(a, strips + strip * ROWS * DIM_K, strip);
#pragma omp for
        for (int panel = 0; panel < PANELS; ++panel) pack_panel(b, panels + panel * SPAN * DIM_K, panel);
#pragma omp for collapse(2)
        for (int m = 0; m < BLOCKS_M; ++m)
            for (int n = 0; n < BLOCKS_N; ++n) block(strips, panels, c, m, n);
    }
}
