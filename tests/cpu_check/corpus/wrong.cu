//// global_read_past_the_end | grid 3 | block 128 | x in f4 300, y out f4 384 | out of bounds
__global__ void k(const float* x, float* y) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  y[i] = x[i];  // BUG
}
//// global_write_past_the_end | grid 1 | block 64 | y out f4 63 | out of bounds
__global__ void k(float* y) {
  y[threadIdx.x] = 1.0f;  // BUG
}
//// global_read_before_the_start | grid 1 | block 32 | x in f4 32, y out f4 32 | out of bounds
__global__ void k(const float* x, float* y) {
  int i = threadIdx.x;
  y[i] = x[i - 1];  // BUG
}
//// far_out_of_every_buffer | grid 1 | block 32 | y out f4 32 | in no buffer|out of bounds
__global__ void k(float* y) {
  long far = 1L << 33;
  y[threadIdx.x] = 0.0f;
  y[threadIdx.x + far] = 1.0f;  // BUG
}
//// static_shared_index | grid 1 | block 32 | y out f4 32 | out of bounds
__global__ void k(float* y) {
  __shared__ float kept[32];
  kept[threadIdx.x + 1] = 1.0f;  // BUG
  __syncthreads();
  y[threadIdx.x] = kept[threadIdx.x];
}
//// inner_index_of_a_tile | grid 1 | block 16 16 | x in f4 256, y out f4 256 | out of bounds
__global__ void k(const float* x, float* y) {
  __shared__ float tile[16][16];
  tile[threadIdx.y][threadIdx.x] = x[threadIdx.y * 16 + threadIdx.x];
  __syncthreads();
  int next = threadIdx.x + 1;
  y[threadIdx.y * 16 + threadIdx.x] = threadIdx.y < 15 ? tile[threadIdx.y][next] : 0.0f;  // BUG
}
//// shared_by_pointer_into_the_next | grid 1 | block 32 | y out f4 32 | out of bounds
__global__ void k(float* y) {
  __shared__ float first[32], second[32];
  second[threadIdx.x] = 0.0f;
  float* p = first;
  p[threadIdx.x * 2] = 1.0f;  // BUG
  __syncthreads();
  y[threadIdx.x] = second[threadIdx.x];
}
//// dynamic_shared_too_small | grid 1 | block 64 | shared 128 | y out f4 64 | out of bounds
__global__ void k(float* y) {
  extern __shared__ float kept[];
  kept[threadIdx.x] = 1.0f;  // BUG
  __syncthreads();
  y[threadIdx.x] = kept[threadIdx.x];
}
//// local_array_index | grid 1 | block 32 | x in i4 32, y out f4 32 | out of bounds
__global__ void k(const int* x, float* y) {
  float parts[4] = {1, 2, 3, 4};
  y[threadIdx.x] = parts[4 + threadIdx.x % 2];  // BUG
}
//// missing_barrier | grid 1 | block 64 | x in f4 64, y out f4 64 | race
__global__ void k(const float* x, float* y) {
  __shared__ float kept[64];
  kept[threadIdx.x] = x[threadIdx.x];  // BUG|EARLIER
  y[threadIdx.x] = kept[63 - threadIdx.x];  // BUG|EARLIER
}
//// missing_barrier_at_the_end_of_a_loop | grid 1 | block 64 | x in f4 256, y out f4 64 | race
__global__ void k(const float* x, float* y) {
  __shared__ float kept[64];
  float s = 0;
  for (int i = 0; i < 4; ++i) {
    kept[threadIdx.x] = x[i * 64 + threadIdx.x];  // BUG|EARLIER
    __syncthreads();
    s += kept[63 - threadIdx.x];  // BUG|EARLIER
  }
  y[threadIdx.x] = s;
}
//// missing_warp_barrier | grid 1 | block 32 | x in f4 32, y out f4 32 | race
__global__ void k(const float* x, float* y) {
  __shared__ float kept[32];
  kept[threadIdx.x] = x[threadIdx.x];  // BUG|EARLIER
  y[threadIdx.x] = kept[31 - threadIdx.x];  // BUG|EARLIER
}
//// warp_barrier_where_a_block_barrier_is_needed | grid 1 | block 64 | x in f4 64, y out f4 64 | race
__global__ void k(const float* x, float* y) {
  __shared__ float kept[64];
  kept[threadIdx.x] = x[threadIdx.x];  // BUG|EARLIER
  __syncwarp();
  y[threadIdx.x] = kept[63 - threadIdx.x];  // BUG|EARLIER
}
//// shared_reduction_without_warp_barriers | grid 1 | block 32 | x in f4 32, y out f4 1 | race
__global__ void k(const float* x, float* y) {
  __shared__ float part[32];
  part[threadIdx.x] = x[threadIdx.x];
  __syncwarp();
  if (threadIdx.x < 16) part[threadIdx.x] += part[threadIdx.x + 16];  // BUG|EARLIER
  if (threadIdx.x < 8) part[threadIdx.x] += part[threadIdx.x + 8];  // BUG|EARLIER
  if (threadIdx.x == 0) y[0] = part[0];
}
//// two_write_one_place | grid 1 | block 64 | y out f4 32 | race
__global__ void k(float* y) {
  y[threadIdx.x % 32] = threadIdx.x;  // BUG|EARLIER
}
//// blocks_write_one_place | grid 2 | block 32 | y out f4 32 | race
__global__ void k(float* y) {
  y[threadIdx.x] = blockIdx.x;  // BUG|EARLIER
}
//// plain_sum_of_all_blocks | grid 2 | block 1 | x in f4 2, y inout f4 1 | race
__global__ void k(const float* x, float* y) {
  y[0] += x[blockIdx.x];  // BUG|EARLIER
}
//// last_block_without_a_fence | grid 4 | block 1 | x in f4 4, part work f4 4, count inout zero i4 1, y out f4 1 | race
__global__ void k(const float* x, float* part, int* count, float* y) {
  part[blockIdx.x] = x[blockIdx.x];  // EARLIER
  if (atomicAdd(count, 1) == gridDim.x - 1) {
    float s = 0;
    for (int i = 0; i < gridDim.x; ++i) s += part[i];  // BUG
    y[0] = s;
  }
}
//// plain_read_beside_atomics | grid 1 | block 64 | y out i4 64, count inout zero i4 1 | race
__global__ void k(int* y, int* count) {
  atomicAdd(count, 1);  // BUG|EARLIER
  y[threadIdx.x] = *count;  // BUG|EARLIER
}
//// uninitialised_shared | grid 1 | block 32 | x in f4 32, y out f4 32 | uninitialised
__global__ void k(const float* x, float* y) {
  __shared__ float kept[32];
  if (threadIdx.x < 31) kept[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = kept[threadIdx.x];  // BUG
}
//// shared_of_the_block_before | grid 2 | block 32 | x in f4 64, y out f4 64 | uninitialised
__global__ void k(const float* x, float* y) {
  __shared__ float kept[32];
  if (blockIdx.x == 0) kept[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  y[blockIdx.x * 32 + threadIdx.x] = kept[threadIdx.x];  // BUG
}
//// workspace_is_not_zero | grid 1 | block 32 | x in f4 32, part work f4 32, y out f4 32 | uninitialised
__global__ void k(const float* x, float* part, float* y) {
  part[threadIdx.x] += x[threadIdx.x];  // BUG
  y[threadIdx.x] = part[threadIdx.x];
}
//// output_is_not_zero | grid 1 | block 32 | x in f4 32, y out f4 1 | uninitialised
__global__ void k(const float* x, float* y) {
  atomicAdd(y, x[threadIdx.x]);  // BUG
}
//// uninitialised_local | grid 1 | block 32 | x in f4 32, y out f4 32 | uninitialised
__global__ void k(const float* x, float* y) {
  float s;
  s += x[threadIdx.x];  // BUG
  y[threadIdx.x] = s;
}
//// misaligned_vector | grid 1 | block 8 | x in f4 40, y out f4 32 | misaligned
__global__ void k(const float* x, float* y) {
  const float* from = x + 1 + 4 * threadIdx.x;
  float4 v = *reinterpret_cast<const float4*>(from);  // BUG
  reinterpret_cast<float4*>(y)[threadIdx.x] = v;
}
//// misaligned_pair_in_shared | grid 1 | block 8 | x in f4 17, y out f4 16 | misaligned
__global__ void k(const float* x, float* y) {
  __shared__ float kept[17];
  for (int i = threadIdx.x; i < 17; i += 8) kept[i] = x[i];
  __syncthreads();
  float2 v = *(const float2*)&kept[2 * threadIdx.x + 1];  // BUG
  y[2 * threadIdx.x] = v.x, y[2 * threadIdx.x + 1] = v.y;
}
//// misaligned_row_of_half | grid 1 | block 1 | x in f2 32, y out f2 8 | misaligned
#include <cuda_fp16.h>
__global__ void k(const half* x, half* y) {
  *reinterpret_cast<uint4*>(y) = *reinterpret_cast<const uint4*>(x + 4);  // BUG
}
//// barrier_in_one_branch | grid 1 | block 64 | y out f4 64 | divergent barrier
__global__ void k(float* y) {
  if (threadIdx.x < 32) {
    __syncthreads();  // BUG
    y[threadIdx.x] = 1.0f;
  } else {
    y[threadIdx.x] = 2.0f;
    __syncthreads();  // OR
  }
}
//// barrier_after_which_half_comes_again | grid 1 | block 64 | y out f4 64 | divergent barrier
__global__ void k(float* y) {
  for (int i = 0; i < 1 + threadIdx.x / 32; ++i) {
    __syncthreads();  // OR
  }
  y[threadIdx.x] = 1.0f;
  __syncthreads();  // BUG
}
//// shuffle_from_an_inactive_lane | grid 1 | block 32 | x in f4 32, y out f4 16 | inactive lane
__global__ void k(const float* x, float* y) {
  if (threadIdx.x < 16) {
    y[threadIdx.x] = __shfl_sync(0x0000ffffu, x[threadIdx.x], threadIdx.x + 8);  // BUG
  }
}
//// shuffle_in_half_a_warp_with_a_full_mask | grid 1 | block 32 | x in f4 32, y out f4 32 | never come
__global__ void k(const float* x, float* y) {
  float s = x[threadIdx.x];
  if (threadIdx.x < 16) {
    s += __shfl_down_sync(0xffffffffu, s, 8);  // BUG
  } else {
    __syncthreads();
  }
  y[threadIdx.x] = s;
}
//// block_smaller_than_a_warp | grid 1 | block 16 | x in f4 16, y out f4 1 | inactive lane
__global__ void k(const float* x, float* y) {
  float s = x[threadIdx.x];
  for (int d = 16; d; d >>= 1) {
    s += __shfl_down_sync(0xffffffffu, s, d);  // BUG
  }
  if (threadIdx.x == 0) y[0] = s;
}
//// lane_not_in_its_mask | grid 1 | block 32 | x in f4 32, y out f4 32 | not in its own mask
__global__ void k(const float* x, float* y) {
  y[threadIdx.x] = __shfl_sync(0x0000ffffu, x[threadIdx.x], 0);  // BUG
}
//// asynchronous_copy_not_waited_for | grid 1 | block 32 | x in f4 32, y out f4 32 | asynchronous copy
#include <cuda_pipeline.h>
__global__ void k(const float* x, float* y) {
  __shared__ float kept[32];
  __pipeline_memcpy_async(&kept[threadIdx.x], x + threadIdx.x, 4);  // EARLIER
  __pipeline_commit();
  __syncthreads();
  y[threadIdx.x] = kept[31 - threadIdx.x];  // BUG
}
//// asynchronous_copy_over_what_is_read | grid 1 | block 32 | x in f4 64, y out f4 32 | race
#include <cuda_pipeline.h>
__global__ void k(const float* x, float* y) {
  __shared__ float kept[32];
  float s = 0;
  for (int i = 0; i < 2; ++i) {
    __pipeline_memcpy_async(&kept[threadIdx.x], x + 32 * i + threadIdx.x, 4);  // BUG|EARLIER
    __pipeline_commit();
    __pipeline_wait_prior(0);
    __syncthreads();
    s += kept[31 - threadIdx.x];  // BUG|EARLIER
  }
  y[threadIdx.x] = s;
}
//// misaligned_asynchronous_copy | grid 1 | block 4 | x in f4 32, y out f4 16 | misaligned
#include <cuda_pipeline.h>
__global__ void k(const float* x, float* y) {
  __shared__ float4 kept[4];
  __pipeline_memcpy_async(&kept[threadIdx.x], x + 1 + 4 * threadIdx.x, 16);  // BUG
  __pipeline_commit();
  __pipeline_wait_prior(0);
  reinterpret_cast<float4*>(y)[threadIdx.x] = kept[threadIdx.x];
}
//// input_is_written | grid 1 | block 32 | x in f4 32, y out f4 32 | which is an input
__global__ void k(float* x, float* y) {
  y[threadIdx.x] = x[threadIdx.x];
  x[threadIdx.x] = 0.0f;  // BUG
}
//// division_by_zero | grid 1 | block 32 | x in i4 32, y out i4 32 | division
__global__ void k(const int* x, int* y) {
  y[threadIdx.x] = x[threadIdx.x] / int(threadIdx.x);  // BUG
}
//// output_not_written | grid 1 | block 32 | y out f4 33 | never written
__global__ void k(float* y) { y[threadIdx.x] = 1.0f; }
//// wrong_matrix_stride | grid 1 | block 32 | a in f2 256, y out f4 256 | out of bounds
#include <mma.h>
using namespace nvcuda;
__global__ void k(const half* a, float* y) {
  wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> fa;
  wmma::load_matrix_sync(fa, a, 24);  // BUG
  for (int i = 0; i < fa.num_elements; ++i) y[threadIdx.x * 8 + i] = fa.x[i];
}
//// lock_without_a_fence | grid 1 | block 64 | x in f4 64, lock inout zero i4 1, y inout f4 1 | race
__global__ void k(const float* x, int* lock, float* y) {
  while (atomicCAS(lock, 0, 1) != 0) {}
  y[0] += x[threadIdx.x];  // BUG|EARLIER
  atomicExch(lock, 0);
}
//// write_after_unlocking | grid 1 | block 64 | lock inout zero i4 1, y inout i4 1 | race
__global__ void k(int* lock, int* y) {
  while (atomicCAS(lock, 0, 1) != 0) {}
  int now = y[0];  // BUG|EARLIER
  __threadfence();
  atomicExch(lock, 0);
  y[0] = now + threadIdx.x;  // BUG|EARLIER
}
//// uninitialised_local_array | grid 1 | block 32 | x in f4 32, y out f4 32 | uninitialised
__global__ void k(const float* x, float* y) {
  float part[4];
  for (int i = 0; i < 4; ++i) part[i] += x[threadIdx.x];  // BUG
  y[threadIdx.x] = part[0] + part[3];
}
