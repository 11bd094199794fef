// y = x * w for an image of n x m with a border of F - 1. Each step makes ROWS x TILE outputs from sums kept in an array.
#define F 7
#ifndef TILE
#define TILE 16 // tune: 8, 16, 32, 64, 128, 256
#endif
#ifndef ROWS
#define ROWS 1 // tune: 1, 2, 4, 8
#endif
#ifndef ORDER
#define ORDER 0 // tune: 0, 1, 2
#endif
#ifndef UNROLL_FILTER
#define UNROLL_FILTER 0 // tune: 0, 1
#endif
#ifndef BAND
#define BAND 8 // tune: 8, 16, 32, 64, 256
#endif
// constraint: TILE * ROWS <= 512

#if UNROLL_FILTER
#define UNROLLED _Pragma("GCC unroll 7")
#else
#define UNROLLED
#endif

static void block(const float *x, const float *w, float *y, int m, int wide) {
    float sum[ROWS][TILE];
    for (int r = 0; r < ROWS; ++r)
        for (int j = 0; j < TILE; ++j) sum[r][j] = 0;
#if ORDER == 0
    for (int r = 0; r < ROWS; ++r)
        for (int j = 0; j < TILE; ++j)
            for (int p = 0; p < F; ++p)
                UNROLLED for (int q = 0; q < F; ++q) sum[r][j] += w[p * F + q] * x[(r + p) * wide + j + q];
#elif ORDER == 1
    for (int p = 0; p < F; ++p)
        UNROLLED for (int q = 0; q < F; ++q)
            for (int r = 0; r < ROWS; ++r)
                for (int j = 0; j < TILE; ++j) sum[r][j] += w[p * F + q] * x[(r + p) * wide + j + q];
#else
    for (int r = 0; r < ROWS; ++r)
        for (int p = 0; p < F; ++p)
            UNROLLED for (int q = 0; q < F; ++q)
                for (int j = 0; j < TILE; ++j) sum[r][j] += w[p * F + q] * x[(r + p) * wide + j + q];
#endif
    for (int r = 0; r < ROWS; ++r)
        for (int j = 0; j < TILE; ++j) y[r * m + j] = sum[r][j];
}

void convolution(const float *x, const float *w, float *y, int n, int m) {
    const int wide = m + F - 1;
    for (int top = 0; top < n; top += BAND)
        for (int j = 0; j < m; j += TILE)
            for (int i = top; i < top + BAND; i += ROWS) block(x + i * wide + j, w, y + i * m + j, m, wide);
}
