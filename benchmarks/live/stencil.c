// Two sweeps of a nine-point stencil over an n x m grid with a border of two; FUSE does both for one band at a time.
#ifndef TILE_X
#define TILE_X 32 // tune: 16, 32, 64, 128, 256
#endif
#ifndef TILE_Y
#define TILE_Y 4 // tune: 1, 2, 4, 8, 16, 32
#endif
#ifndef FUSE
#define FUSE 0 // tune: 0, 1
#endif
#ifndef SPLIT
#define SPLIT 0 // tune: 0, 1, 2
#endif
#ifndef UNROLL
#define UNROLL 1 // tune: 1, 2, 4, 8
#endif
// constraint: UNROLL <= TILE_Y

static void rows(const float *x, float *y, int wide, int from, int to, int left, int right) {
    for (int i = from; i < to; i += UNROLL)
        for (int u = 0; u < UNROLL && i + u < to; ++u) {
            const float *p = x + (i + u) * wide;
            float *q = y + (i + u) * wide;
#if SPLIT == 0
            for (int j = left; j < right; ++j)
                q[j] = 0.2f * p[j] + 0.1f * (p[j - 1] + p[j + 1] + p[j - wide] + p[j + wide]) +
                       0.1f * (p[j - wide - 1] + p[j - wide + 1] + p[j + wide - 1] + p[j + wide + 1]);
#elif SPLIT == 1
            float line[TILE_X + 8];
            for (int j = left; j < right; ++j) line[j - left] = 0.2f * p[j] + 0.1f * (p[j - 1] + p[j + 1]);
            for (int j = left; j < right; ++j) line[j - left] += 0.1f * (p[j - wide - 1] + p[j - wide] + p[j - wide + 1]);
            for (int j = left; j < right; ++j)
                q[j] = line[j - left] + 0.1f * (p[j + wide - 1] + p[j + wide] + p[j + wide + 1]);
#else
            float column[TILE_X + 8];
            for (int j = left - 1; j < right + 1; ++j) column[j - left + 1] = 0.1f * (p[j - wide] + p[j] + p[j + wide]);
            for (int j = left; j < right; ++j)
                q[j] = column[j - left] + column[j - left + 1] + column[j - left + 2] + 0.1f * p[j];
#endif
        }
}

static void sweep(const float *x, float *y, int wide, int from, int to, int m) {
    for (int i = from; i < to; i += TILE_Y)
        for (int j = 1; j < m; j += TILE_X)
            rows(x, y, wide, i, i + TILE_Y < to ? i + TILE_Y : to, j, j + TILE_X < m ? j + TILE_X : m);
}

void stencil(const float *x, float *t, float *y, int n, int m) {
    const int wide = m + 4;
    for (int i = 0; i < (n + 4) * wide; ++i) t[i] = y[i] = 0;
#if FUSE
    sweep(x, t, wide, 1, 3, m + 3);
    for (int i = 2; i < n + 2; i += TILE_Y) {
        const int to = i + TILE_Y < n + 2 ? i + TILE_Y : n + 2;
        sweep(x, t, wide, i + 1, to + 1, m + 3);
        sweep(t, y, wide, i, to, m + 3);
    }
#else
    sweep(x, t, wide, 1, n + 3, m + 3);
    sweep(t, y, wide, 2, n + 2, m + 3);
#endif
}
