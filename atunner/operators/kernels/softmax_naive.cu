// Softmax of each row, one thread per row: the largest value, the sum of the exponentials, then the quotients.
extern "C" __global__ void softmax(const float *x, float *y)
{
    const long long row = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= DIM_ROWS) {
        return;
    }
    const float *from = x + row * DIM_COLS;
    float *to = y + row * DIM_COLS;
    float largest = from[0];
    for (int col = 1; col < DIM_COLS; ++col) {
        largest = fmaxf(largest, from[col]);
    }
    float sum = 0.0f;
    for (int col = 0; col < DIM_COLS; ++col) {
        sum += expf(from[col] - largest);
    }
    for (int col = 0; col < DIM_COLS; ++col) {
        to[col] = expf(from[col] - largest) / sum;
    }
}
