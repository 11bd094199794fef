/* The definition, with its outer loops in parallel. */
void conv2d(const float *restrict x, const float *restrict weight, float *restrict y) {
    const int channels = DIM_C / DIM_GROUPS;
#pragma omp parallel for collapse(3)
    for (int n = 0; n < DIM_N; ++n)
        for (int k = 0; k < DIM_K; ++k)
            for (int p = 0; p < DIM_P; ++p)
                for (int q = 0; q < DIM_Q; ++q) {
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
                    y[((n * DIM_K + k) * DIM_P + p) * DIM_Q + q] = sum;
                }
}
