// One thread computes one output element and reads everything it needs from global memory.
extern "C" __global__ void conv2d(const float* __restrict__ x, const float* __restrict__ weight,
                                  float* __restrict__ y) {
    const int index = blockIdx.x * blockDim.x + threadIdx.x;
    if (index >= DIM_N * DIM_K * DIM_P * DIM_Q) return;
    const int q = index % DIM_Q;
    const int p = index / DIM_Q % DIM_P;
    const int k = index / (DIM_Q * DIM_P) % DIM_K;
    const int n = index / (DIM_Q * DIM_P * DIM_K);
    const int channels = DIM_C / DIM_GROUPS;
    const int first = k / (DIM_K / DIM_GROUPS) * channels;
    float sum = 0.0f;
    for (int c = 0; c < channels; ++c)
        for (int r = 0; r < DIM_R; ++r)
            for (int s = 0; s < DIM_R; ++s) {
                const int row = p * DIM_STRIDE - DIM_PADDING + r * DIM_DILATION;
                const int column = q * DIM_STRIDE - DIM_PADDING + s * DIM_DILATION;
                if (row >= 0 && row < DIM_H && column >= 0 && column < DIM_W)
                    sum += x[((n * DIM_C + first + c) * DIM_H + row) * DIM_W + column] *
                           weight[((k * channels + c) * DIM_R + r) * DIM_R + s];
            }
    y[index] = sum;
}
