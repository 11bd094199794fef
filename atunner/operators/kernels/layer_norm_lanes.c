// Layer normalisation with one row per vector lane: LANES rows side by side, no reduction across lanes at all.
//
// For short rows. Columns are taken in tiles of TILE, with moments merged from tile to tile; where one tile holds the
// whole row it is transposed once, else a second time for writing.
#include <math.h>
#include <stddef.h>

#define EPS ((float)(DIM_EPS_PICO * 1e-12))

typedef float V __attribute__((vector_size(4 * LANES)));

enum { GROUPS = (DIM_ROWS + LANES - 1) / LANES };

// Columns of `rows` rows; missing rows repeat the last one.
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

void layer_norm(const float *restrict x, const float *restrict gamma, const float *restrict beta, float *restrict y)
{
#pragma omp parallel for schedule(static)
    for (int group = 0; group < GROUPS; ++group) {
        const size_t start = (size_t)group * LANES * DIM_COLS;
        const int rows = DIM_ROWS - group * LANES < LANES ? DIM_ROWS - group * LANES : LANES;
        V tile[TILE];
        V mean = {};
        V squares = {};
        for (int left = 0; left < DIM_COLS; left += TILE) {
            const int cols = DIM_COLS - left < TILE ? DIM_COLS - left : TILE;
            fetch(tile, x + start + left, rows, cols);
            V sum = {};
            for (int c = 0; c < cols; ++c) {
                sum += tile[c];
            }
            const V tile_mean = sum / (float)cols;
            for (int c = 0; c < cols; ++c) {
                squares += (tile[c] - tile_mean) * (tile[c] - tile_mean);
            }
            const float share = (float)cols / (left + cols);
            squares += (tile_mean - mean) * (tile_mean - mean) * (left * share);
            mean += (tile_mean - mean) * share;
        }
        V scale = squares / (float)DIM_COLS + EPS;
        for (int lane = 0; lane < LANES; ++lane) {
            scale[lane] = 1.0f / sqrtf(scale[lane]);
        }
        for (int left = 0; left < DIM_COLS; left += TILE) {
            const int cols = DIM_COLS - left < TILE ? DIM_COLS - left : TILE;
            if (DIM_COLS > TILE) {
                fetch(tile, x + start + left, rows, cols);
            }
            for (int c = 0; c < cols; ++c) {
                tile[c] = (tile[c] - mean) * scale * gamma[left + c] + beta[left + c];
            }
            put(y + start + left, tile, rows, cols);
        }
    }
}
