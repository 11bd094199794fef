/* Rows of the product are built by adding multiples of rows of b, which are contiguous: loop order i, k, j. TILE_M rows and
   TILE_N columns are kept in a local block that stays in the first-level cache while k passes in steps of TILE_K. */
enum { ROWS = (DIM_M + TILE_M - 1) / TILE_M, COLUMNS = (DIM_N + TILE_N - 1) / TILE_N };

static inline int least(int x, int y) { return x < y ? x : y; }

static void block(const float *restrict a, const float *restrict b, float *restrict c, int rows, int columns) {
    float sum[TILE_M][TILE_N] __attribute__((aligned(64))) = {{0}};
    for (int k0 = 0; k0 < DIM_K; k0 += TILE_K)
        for (int i = 0; i < rows; ++i)
            for (int k = k0; k < least(k0 + TILE_K, DIM_K); k += UNROLL) {
                float value[UNROLL];
                const float *line[UNROLL];
                for (int u = 0; u < UNROLL; ++u) {
                    const int inside = k + u < least(k0 + TILE_K, DIM_K);
                    value[u] = inside ? a[i * DIM_K + k + u] : 0.0f;
                    line[u] = b + (inside ? k + u : k) * DIM_N;
                }
#pragma omp simd
                for (int j = 0; j < columns; ++j) {
                    float total = sum[i][j];
#pragma GCC unroll 8
                    for (int u = 0; u < UNROLL; ++u) total += value[u] * line[u][j];
                    sum[i][j] = total;
                }
            }
    for (int i = 0; i < rows; ++i) __builtin_memcpy(c + i * DIM_N, sum[i], (unsigned)columns * sizeof(float));
}

void matmul(const float *restrict a, const float *restrict b, float *restrict c) {
#pragma omp parallel for collapse(2)
    for (int i = 0; i < ROWS; ++i)
        for (int j = 0; j < COLUMNS; ++j)
            block(a + i * TILE_M * DIM_K, b + j * TILE_N, c + i * TILE_M * DIM_N + j * TILE_N,
                  least(TILE_M, DIM_M - i * TILE_M), least(TILE_N, DIM_N - j * TILE_N));
}
