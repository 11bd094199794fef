// Sum of each row in vectors of LANES elements, UNROLL of them per step, each with its own running sum, so that no
// addition waits for the one before.
#include <stddef.h>
#include <string.h>

typedef float V __attribute__((vector_size(4 * LANES)));
typedef float Quad __attribute__((vector_size(16)));

enum { STEP = LANES * UNROLL };

static inline V load(const float *from)
{
    V v;
    memcpy(&v, from, sizeof v);
    return v;
}

static inline float lanes_sum(V v)
{
    Quad quads[LANES / 4];
    memcpy(quads, &v, sizeof v);
    for (int i = 1; i < LANES / 4; ++i) {
        quads[0] += quads[i];
    }
    return (quads[0][0] + quads[0][2]) + (quads[0][1] + quads[0][3]);
}

static inline float sum_of(const float *from, long count)
{
    V sums[UNROLL] = {};
    long i = 0;
    for (; i + STEP <= count; i += STEP) {
        for (int u = 0; u < UNROLL; ++u) {
            sums[u] += load(from + i + u * LANES);
        }
    }
    for (; i + LANES <= count; i += LANES) {
        sums[0] += load(from + i);
    }
    float sum = 0.0f;
    for (; i < count; ++i) {
        sum += from[i];
    }
    for (int u = 1; u < UNROLL; ++u) {
        sums[0] += sums[u];
    }
    return sum + lanes_sum(sums[0]);
}

void reduce_sum(const float *restrict x, float *restrict y)
{
#pragma omp parallel for schedule(static)
    for (int row = 0; row < DIM_ROWS; ++row) {
        y[row] = sum_of(x + (size_t)row * DIM_COLS, DIM_COLS);
    }
}
