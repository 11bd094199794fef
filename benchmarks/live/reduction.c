// The sum and the sum of squares of each row of an n x m matrix. LANES partial sums, UNROLL of them at once, in blocks.
#ifndef LANES
#define LANES 1 // tune: 1, 2, 4, 8, 16, 32, 64, 128
#endif
#ifndef UNROLL
#define UNROLL 1 // tune: 1, 2, 4, 8
#endif
#ifndef BLOCK
#define BLOCK 256 // tune: 128, 256, 512, 1024, 2048
#endif
#ifndef SEPARATE
#define SEPARATE 0 // tune: 0, 1
#endif
#ifndef ROWS
#define ROWS 1 // tune: 1, 2
#endif
// constraint: LANES * UNROLL <= BLOCK

static float folded(float *part) {
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int l = 0; l < width; ++l) part[l] += part[l + width];
    return part[0];
}

static void sums(const float *x, int m, float *out) {
    float total = 0, squares = 0;
    for (int from = 0; from < m; from += BLOCK) {
        float part[LANES] = {0}, square[LANES] = {0};
        for (int j = 0; j < BLOCK; j += LANES * UNROLL)
            for (int u = 0; u < UNROLL; ++u)
                for (int l = 0; l < LANES; ++l) {
                    const float v = x[from + j + u * LANES + l];
                    part[l] += v;
#if !SEPARATE
                    square[l] += v * v;
#endif
                }
#if SEPARATE
        for (int j = 0; j < BLOCK; j += LANES * UNROLL)
            for (int u = 0; u < UNROLL; ++u)
                for (int l = 0; l < LANES; ++l) square[l] += x[from + j + u * LANES + l] * x[from + j + u * LANES + l];
#endif
        total += folded(part);
        squares += folded(square);
    }
    out[0] = total;
    out[1] = squares;
}

void reduction(const float *x, float *y, int n, int m) {
    for (int i = 0; i < n; i += ROWS)
        for (int r = 0; r < ROWS; ++r) sums(x + (i + r) * m, m, y + 2 * (i + r));
}
