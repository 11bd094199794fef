// Softmax with one row per vector lane: LANES rows side by side, no reduction across lanes at all.
//
// For short rows. Columns are taken in tiles of TILE, with a running maximum; where one tile holds the whole row it is
// transposed once, else a second time for writing.
#include <stddef.h>
#include <string.h>

typedef float V __attribute__((vector_size(4 * LANES)));
typedef float Quad __attribute__((vector_size(16)));
typedef int Mask __attribute__((vector_size(4 * LANES)));
typedef unsigned Bits __attribute__((vector_size(4 * LANES)));

enum { GROUPS = (DIM_ROWS + LANES - 1) / LANES };

static const float LOWEST = -3.402823466e+38f;

static inline V larger(V a, V b)
{
    const Mask above = a > b;
    return (V)((above & (Mask)a) | (~above & (Mask)b));
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

// Columns [left, left + cols) of `rows` rows; missing rows repeat the last one.
static inline void fetch(V *tile, const float *from, int rows, int cols)
{
    for (int lane = 0; lane < LANES; ++lane) {
        const float *row = from + (size_t)(lane < rows ? lane : rows - 1) * DIM_COLS;
        for (int c = 0; c < cols; ++c) {
            ((float *)(tile + c))[lane] = row[c];
        }
    }
}

static inline void put(float *to, const V *tile, int rows, int cols)
{
    for (int lane = 0; lane < rows; ++lane) {
        for (int c = 0; c < cols; ++c) {
            to[(size_t)lane * DIM_COLS + c] = ((const float *)(tile + c))[lane];
        }
    }
}

void softmax(const float *restrict x, float *restrict y)
{
#pragma omp parallel for schedule(static)
    for (int group = 0; group < GROUPS; ++group) {
        const size_t start = (size_t)group * LANES * DIM_COLS;
        const int rows = DIM_ROWS - group * LANES < LANES ? DIM_ROWS - group * LANES : LANES;
        V tile[TILE];
        V largest = (V){} + LOWEST;
        V sum = {};
        for (int left = 0; left < DIM_COLS; left += TILE) {
            const int cols = DIM_COLS - left < TILE ? DIM_COLS - left : TILE;
            fetch(tile, x + start + left, rows, cols);
            V higher = largest;
            for (int c = 0; c < cols; ++c) {
                higher = larger(higher, tile[c]);
            }
            sum *= exponential(largest - higher);
            largest = higher;
            for (int c = 0; c < cols; ++c) {
                tile[c] = exponential(tile[c] - largest);
                sum += tile[c];
            }
        }
        const V scale = 1.0f / sum;
        for (int left = 0; left < DIM_COLS; left += TILE) {
            const int cols = DIM_COLS - left < TILE ? DIM_COLS - left : TILE;
            if (DIM_COLS > TILE) {
                fetch(tile, x + start + left, rows, cols);
                for (int c = 0; c < cols; ++c) {
                    tile[c] = exponential(tile[c] - largest);
                }
            }
            for (int c = 0; c < cols; ++c) {
                tile[c] *= scale;
            }
            put(y + start + left, tile, rows, cols);
        }
    }
}
