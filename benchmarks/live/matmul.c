// C = A B for n x n matrices in tiles. ORDER is the order of the inner loops; PACK copies the tile of B first.
#ifndef TILE_I
#define TILE_I 16 // tune: 4, 8, 16, 32, 64
#endif
#ifndef TILE_J
#define TILE_J 32 // tune: 16, 32, 64, 96, 192
#endif
#ifndef TILE_K
#define TILE_K 16 // tune: 4, 8, 16, 32, 64
#endif
#ifndef ORDER
#define ORDER 0 // tune: 0, 1, 2
#endif
#ifndef PACK
#define PACK 0 // tune: 0, 1
#endif
// constraint: TILE_I * TILE_J <= 6144

static void tile(const float *a, const float *b, int stride, float *c, int n) {
#if ORDER == 0
    for (int i = 0; i < TILE_I; ++i)
        for (int j = 0; j < TILE_J; ++j) {
            float sum = c[i * n + j];
            for (int k = 0; k < TILE_K; ++k) sum += a[i * n + k] * b[k * stride + j];
            c[i * n + j] = sum;
        }
#elif ORDER == 1
    for (int i = 0; i < TILE_I; ++i)
        for (int k = 0; k < TILE_K; ++k)
            for (int j = 0; j < TILE_J; ++j) c[i * n + j] += a[i * n + k] * b[k * stride + j];
#else
    for (int k = 0; k < TILE_K; ++k)
        for (int i = 0; i < TILE_I; ++i)
            for (int j = 0; j < TILE_J; ++j) c[i * n + j] += a[i * n + k] * b[k * stride + j];
#endif
}

void matmul(const float *a, const float *b, float *c, int n) {
    for (int i = 0; i < n * n; ++i) c[i] = 0;
    for (int k = 0; k < n; k += TILE_K)
        for (int j = 0; j < n; j += TILE_J) {
#if PACK
            float packed[TILE_K * TILE_J];
            for (int p = 0; p < TILE_K; ++p)
                for (int q = 0; q < TILE_J; ++q) packed[p * TILE_J + q] = b[(k + p) * n + j + q];
            for (int i = 0; i < n; i += TILE_I) tile(a + i * n + k, packed, TILE_J, c + i * n + j, n);
#else
            for (int i = 0; i < n; i += TILE_I) tile(a + i * n + k, b + k * n + j, n, c + i * n + j, n);
#endif
        }
}
