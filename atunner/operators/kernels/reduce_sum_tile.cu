// Sum of each row, one thread per row over tiles in shared memory: ROWS rows by TILE columns are loaded together, so
// that neighbouring threads read neighbouring addresses, and each thread then adds up its own row of the tile.
//
// For short rows, where a warp per row would leave most lanes idle. The odd pitch keeps the column walk free of bank
// conflicts.
constexpr int PITCH = TILE | 1;

extern "C" __global__ void __launch_bounds__(ROWS)
reduce_sum(const float *__restrict__ x, float *__restrict__ y)
{
    __shared__ float tile[ROWS * PITCH];
    const long long top = (long long)blockIdx.x * ROWS;
    const int rows = DIM_ROWS - top < ROWS ? (int)(DIM_ROWS - top) : ROWS;
    const int t = threadIdx.x;
    float sum = 0.0f;
    for (int left = 0; left < DIM_COLS; left += TILE) {
        const int cols = DIM_COLS - left < TILE ? DIM_COLS - left : TILE;
#pragma unroll 4
        for (int i = t; i < rows * cols; i += ROWS) {
            const int r = i / cols;
            const int c = i - r * cols;
            tile[r * PITCH + c] = x[(top + r) * DIM_COLS + left + c];
        }
        __syncthreads();
        if (t < rows) {
            for (int c = 0; c < cols; ++c) {
                sum += tile[t * PITCH + c];
            }
        }
        __syncthreads();
    }
    if (t < rows) {
        y[top + t] = sum;
    }
}
