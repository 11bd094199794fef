//// shuffle_down_sum | grid 1 | block 64 | x in f4 64, y out f4 2 | y = x.reshape(2, 32).sum(1)
__global__ void k(const float* x, float* y) {
  float s = x[threadIdx.x];
  for (int d = 16; d; d >>= 1) s += __shfl_down_sync(0xffffffffu, s, d);
  if ((threadIdx.x & 31) == 0) y[threadIdx.x >> 5] = s;
}
//// shuffle_up_scan | grid 1 | block 32 | x in f4 32, y out f4 32 | y = np.cumsum(x)
__global__ void k(const float* x, float* y) {
  float s = x[threadIdx.x];
  for (int d = 1; d < 32; d *= 2) {
    float o = __shfl_up_sync(0xffffffffu, s, d);
    if (threadIdx.x >= d) s += o;
  }
  y[threadIdx.x] = s;
}
//// shuffle_xor_in_halves | grid 1 | block 32 | x in f4 32, y out f4 32 | y = np.repeat(x.reshape(2, 16).max(1), 16)
__global__ void k(const float* x, float* y) {
  float s = x[threadIdx.x];
  for (int m = 8; m; m >>= 1) s = fmaxf(s, __shfl_xor_sync(~0u, s, m, 16));
  y[threadIdx.x] = s;
}
//// shuffle_double_and_index | grid 1 | block 32 | x in f8 32, y out f8 32 | y = x[(np.arange(32) * 5) % 32]
__global__ void k(const double* x, double* y) { y[threadIdx.x] = __shfl_sync(~0u, x[threadIdx.x], (threadIdx.x * 5) % 32); }
//// partial_mask | grid 1 | block 32 | x in f4 32, y out f4 1 | y = x[:16].sum()
__global__ void k(const float* x, float* y) {
  if (threadIdx.x < 16) {
    float s = x[threadIdx.x];
    for (int d = 8; d; d >>= 1) s += __shfl_down_sync(0x0000ffffu, s, d, 16);
    if (threadIdx.x == 0) y[0] = s;
  }
}
//// votes | grid 1 | block 32 | y out u4 96 | y = np.r_[np.full(32, 0x3ff), np.ones(32), np.zeros(32)]
__global__ void k(unsigned* y) {
  y[threadIdx.x] = __ballot_sync(~0u, threadIdx.x < 10);
  y[32 + threadIdx.x] = __any_sync(~0u, threadIdx.x == 7) != 0;
  y[64 + threadIdx.x] = __all_sync(~0u, threadIdx.x == 7);
}
//// match_any | grid 1 | block 32 | y out u4 32 | y = np.where(np.arange(32) % 2, 0xAAAAAAAA, 0x55555555)
__global__ void k(unsigned* y) { y[threadIdx.x] = __match_any_sync(~0u, threadIdx.x % 2); }
//// match_all | grid 1 | block 32 | y out i4 64 | y = np.r_[np.ones(32), np.zeros(32)]
__global__ void k(int* y) {
  int p, q;
  __match_all_sync(~0u, 7.0f, &p);
  __match_all_sync(~0u, int(threadIdx.x), &q);
  y[threadIdx.x] = p;
  y[32 + threadIdx.x] = q;
}
//// reduce_intrinsics | grid 1 | block 32 | y out i4 96 | y = np.r_[np.full(32, 496), np.full(32, -31), np.full(32, 31)]
__global__ void k(int* y) {
  int t = threadIdx.x;
  y[t] = __reduce_add_sync(~0u, t);
  y[32 + t] = __reduce_min_sync(~0u, -t);
  y[64 + t] = int(__reduce_or_sync(~0u, unsigned(t)));
}
//// warp_exchange_through_shared | grid 1 | block 64 | x in f4 64, y out f4 64 | y = x.reshape(2, 32)[:, ::-1]
__global__ void k(const float* x, float* y) {
  __shared__ float kept[64];
  int warp = threadIdx.x / 32 * 32, lane = threadIdx.x % 32;
  kept[threadIdx.x] = x[threadIdx.x];
  __syncwarp();
  y[threadIdx.x] = kept[warp + 31 - lane];
}
//// exited_lanes_are_not_waited_for | grid 1 | block 32 | x in f4 32, y out f4 20 | y = np.full(20, x[3])
__global__ void k(const float* x, float* y) {
  if (threadIdx.x >= 20) return;
  y[threadIdx.x] = __shfl_sync(~0u, x[threadIdx.x], 3);
}
//// tiles_of_eight | grid 1 | block 32 | x in f4 32, y out f4 32 | y = np.repeat(x.reshape(4, 8).sum(1), 8)
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
namespace cg = cooperative_groups;
__global__ void k(const float* x, float* y) {
  cg::thread_block block = cg::this_thread_block();
  auto tile = cg::tiled_partition<8>(block);
  float s = x[block.thread_rank()];
  y[block.thread_rank()] = cg::reduce(tile, s, cg::plus<float>());
}
//// tile_methods | grid 1 | block 32 | y out i4 64 | y = np.r_[np.tile([0, 0, 1, 2], 8), np.full(32, 3)]
#include <cooperative_groups.h>
__global__ void k(int* y) {
  auto block = cooperative_groups::this_thread_block();
  cooperative_groups::thread_block_tile<4> tile = cooperative_groups::tiled_partition<4>(block);
  int r = tile.thread_rank();
  y[threadIdx.x] = tile.shfl_up(r, 1);
  y[32 + threadIdx.x] = tile.ballot(r < 2);
  tile.sync();
  block.sync();
}
//// tile_scan | grid 1 | block 32 | x in f4 32, y out f4 32 | y = np.cumsum(x.reshape(2, 16), 1)
#include <cooperative_groups.h>
#include <cooperative_groups/scan.h>
namespace cg = cooperative_groups;
__global__ void k(const float* x, float* y) {
  auto tile = cg::tiled_partition<16>(cg::this_thread_block());
  y[threadIdx.x] = cg::inclusive_scan(tile, x[threadIdx.x], cg::plus<float>());
}
//// block_reduction_by_warps | grid 2 | block 128 | x in f4 256, y out f4 2 | y = x.reshape(2, 128).sum(1)
__device__ __forceinline__ float warp_sum(float v) {
#pragma unroll
  for (int d = 16; d > 0; d >>= 1) v += __shfl_xor_sync(0xffffffff, v, d);
  return v;
}
__global__ void k(const float* x, float* y) {
  __shared__ float part[4];
  float v = warp_sum(x[blockIdx.x * 128 + threadIdx.x]);
  if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = v;
  __syncthreads();
  if (threadIdx.x < 32) {
    v = warp_sum(threadIdx.x < 4 ? part[threadIdx.x] : 0.0f);
    if (threadIdx.x == 0) y[blockIdx.x] = v;
  }
}
