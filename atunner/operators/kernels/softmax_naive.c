// Softmax of each row: the largest value, the sum of the exponentials, then the quotients.
#include <math.h>
#include <stddef.h>

void softmax(const float *x, float *y)
{
#pragma omp parallel for
    for (int row = 0; row < DIM_ROWS; ++row) {
        const float *from = x + (size_t)row * DIM_COLS;
        float *to = y + (size_t)row * DIM_COLS;
        float largest = from[0];
        for (int col = 1; col < DIM_COLS; ++col) {
            largest = from[col] > largest ? from[col] : largest;
        }
        float sum = 0.0f;
        for (int col = 0; col < DIM_COLS; ++col) {
            sum += expf(from[col] - largest);
        }
        for (int col = 0; col < DIM_COLS; ++col) {
            to[col] = expf(from[col] - largest) / sum;
        }
    }
}
