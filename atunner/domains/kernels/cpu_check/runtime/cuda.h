// CUDA C++ for a host compiler: what NVRTC gives without any include.
#pragma once
#include <climits>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <type_traits>

#include "abi.h"

#define __global__
#define __device__
#define __host__
#define __managed__
#define __constant__
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __launch_bounds__(...)
#define __grid_constant__
#define __cluster_dims__(...) atunner_cannot_check_clusters
#define __align__(n) alignas(n)
#define __restrict__ __restrict
#define __builtin_align__(n) alignas(n)
#define __CUDA_ARCH__ 800
#define __CUDACC_RTC__ 1
#define ATUNNER_CPU_CHECK 1
#define ATUNNER_INLINE inline __attribute__((always_inline, artificial))

using uint = unsigned int;
using ushort = unsigned short;
using uchar = unsigned char;
using ulong = unsigned long;

#include "vectors.h"

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
  constexpr dim3(uint3 v) : x(v.x), y(v.y), z(v.z) {}
  constexpr operator uint3() const { return {x, y, z}; }
};

#define threadIdx (uint3{::atunner::thread_x(), ::atunner::thread_y(), ::atunner::thread_z()})
#define blockIdx (uint3{::atunner::block_x(), ::atunner::block_y(), ::atunner::block_z()})
#define blockDim (dim3{::atunner::block_extent(0), ::atunner::block_extent(1), ::atunner::block_extent(2)})
#define gridDim (dim3{::atunner::grid_extent(0), ::atunner::grid_extent(1), ::atunner::grid_extent(2)})
#define warpSize 32

ATUNNER_INLINE void __syncthreads(unsigned line = __builtin_LINE()) { atunner::block_barrier(line); }
ATUNNER_INLINE int __syncthreads_count(int p, unsigned line = __builtin_LINE()) { return atunner::block_barrier_vote(line, 0, p); }
ATUNNER_INLINE int __syncthreads_and(int p, unsigned line = __builtin_LINE()) { return atunner::block_barrier_vote(line, 1, p); }
ATUNNER_INLINE int __syncthreads_or(int p, unsigned line = __builtin_LINE()) { return atunner::block_barrier_vote(line, 2, p); }
ATUNNER_INLINE void __threadfence() { atunner::fence(true); }
ATUNNER_INLINE void __threadfence_system() { atunner::fence(true); }
ATUNNER_INLINE void __threadfence_block() { atunner::fence(false); }
ATUNNER_INLINE void __trap() { atunner::trap("__trap()"); }
ATUNNER_INLINE void __nanosleep(unsigned) {}
ATUNNER_INLINE long long clock64() { return 0; }
#undef assert
#define assert(condition) ((condition) ? (void)0 : ::atunner::trap("assert(" #condition ")"))

#include "warp.h"
#include "atomics.h"
#include "numbers.h"
#include "half.h"
#include "groups.h"
#include "pipeline.h"
#include "wmma.h"

#define memcpy ::atunner::copy
#define memset ::atunner::fill
