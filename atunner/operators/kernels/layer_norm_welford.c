// Layer normalisation by rows, streamed: one pass in blocks of BLOCK merges count, mean and sum of squared deviations
// (Chan's pairwise form of Welford), one pass writes; a row is read twice, whatever its length.
//
// Vectors of LANES elements, UNROLL of them per step.
#include <math.h>
#include <stddef.h>
#include <string.h>

#define EPS ((float)(DIM_EPS_PICO * 1e-12))

typedef float V __attribute__((vector_size(4 * LANES)));
typedef float Quad __attribute__((vector_size(16)));

enum { STEP = LANES * UNROLL };

static inline V load(const float *from)
{
    V v;
    memcpy(&v, from, sizeof v);
    return v;
}

static inline void store(float *to, V v)
{
    memcpy(to, &v, sizeof v);
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

static inline float squares_of(const float *from, long count, float mean)
{
    V sums[UNROLL] = {};
    long i = 0;
    for (; i + STEP <= count; i += STEP) {
        for (int u = 0; u < UNROLL; ++u) {
            const V apart = load(from + i + u * LANES) - mean;
            sums[u] += apart * apart;
        }
    }
    for (; i + LANES <= count; i += LANES) {
        const V apart = load(from + i) - mean;
        sums[0] += apart * apart;
    }
    float sum = 0.0f;
    for (; i < count; ++i) {
        sum += (from[i] - mean) * (from[i] - mean);
    }
    for (int u = 1; u < UNROLL; ++u) {
        sums[0] += sums[u];
    }
    return sum + lanes_sum(sums[0]);
}

typedef struct {
    float count;
    float mean;
    float squares;
} Moments;

static inline Moments merged(Moments a, Moments b)
{
    const float count = a.count + b.count;
    const float share = count > 0.0f ? b.count / count : 0.0f;
    const float apart = b.mean - a.mean;
    const Moments both = {count, a.mean + apart * share, a.squares + b.squares + apart * apart * a.count * share};
    return both;
}

// One pass over `count` elements in blocks of BLOCK, which stay in the first-level cache for the second look.
static inline Moments gathered(const float *from, long count)
{
    Moments seen = {0.0f, 0.0f, 0.0f};
    for (long i = 0; i < count; i += BLOCK) {
        const long size = count - i < BLOCK ? count - i : BLOCK;
        const float mean = sum_of(from + i, size) / size;
        const Moments block = {size, mean, squares_of(from + i, size, mean)};
        seen = merged(seen, block);
    }
    return seen;
}

static inline void
write(const float *from, const float *gamma, const float *beta, float *to, long count, float mean, float squares)
{
    const float scale = 1.0f / sqrtf(squares / DIM_COLS + EPS);
    long i = 0;
    for (; i + STEP <= count; i += STEP) {
        for (int u = 0; u < UNROLL; ++u) {
            const long at = i + u * LANES;
            store(to + at, (load(from + at) - mean) * scale * load(gamma + at) + load(beta + at));
        }
    }
    for (; i + LANES <= count; i += LANES) {
        store(to + i, (load(from + i) - mean) * scale * load(gamma + i) + load(beta + i));
    }
    for (; i < count; ++i) {
        to[i] = (from[i] - mean) * scale * gamma[i] + beta[i];
    }
}

void layer_norm(const float *restrict x, const float *restrict gamma, const float *restrict beta, float *restrict y)
{
#pragma omp parallel for schedule(static)
    for (int row = 0; row < DIM_ROWS; ++row) {
        const float *from = x + (size_t)row * DIM_COLS;
        const Moments all = gathered(from, DIM_COLS);
        write(from, gamma, beta, y + (size_t)row * DIM_COLS, DIM_COLS, all.mean, all.squares);
    }
}
