// Softmax for few long rows: SPLITS parts per row, shared among the threads. Each part's maximum and sum go to `partial`,
// are merged in one fixed order, and each part is then written; equal inputs give equal bits for any thread count.
//
// Within a part: online in blocks of BLOCK, vectors of LANES elements, UNROLL of them per step.
#include <math.h>
#include <stddef.h>
#include <string.h>

typedef float V __attribute__((vector_size(4 * LANES)));
typedef float Quad __attribute__((vector_size(16)));
typedef int Mask __attribute__((vector_size(4 * LANES)));
typedef unsigned Bits __attribute__((vector_size(4 * LANES)));

enum { STEP = LANES * UNROLL, PART = ((DIM_COLS + SPLITS - 1) / SPLITS + 15) / 16 * 16 };

static const float LOWEST = -3.402823466e+38f;

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

// The `count` < LANES elements at `from`, the other lanes filled with `rest`.
static inline V load_some(const float *from, int count, float rest)
{
    float values[LANES];
    for (int i = 0; i < LANES; ++i) {
        values[i] = i < count ? from[i] : rest;
    }
    return load(values);
}

static inline void store_some(float *to, V v, int count)
{
    float values[LANES];
    store(values, v);
    for (int i = 0; i < LANES; ++i) {
        if (i < count) {
            to[i] = values[i];
        }
    }
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

static inline V larger(V a, V b)
{
    const Mask above = a > b;
    return (V)((above & (Mask)a) | (~above & (Mask)b));
}

static inline float lanes_max(V v)
{
    float values[LANES];
    memcpy(values, &v, sizeof v);
    float largest = values[0];
    for (int i = 1; i < LANES; ++i) {
        largest = values[i] > largest ? values[i] : largest;
    }
    return largest;
}

// e^x for x <= 0, relative error about 1e-7: x = n ln 2 + r with |r| <= ln 2 / 2, a polynomial in r, and n added to
// the exponent field. Results that would not be normal numbers are 0.
static inline V exponential(V x)
{
    const V turns = x * 1.44269504f + 12582912.0f;
    const V r = x - (turns - 12582912.0f) * 0.693147182f;
    V p = r * 0.00831252057f + 0.0418901592f;
    p = p * r + 0.166671142f;
    p = p * r + 0.499992311f;
    p = p * (r * r) + r + 1.0f;
    const Bits scaled = (Bits)p + ((Bits)turns << 23);
    return (V)((Mask)scaled & (x > -87.33f));
}

typedef struct {
    float largest;
    float sum;
} Running;

static inline Running merged(Running a, Running b)
{
    const float largest = a.largest > b.largest ? a.largest : b.largest;
    const Running both = {largest, a.sum * expf(a.largest - largest) + b.sum * expf(b.largest - largest)};
    return both;
}

static inline float block_max(const float *from, int count)
{
    V tops[UNROLL];
    for (int u = 0; u < UNROLL; ++u) {
        tops[u] = (V){} + LOWEST;
    }
    int i = 0;
    for (; i + STEP <= count; i += STEP) {
        for (int u = 0; u < UNROLL; ++u) {
            tops[u] = larger(tops[u], load(from + i + u * LANES));
        }
    }
    for (; i + LANES <= count; i += LANES) {
        tops[0] = larger(tops[0], load(from + i));
    }
    if (i < count) {
        tops[0] = larger(tops[0], load_some(from + i, count - i, LOWEST));
    }
    for (int u = 1; u < UNROLL; ++u) {
        tops[0] = larger(tops[0], tops[u]);
    }
    return lanes_max(tops[0]);
}

static inline float block_sum(const float *from, int count, float largest)
{
    V sums[UNROLL] = {};
    int i = 0;
    for (; i + STEP <= count; i += STEP) {
        for (int u = 0; u < UNROLL; ++u) {
            sums[u] += exponential(load(from + i + u * LANES) - largest);
        }
    }
    for (; i + LANES <= count; i += LANES) {
        sums[0] += exponential(load(from + i) - largest);
    }
    if (i < count) {
        sums[0] += exponential(load_some(from + i, count - i, LOWEST) - largest);
    }
    for (int u = 1; u < UNROLL; ++u) {
        sums[0] += sums[u];
    }
    return lanes_sum(sums[0]);
}

// One pass over `count` elements in blocks of BLOCK, which stay in the first-level cache for the second look.
static inline Running gathered(const float *from, int count)
{
    Running seen = {LOWEST, 0.0f};
    for (int i = 0; i < count; i += BLOCK) {
        const int size = count - i < BLOCK ? count - i : BLOCK;
        const float top = block_max(from + i, size);
        if (top > seen.largest) {
            seen.sum *= expf(seen.largest - top);
            seen.largest = top;
        }
        seen.sum += block_sum(from + i, size, seen.largest);
    }
    return seen;
}

static inline void write(const float *from, float *to, int count, Running all)
{
    const float scale = 1.0f / all.sum;
    int i = 0;
    for (; i + STEP <= count; i += STEP) {
        for (int u = 0; u < UNROLL; ++u) {
            store(to + i + u * LANES, exponential(load(from + i + u * LANES) - all.largest) * scale);
        }
    }
    for (; i + LANES <= count; i += LANES) {
        store(to + i, exponential(load(from + i) - all.largest) * scale);
    }
    if (i < count) {
        const V last = load_some(from + i, count - i, LOWEST);
        store_some(to + i, exponential(last - all.largest) * scale, count - i);
    }
}

static inline int part_size(int part)
{
    const long left = DIM_COLS - (long)part * PART;
    return left < 0 ? 0 : (left < PART ? (int)left : PART);
}

void softmax(const float *restrict x, float *restrict partial, float *restrict y)
{
    Running *parts = (Running *)partial;
#pragma omp parallel
    {
#pragma omp for schedule(static)
        for (long i = 0; i < (long)DIM_ROWS * SPLITS; ++i) {
            const int part = (int)(i % SPLITS);
            const size_t start = (size_t)(i / SPLITS) * DIM_COLS + (size_t)part * PART;
            parts[i] = gathered(x + start, part_size(part));
        }
#pragma omp for schedule(static)
        for (long i = 0; i < (long)DIM_ROWS * SPLITS; ++i) {
            const int part = (int)(i % SPLITS);
            const size_t start = (size_t)(i / SPLITS) * DIM_COLS + (size_t)part * PART;
            Running all = {LOWEST, 0.0f};
            for (int k = 0; k < SPLITS; ++k) {
                all = merged(all, parts[i - part + k]);
            }
            write(x + start, y + start, part_size(part), all);
        }
    }
}
