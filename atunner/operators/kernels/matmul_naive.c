/* The definition, with its outer loop in parallel. */
void matmul(const float *restrict a, const float *restrict b, float *restrict c) {
#pragma omp parallel for collapse(2)
    for (int i = 0; i < DIM_M; ++i)
        for (int j = 0; j < DIM_N; ++j) {
            float sum = 0.0f;
            for (int k = 0; k < DIM_K; ++k) sum += a[i * DIM_K + k] * b[k * DIM_N + j];
            c[i * DIM_N + j] = sum;
        }
}
