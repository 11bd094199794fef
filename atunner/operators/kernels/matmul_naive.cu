// One thread computes one element of the product and reads a row and a column from global memory.
extern "C" __global__ void matmul(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c) {
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= DIM_M * DIM_N) return;
    const int row = index / DIM_N;
    const int column = index % DIM_N;
    float sum = 0.0f;
    for (int k = 0; k < DIM_K; ++k) sum += a[row * DIM_K + k] * b[k * DIM_N + column];
    c[index] = sum;
}
