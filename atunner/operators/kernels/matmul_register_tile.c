/* ROWS x VECTORS vectors of the product stay in registers while all of k passes; both matrices are read in place.
   Columns beyond the last whole vector are read through a masked copy. */
typedef float vec __attribute__((vector_size(4 * LANES)));
typedef float loose __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

/* A pragma line does not expand macros; the operator does. */
#define PRAGMA(text) _Pragma(#text)
#define UNROLLED(times) PRAGMA(GCC unroll times)

enum {
    SPAN = LANES * VECTORS,
    ROW_TILES = (DIM_M + ROWS - 1) / ROWS,
    COLUMN_TILES = (DIM_N + SPAN - 1) / SPAN,
    SHARES = (ROW_TILES + SHARE - 1) / SHARE,
};

static inline __attribute__((always_inline)) void add_products(const float *const *rows, const float *restrict line, int k,
                                                                vec (*sum)[VECTORS]) {
    vec value[VECTORS];
#pragma GCC unroll 16
    for (int v = 0; v < VECTORS; ++v) value[v] = *(const loose *)(line + v * LANES);
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; ++i)
#pragma GCC unroll 16
        for (int v = 0; v < VECTORS; ++v) sum[i][v] += value[v] * rows[i][k];
}

static void tile(const float *restrict a, const float *restrict b, float *restrict c, int rows, int columns) {
    vec sum[ROWS][VECTORS] = {0};
    const float *from[ROWS];
    /* Rows that do not exist repeat the last one and are not stored. */
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; ++i) from[i] = a + (i < rows ? i : rows - 1) * DIM_K;
    if (columns == SPAN) {
        UNROLLED(UNROLL)
        for (int k = 0; k < DIM_K; ++k) add_products(from, b + k * DIM_N, k, sum);
    } else {
        for (int k = 0; k < DIM_K; ++k) {
            float line[SPAN] = {0};
            __builtin_memcpy(line, b + k * DIM_N, (unsigned)columns * sizeof(float));
            add_products(from, line, k, sum);
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; ++i)
        if (i < rows) __builtin_memcpy(c + i * DIM_N, sum[i], (unsigned)columns * sizeof(float));
}

void matmul(const float *restrict a, const float *restrict b, float *restrict c) {
#pragma omp parallel for collapse(2)
    for (int share = 0; share < SHARES; ++share)
        for (int column = 0; column < COLUMN_TILES; ++column)
            for (int row = share * SHARE; row < ROW_TILES && row < (share + 1) * SHARE; ++row) {
                const int rows = DIM_M - row * ROWS < ROWS ? DIM_M - row * ROWS : ROWS;
                const int columns = DIM_N - column * SPAN < SPAN ? DIM_N - column * SPAN : SPAN;
                tile(a + row * ROWS * DIM_K, b + column * SPAN, c + row * ROWS * DIM_N + column * SPAN, rows, columns);
            }
}
