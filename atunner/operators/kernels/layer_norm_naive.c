// Layer normalisation of each row: the mean, the variance about it, then the affine result.
#include <math.h>
#include <stddef.h>

void layer_norm(const float *x, const float *gamma, const float *beta, float *y)
{
#pragma omp parallel for
    for (int row = 0; row < DIM_ROWS; ++row) {
        const float *from = x + (size_t)row * DIM_COLS;
        float *to = y + (size_t)row * DIM_COLS;
        float sum = 0.0f;
        for (int col = 0; col < DIM_COLS; ++col) {
            sum += from[col];
        }
        const float mean = sum / DIM_COLS;
        float squares = 0.0f;
        for (int col = 0; col < DIM_COLS; ++col) {
            squares += (from[col] - mean) * (from[col] - mean);
        }
        const float scale = 1.0f / sqrtf(squares / DIM_COLS + (float)(DIM_EPS_PICO * 1e-12));
        for (int col = 0; col < DIM_COLS; ++col) {
            to[col] = (from[col] - mean) * scale * gamma[col] + beta[col];
        }
    }
}
