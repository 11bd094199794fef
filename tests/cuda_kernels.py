"""Kernels whose executed instructions are known by counting on paper."""

MATMUL = """
extern "C" __global__ void matmul(const float* a, const float* b, float* c) {
    __shared__ float tile[32][33];
    float sum = 0;
    int x = threadIdx.x, y = threadIdx.y;
    for (int k = 0; k < N / 32; k++) {
        tile[y][x] = a[(blockIdx.y * 32 + y) * N + k * 32 + x];
        __syncthreads();
        #pragma unroll 4
        for (int i = 0; i < 32; i++) sum += tile[y][i] * b[(k * 32 + i) * N + x];
        __syncthreads();
    }
    c[blockIdx.y * N + x] = sum;
}
"""

STRIDED_SUM = """
extern "C" __global__ void strided_sum(const float* a, float* out) {
    float sum = 0;
    for (int i = threadIdx.x; i < N; i += 256) sum += a[blockIdx.x * N + i];
    for (int mask = 16; mask; mask >>= 1) sum += __shfl_xor_sync(~0u, sum, mask);
    if (!(threadIdx.x & 31)) atomicAdd(out, sum);
}
"""

GUARDED = """
extern "C" __global__ void guarded(const float* a, const float* b, float* c) {
    int x = threadIdx.x + blockIdx.x * blockDim.x, y = threadIdx.y + blockIdx.y * blockDim.y;
    float sum = 0;
    if (x < N && y < N) {
        for (int k = 0; k < N; k++) sum += a[y * N + k] * b[k * N + x];
        c[y * N + x] = sum;
    }
}
"""

HALVING = """
extern "C" __global__ void halving(float* a) {
    float x = a[threadIdx.x];
    #pragma unroll 1
    for (int step = N; step > 0; step /= 2) x = x * x + 1.0f;
    a[threadIdx.x] = x;
}
"""

COPY = """
extern "C" __global__ void copy(const float4* a, float4* b, int n) {
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) b[i] = a[i];
}
"""

SPILLS = """
extern "C" __global__ void __launch_bounds__(1024) spills(float* a, int n) {
    float r[80];
    #pragma unroll
    for (int i = 0; i < 80; i++) r[i] = a[i * n + threadIdx.x];
    #pragma unroll
    for (int j = 0; j < 4; j++)
        #pragma unroll
        for (int i = 0; i < 80; i++) r[i] = r[i] * r[(i + 7) % 80] + r[(i + j) % 80];
    #pragma unroll
    for (int i = 0; i < 80; i++) a[i * n + threadIdx.x] = r[i];
}
"""

LOCAL_ARRAY = """
extern "C" __global__ void local_array(float* a, const int* index, int n) {
    float r[16];
    #pragma unroll
    for (int i = 0; i < 16; i++) r[i] = a[i * n];
    for (int i = 0; i < n; i++) r[index[i] & 15] += 1;
    #pragma unroll
    for (int i = 0; i < 16; i++) a[i] = r[i];
}
"""

WMMA = """
#include <mma.h>
using namespace nvcuda;
extern "C" __global__ void wmma_tile(const half* a, const half* b, float* c) {
    wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> left;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::col_major> right;
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
    wmma::fill_fragment(sum, 0.0f);
    for (int k = 0; k < N; k += 16) {
        wmma::load_matrix_sync(left, a + k, N);
        wmma::load_matrix_sync(right, b + k, N);
        wmma::mma_sync(sum, left, right, sum);
    }
    wmma::store_matrix_sync(c, sum, N, wmma::mem_row_major);
}
"""
