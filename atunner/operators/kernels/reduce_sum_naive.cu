// Sum of each row, one thread per row.
extern "C" __global__ void reduce_sum(const float *x, float *y)
{
    const long long row = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (row >= DIM_ROWS) {
        return;
    }
    float sum = 0.0f;
    for (int col = 0; col < DIM_COLS; ++col) {
        sum += x[row * DIM_COLS + col];
    }
    y[row] = sum;
}
