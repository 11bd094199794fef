// Sums with one row per vector lane: LANES rows side by side, no reduction across lanes at all; for short rows.
//
// Columns are transposed in tiles of TILE.
#include <stddef.h>
#include <string.h>

typedef float V __attribute__((vector_size(4 * LANES)));
typedef float Quad __attribute__((vector_size(16)));

enum { GROUPS = (DIM_ROWS + LANES - 1) / LANES };

void reduce_sum(const float *restrict x, float *restrict y)
{
#pragma omp parallel for schedule(static)
    for (int group = 0; group < GROUPS; ++group) {
        const float *from = x + (size_t)group * LANES * DIM_COLS;
        const int rows = DIM_ROWS - group * LANES < LANES ? DIM_ROWS - group * LANES : LANES;
        V tile[TILE];
        V sum = {};
        for (int left = 0; left < DIM_COLS; left += TILE) {
            const int cols = DIM_COLS - left < TILE ? DIM_COLS - left : TILE;
            for (int lane = 0; lane < LANES; ++lane) {
                const float *row = from + (size_t)(lane < rows ? lane : rows - 1) * DIM_COLS + left;
                for (int c = 0; c < cols; ++c) {
                    ((float *)(tile + c))[lane] = row[c];
                }
            }
            for (int c = 0; c < cols; ++c) {
                sum += tile[c];
            }
        }
        memcpy(y + (size_t)group * LANES, &sum, sizeof(float) * rows);
    }
}
