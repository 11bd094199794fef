// Separable blur along the rows of an n x m image, the ends repeated. TILE columns are summed together.
#ifndef TILE
#define TILE 16 // tune: 8, 16, 32, 64, 128, 256
#endif
#ifndef ROWS
#define ROWS 1 // tune: 1, 2, 4, 8
#endif
#ifndef RADIUS_OUTSIDE
#define RADIUS_OUTSIDE 0 // tune: 0, 1
#endif
// constraint: TILE * ROWS <= 512

static void tile(const float *x, const float *w, float *y, int m, int radius, int from, int to) {
#if RADIUS_OUTSIDE
    float sum[TILE] = {0};
    for (int d = -radius; d <= radius; ++d)
        for (int j = from; j < to; ++j) {
            int k = j + d < 0 ? 0 : j + d >= m ? m - 1 : j + d;
            sum[j - from] += w[d + radius] * x[k];
        }
    for (int j = from; j < to; ++j) y[j] = sum[j - from];
#else
    for (int j = from; j < to; ++j) {
        float sum = 0;
        for (int d = -radius; d <= radius; ++d) {
            int k = j + d < 0 ? 0 : j + d >= m ? m - 1 : j + d;
            sum += w[d + radius] * x[k];
        }
        y[j] = sum;
    }
#endif
}

void blur(const float *x, const float *w, float *y, int n, int m, int radius) {
    for (int i = 0; i < n; i += ROWS)
        for (int from = 0; from < m; from += TILE)
            for (int r = i; r < i + ROWS && r < n; ++r)
                tile(x + (long)r * m, w, y + (long)r * m, m, radius, from, from + TILE < m ? from + TILE : m);
}
