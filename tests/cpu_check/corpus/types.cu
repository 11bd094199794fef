//// half_arithmetic | grid 1 | block 32 | x in f2 32, y out f2 32 | y = (x.astype("f4") * 2 + 1).astype("f2")
#include <cuda_fp16.h>
__global__ void k(const half* x, __half* y) { y[threadIdx.x] = __hfma(x[threadIdx.x], __float2half(2.0f), half(1.0f)); }
//// half_pairs | grid 1 | block 16 | x in f2 32, y out f2 32 | y = x + x
#include <cuda_fp16.h>
__global__ void k(const half2* x, half2* y) { y[threadIdx.x] = __hadd2(x[threadIdx.x], x[threadIdx.x]); }
//// half_rounding | grid 2 | block 256 | x in f4 512, y out f2 512 | y = x.astype("f2")
#include <cuda_fp16.h>
__global__ void k(const float* x, half* y) {
  int i = blockIdx.x * 256 + threadIdx.x;
  y[i] = __float2half_rn(x[i]);
}
//// half_in_shared | grid 1 | block 64 | x in f2 64, y out f4 64 | y = x[::-1].astype("f4")
#include <cuda_fp16.h>
__global__ void k(const half* x, float* y) {
  __shared__ half kept[64];
  kept[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = __half2float(kept[63 - threadIdx.x]);
}
//// bfloat_sum | grid 1 | block 32 | x in f4 32, y out f4 32 | y = (x.view("u4") + 0x7fff + (x.view("u4") >> 16 & 1) & 0xffff0000).view("f4")
#include <cuda_bf16.h>
__global__ void k(const float* x, float* y) {
  __nv_bfloat16 b = __float2bfloat16(x[threadIdx.x]);
  y[threadIdx.x] = __bfloat162float(b);
}
//// bfloat_pairs | grid 1 | block 16 | x in f4 32, y out f4 32 | y = 2 * np.round(x * 0)
#include <cuda_bf16.h>
__global__ void k(const float2* x, float2* y) {
  __nv_bfloat162 p = __float22bfloat162_rn(x[threadIdx.x]);
  y[threadIdx.x] = __bfloat1622float2(p - p);
}
//// vector_loads | grid 1 | block 16 | x in f4 64, y out f4 64 | y = x + 1
__global__ void k(const float* x, float* y) {
  float4 v = reinterpret_cast<const float4*>(x)[threadIdx.x];
  v.x += 1, v.y += 1, v.z += 1, v.w += 1;
  reinterpret_cast<float4*>(y)[threadIdx.x] = make_float4(v.x, v.y, v.z, v.w);
}
//// vectors_in_shared | grid 1 | block 32 | x in f4 64, y out f4 64 | y = x.reshape(32, 2)[::-1]
__global__ void k(const float2* x, float2* y) {
  __shared__ float kept[64];
  *reinterpret_cast<float2*>(&kept[2 * threadIdx.x]) = __ldg(&x[threadIdx.x]);
  __syncthreads();
  y[threadIdx.x] = *reinterpret_cast<float2*>(&kept[62 - 2 * threadIdx.x]);
}
//// read_only_loads | grid 1 | block 32 | x in i4 32, y out i4 32 | y = 2 * x
__global__ void k(const int* __restrict__ x, int* __restrict__ y) { y[threadIdx.x] = __ldg(x + threadIdx.x) + __ldcs(x + threadIdx.x); }
//// integer_intrinsics | grid 1 | block 4 | y out i4 4 | y = [3, 28, 4, 30]
__global__ void k(int* y) {
  int all[4] = {__popc(11), __clz(15), __ffs(8), __dp4a(0x01020304, 0x01020304, 0)};
  y[threadIdx.x] = all[threadIdx.x];
}
//// float_functions | grid 1 | block 32 | x in f4 32, y out f4 32 | y = 1 / np.sqrt(np.abs(x) + 1) + np.maximum(x, 0) + np.exp(x)
__global__ void k(const float* x, float* y) {
  float v = x[threadIdx.x];
  y[threadIdx.x] = rsqrtf(fabsf(v) + 1.0f) + max(v, 0.0f) + __expf(v);
}
//// float_bits | grid 1 | block 32 | x in f4 32, y out i4 32 | y = x.view("i4")
__global__ void k(const float* x, int* y) { y[threadIdx.x] = __float_as_int(x[threadIdx.x]); }
//// double_precision | grid 1 | block 32 | x in f8 32, y out f8 32 | y = x * x + 1
__global__ void k(const double* x, double* y) { y[threadIdx.x] = fma(x[threadIdx.x], x[threadIdx.x], 1.0); }
//// float_atomics | grid 4 | block 64 | x in f4 256, y inout f4 1 | y = y0 + x.sum()
__global__ void k(const float* x, float* y) { atomicAdd(y, x[blockIdx.x * 64 + threadIdx.x]); }
//// integer_atomics | grid 2 | block 64 | y inout i4 4 | y = [y0[0] + 128, max(y0[1], 127), min(y0[2], 0), y0[3] | 127]
__global__ void k(int* y) {
  int i = blockIdx.x * 64 + threadIdx.x;
  atomicAdd(&y[0], 1), atomicMax(&y[1], i), atomicMin(&y[2], i), atomicOr(&y[3], i);
}
//// compare_and_swap_loop | grid 1 | block 64 | x in f4 64, y inout f4 1 | y = max(y0[0], x.max())
__global__ void k(const float* x, float* y) {
  int* place = reinterpret_cast<int*>(y);
  int old = atomicAdd(place, 0), seen;
  do {
    seen = old;
    old = atomicCAS(place, seen, __float_as_int(fmaxf(x[threadIdx.x], __int_as_float(seen))));
  } while (old != seen);
}
//// shared_histogram | grid 2 | block 64 | y inout i4 8 | y = y0 + 16
__global__ void k(int* y) {
  __shared__ int bins[8];
  if (threadIdx.x < 8) bins[threadIdx.x] = 0;
  __syncthreads();
  atomicAdd(&bins[threadIdx.x % 8], 1);
  __syncthreads();
  if (threadIdx.x < 8) atomicAdd(&y[threadIdx.x], bins[threadIdx.x]);
}
//// last_block_finishes | grid 8 | block 32 | x in f4 256, part work f4 8, count inout zero i4 1, y out f4 1 | y = x.sum()
__global__ void k(const float* x, float* part, int* count, float* y) {
  __shared__ bool last;
  float v = x[blockIdx.x * 32 + threadIdx.x];
  for (int d = 16; d; d >>= 1) v += __shfl_xor_sync(~0u, v, d);
  if (threadIdx.x == 0) {
    part[blockIdx.x] = v;
    __threadfence();
    last = atomicAdd(count, 1) == gridDim.x - 1;
  }
  __syncthreads();
  if (last && threadIdx.x == 0) {
    float s = 0;
    for (int i = 0; i < gridDim.x; ++i) s += part[i];
    y[0] = s;
  }
}
//// asynchronous_copy | grid 1 | block 32 | x in f4 128, y out f4 128 | y = x.reshape(32, 4)[::-1]
#include <cuda_pipeline.h>
__global__ void k(const float4* x, float4* y) {
  __shared__ float4 kept[32];
  __pipeline_memcpy_async(&kept[threadIdx.x], &x[threadIdx.x], 16);
  __pipeline_commit();
  __pipeline_wait_prior(0);
  __syncthreads();
  y[threadIdx.x] = kept[31 - threadIdx.x];
}
//// double_buffered_copies | grid 1 | block 32 | x in f4 128, y out f4 32 | y = x.reshape(4, 32)[:, ::-1].sum(0)
#include <cuda_pipeline.h>
__global__ void k(const float* x, float* y) {
  __shared__ float kept[2][32];
  float s = 0;
  __pipeline_memcpy_async(&kept[0][threadIdx.x], x + threadIdx.x, 4);
  __pipeline_commit();
  for (int i = 0; i < 4; ++i) {
    if (i < 3) __pipeline_memcpy_async(&kept[(i + 1) % 2][threadIdx.x], x + (i + 1) * 32 + threadIdx.x, 4);
    __pipeline_commit();
    __pipeline_wait_prior(1);
    __syncthreads();
    s += kept[i % 2][31 - threadIdx.x];
    __syncthreads();
  }
  y[threadIdx.x] = s;
}
//// thread_pipeline | grid 1 | block 32 | x in f4 32, y out f4 32 | y = x[::-1]
#include <cuda/pipeline>
__global__ void k(const float* x, float* y) {
  __shared__ float kept[32];
  cuda::pipeline<cuda::thread_scope_thread> pipe = cuda::make_pipeline();
  pipe.producer_acquire();
  cuda::memcpy_async(&kept[threadIdx.x], x + threadIdx.x, sizeof(float), pipe);
  pipe.producer_commit();
  cuda::pipeline_consumer_wait_prior<0>(pipe);
  __syncthreads();
  y[threadIdx.x] = kept[31 - threadIdx.x];
}
//// warp_matrix_half | grid 1 | block 32 | a in f2 256, b in f2 256, y out f4 256 | y = a.reshape(16, 16).astype("f4") @ b.reshape(16, 16).astype("f4")
#include <mma.h>
using namespace nvcuda;
__global__ void k(const half* a, const half* b, float* y) {
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> fa;
  wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::row_major> fb;
  wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum;
  wmma::fill_fragment(sum, 0.0f);
  wmma::load_matrix_sync(fa, a, 16);
  wmma::load_matrix_sync(fb, b, 16);
  wmma::mma_sync(sum, fa, fb, sum);
  wmma::store_matrix_sync(y, sum, 16, wmma::mem_row_major);
}
//// warp_matrix_tf32_by_column | grid 1 | block 32 | a in i4 128, y out f4 256 | y = (a.reshape(16, 8) % 8).astype("f4") @ (a.reshape(16, 8) % 8).astype("f4").T
#include <mma.h>
using namespace nvcuda;
__global__ void k(const int* a, float* y) {
  __shared__ __align__(32) float kept[128];
  for (int i = threadIdx.x; i < 128; i += 32) kept[i] = float((a[i] % 8 + 8) % 8);
  __syncthreads();
  wmma::fragment<wmma::matrix_a, 16, 16, 8, wmma::precision::tf32, wmma::row_major> fa;
  wmma::fragment<wmma::matrix_b, 16, 16, 8, wmma::precision::tf32, wmma::col_major> fb;
  wmma::fragment<wmma::accumulator, 16, 16, 8, float> sum;
  wmma::fill_fragment(sum, 0.0f);
  wmma::load_matrix_sync(fa, kept, 8);
  wmma::load_matrix_sync(fb, kept, 8);
  for (int i = 0; i < fa.num_elements; ++i) fa.x[i] = wmma::__float_to_tf32(fa.x[i]);
  wmma::mma_sync(sum, fa, fb, sum);
  wmma::store_matrix_sync(y, sum, 16, wmma::mem_row_major);
}
//// lock_in_a_block | grid 2 | block 64 | x in f4 128, lock inout zero i4 1, y inout f4 1 | y = y0 + x.sum()
__global__ void k(const float* x, int* lock, float* y) {
  while (atomicCAS(lock, 0, 1) != 0) {}
  y[0] += x[blockIdx.x * 64 + threadIdx.x];
  __threadfence();
  atomicExch(lock, 0);
}
