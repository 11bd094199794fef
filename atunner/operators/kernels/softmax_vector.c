// Softmax by rows in vectors of LANES elements: the maximum, then the exponentials, stored and summed, then one scaling.
//
// UNROLL vectors per step, each with its own running maximum and sum. For rows that stay in cache between the passes.
#include <stddef.h>
#include <string.h>

typedef float V __attribute__((vector_size(4 * LANES)));
typedef float Quad __attribute__((vector_size(16)));
typedef int Mask __attribute__((vector_size(4 * LANES)));
typedef unsigned Bits __attribute__((vector_size(4 * LANES)));

enum { STEP = LANES * UNROLL, WHOLE = DIM_COLS / LANES * LANES, REST = DIM_COLS - WHOLE };

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

static inline float row_max(const float *from)
{
    V tops[UNROLL];
    for (int u = 0; u < UNROLL; ++u) {
        tops[u] = (V){} + LOWEST;
    }
    int col = 0;
    for (; col + STEP <= WHOLE; col += STEP) {
        for (int u = 0; u < UNROLL; ++u) {
            tops[u] = larger(tops[u], load(from + col + u * LANES));
        }
    }
    for (; col < WHOLE; col += LANES) {
        tops[0] = larger(tops[0], load(from + col));
    }
    if (REST) {
        tops[0] = larger(tops[0], load_some(from + WHOLE, REST, LOWEST));
    }
    for (int u = 1; u < UNROLL; ++u) {
        tops[0] = larger(tops[0], tops[u]);
    }
    return lanes_max(tops[0]);
}

static inline float store_exponentials(const float *from, float *to, float largest)
{
    V sums[UNROLL] = {};
    int col = 0;
    for (; col + STEP <= WHOLE; col += STEP) {
        for (int u = 0; u < UNROLL; ++u) {
            const V e = exponential(load(from + col + u * LANES) - largest);
            store(to + col + u * LANES, e);
            sums[u] += e;
        }
    }
    for (; col < WHOLE; col += LANES) {
        const V e = exponential(load(from + col) - largest);
        store(to + col, e);
        sums[0] += e;
    }
    if (REST) {
        const V e = exponential(load_some(from + WHOLE, REST, LOWEST) - largest);
        store_some(to + WHOLE, e, REST);
        sums[0] += e;
    }
    for (int u = 1; u < UNROLL; ++u) {
        sums[0] += sums[u];
    }
    return lanes_sum(sums[0]);
}

void softmax(const float *restrict x, float *restrict y)
{
#pragma omp parallel for schedule(static)
    for (int row = 0; row < DIM_ROWS; ++row) {
        const float *from = x + (size_t)row * DIM_COLS;
        float *to = y + (size_t)row * DIM_COLS;
        const float scale = 1.0f / store_exponentials(from, to, row_max(from));
        for (int col = 0; col < WHOLE; col += LANES) {
            store(to + col, load(to + col) * scale);
        }
        for (int col = WHOLE; col < DIM_COLS; ++col) {
            to[col] *= scale;
        }
    }
}
