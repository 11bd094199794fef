// Cooperative groups: the block and tiles of a warp.
#pragma once

namespace cooperative_groups {

struct thread_block {
  ATUNNER_INLINE static void sync(unsigned line = __builtin_LINE()) { atunner::block_barrier(line); }
  ATUNNER_INLINE static unsigned thread_rank() { return (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x; }
  ATUNNER_INLINE static unsigned size() { return blockDim.x * blockDim.y * blockDim.z; }
  ATUNNER_INLINE static unsigned num_threads() { return size(); }
  ATUNNER_INLINE static dim3 group_index() { return blockIdx; }
  ATUNNER_INLINE static dim3 thread_index() { return threadIdx; }
  ATUNNER_INLINE static dim3 group_dim() { return blockDim; }
  ATUNNER_INLINE static dim3 dim_threads() { return blockDim; }
};
ATUNNER_INLINE thread_block this_thread_block() { return {}; }

template <unsigned N, class Parent = void> struct thread_block_tile {
  static_assert(N >= 1 && N <= 32 && (N & (N - 1)) == 0, "a tile has 1, 2, 4, 8, 16 or 32 threads");
  ATUNNER_INLINE static unsigned mask() { return N == 32 ? ~0u : ((1u << (N & 31)) - 1) << (atunner::lane() & ~(N - 1)); }
  ATUNNER_INLINE static unsigned thread_rank() { return atunner::lane() & (N - 1); }
  ATUNNER_INLINE static constexpr unsigned size() { return N; }
  ATUNNER_INLINE static constexpr unsigned num_threads() { return N; }
  ATUNNER_INLINE static unsigned meta_group_rank() { return thread_block::thread_rank() / N; }
  ATUNNER_INLINE static unsigned meta_group_size() { return (thread_block::size() + N - 1) / N; }
  ATUNNER_INLINE void sync(unsigned line = __builtin_LINE()) const { __syncwarp(mask(), line); }
  template <class T> ATUNNER_INLINE T shfl(T v, int from, unsigned line = __builtin_LINE()) const { return __shfl_sync(mask(), v, from, N, line); }
  template <class T> ATUNNER_INLINE T shfl_down(T v, unsigned d, unsigned line = __builtin_LINE()) const { return __shfl_down_sync(mask(), v, d, N, line); }
  template <class T> ATUNNER_INLINE T shfl_up(T v, unsigned d, unsigned line = __builtin_LINE()) const { return __shfl_up_sync(mask(), v, d, N, line); }
  template <class T> ATUNNER_INLINE T shfl_xor(T v, int m, unsigned line = __builtin_LINE()) const { return __shfl_xor_sync(mask(), v, m, N, line); }
  ATUNNER_INLINE unsigned ballot(int p, unsigned line = __builtin_LINE()) const { return own(__ballot_sync(mask(), p, line)); }
  ATUNNER_INLINE int any(int p, unsigned line = __builtin_LINE()) const { return __any_sync(mask(), p, line); }
  ATUNNER_INLINE int all(int p, unsigned line = __builtin_LINE()) const { return __all_sync(mask(), p, line); }
  template <class T> ATUNNER_INLINE unsigned match_any(T v, unsigned line = __builtin_LINE()) const { return own(__match_any_sync(mask(), v, line)); }
  template <class T> ATUNNER_INLINE unsigned match_all(T v, int& p, unsigned line = __builtin_LINE()) const { return own(__match_all_sync(mask(), v, &p, line)); }

 private:
  ATUNNER_INLINE static unsigned own(unsigned lanes) { return (lanes & mask()) >> (atunner::lane() & ~(N - 1)); }
};
template <unsigned N, class G> ATUNNER_INLINE thread_block_tile<N> tiled_partition(const G&) { return {}; }

ATUNNER_INLINE void sync(thread_block, unsigned line = __builtin_LINE()) { atunner::block_barrier(line); }
template <unsigned N> ATUNNER_INLINE void sync(const thread_block_tile<N>& tile, unsigned line = __builtin_LINE()) { tile.sync(line); }

template <class T> struct plus { ATUNNER_INLINE T operator()(T a, T b) const { return a + b; } };
template <class T> struct less { ATUNNER_INLINE T operator()(T a, T b) const { return b < a ? b : a; } };
template <class T> struct greater { ATUNNER_INLINE T operator()(T a, T b) const { return a < b ? b : a; } };
template <class T> struct bit_and { ATUNNER_INLINE T operator()(T a, T b) const { return a & b; } };
template <class T> struct bit_or { ATUNNER_INLINE T operator()(T a, T b) const { return a | b; } };
template <class T> struct bit_xor { ATUNNER_INLINE T operator()(T a, T b) const { return a ^ b; } };

template <unsigned N, class T, class F> ATUNNER_INLINE T reduce(const thread_block_tile<N>& tile, T value, F f, unsigned line = __builtin_LINE()) {
  for (unsigned distance = N / 2; distance; distance /= 2) value = f(value, tile.shfl_xor(value, static_cast<int>(distance), line));
  return value;
}
template <unsigned N, class T, class F> ATUNNER_INLINE T inclusive_scan(const thread_block_tile<N>& tile, T value, F f, unsigned line = __builtin_LINE()) {
  for (unsigned distance = 1; distance < N; distance *= 2) {
    T other = tile.shfl_up(value, distance, line);
    if (tile.thread_rank() >= distance) value = f(other, value);
  }
  return value;
}
template <unsigned N, class T> ATUNNER_INLINE T inclusive_scan(const thread_block_tile<N>& tile, T value, unsigned line = __builtin_LINE()) {
  return inclusive_scan(tile, value, plus<T>{}, line);
}
template <unsigned N, class T> ATUNNER_INLINE T exclusive_scan(const thread_block_tile<N>& tile, T value, unsigned line = __builtin_LINE()) {
  T before = tile.shfl_up(inclusive_scan(tile, value, plus<T>{}, line), 1, line);
  return tile.thread_rank() ? before : T{};
}

}  // namespace cooperative_groups
