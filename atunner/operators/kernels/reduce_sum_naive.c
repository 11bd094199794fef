// Sum of each row.
#include <stddef.h>

void reduce_sum(const float *x, float *y)
{
#pragma omp parallel for
    for (int row = 0; row < DIM_ROWS; ++row) {
        float sum = 0.0f;
        for (int col = 0; col < DIM_COLS; ++col) {
            sum += x[(size_t)row * DIM_COLS + col];
        }
        y[row] = sum;
    }
}
