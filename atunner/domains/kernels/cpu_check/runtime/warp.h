// Warp intrinsics. A value travels as 64 bits.
#pragma once

namespace atunner {

template <class T> ATUNNER_INLINE std::uint64_t to_bits(T value) {
  static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>);
  std::uint64_t bits = 0;
  __builtin_memcpy(&bits, &value, sizeof value);
  return bits;
}
template <class T> ATUNNER_INLINE T from_bits(std::uint64_t bits) {
  T value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}
template <class T> ATUNNER_INLINE T shuffle(unsigned mask, T value, int source, unsigned line) {
  return from_bits<T>(collective(Collective::SHUFFLE, mask, to_bits(value), source, line));
}

}  // namespace atunner

ATUNNER_INLINE void __syncwarp(unsigned mask = ~0u, unsigned line = __builtin_LINE()) {
  atunner::collective(atunner::Collective::SYNC, mask, 0, 0, line);
}

template <class T> ATUNNER_INLINE T __shfl_sync(unsigned mask, T value, int source, int width = 32, unsigned line = __builtin_LINE()) {
  int lane = static_cast<int>(atunner::lane());
  return atunner::shuffle(mask, value, (lane & ~(width - 1)) | (source & (width - 1)), line);
}
template <class T> ATUNNER_INLINE T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32, unsigned line = __builtin_LINE()) {
  int lane = static_cast<int>(atunner::lane()), from = lane - static_cast<int>(delta);
  return atunner::shuffle(mask, value, from < (lane & ~(width - 1)) ? lane : from, line);
}
template <class T> ATUNNER_INLINE T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32, unsigned line = __builtin_LINE()) {
  int lane = static_cast<int>(atunner::lane()), from = lane + static_cast<int>(delta);
  return atunner::shuffle(mask, value, from > (lane | (width - 1)) ? lane : from, line);
}
template <class T> ATUNNER_INLINE T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32, unsigned line = __builtin_LINE()) {
  int lane = static_cast<int>(atunner::lane()), from = lane ^ lanes;
  return atunner::shuffle(mask, value, from > (lane | (width - 1)) ? lane : from, line);
}

ATUNNER_INLINE unsigned __ballot_sync(unsigned mask, int predicate, unsigned line = __builtin_LINE()) {
  return static_cast<unsigned>(atunner::collective(atunner::Collective::BALLOT, mask, predicate != 0, 0, line));
}
ATUNNER_INLINE int __any_sync(unsigned mask, int predicate, unsigned line = __builtin_LINE()) { return __ballot_sync(mask, predicate, line) != 0; }
ATUNNER_INLINE int __all_sync(unsigned mask, int predicate, unsigned line = __builtin_LINE()) { return __ballot_sync(mask, predicate == 0, line) == 0; }
template <class T> ATUNNER_INLINE unsigned __match_any_sync(unsigned mask, T value, unsigned line = __builtin_LINE()) {
  return static_cast<unsigned>(atunner::collective(atunner::Collective::MATCH_ANY, mask, atunner::to_bits(value), 0, line));
}
template <class T> ATUNNER_INLINE unsigned __match_all_sync(unsigned mask, T value, int* predicate, unsigned line = __builtin_LINE()) {
  unsigned found = static_cast<unsigned>(atunner::collective(atunner::Collective::MATCH_ALL, mask, atunner::to_bits(value), 0, line));
  *predicate = found != 0;
  return found;
}

#define ATUNNER_REDUCE(NAME, T, OPERATION)                                                              \
  ATUNNER_INLINE T NAME(unsigned mask, T value, unsigned line = __builtin_LINE()) {                     \
    return static_cast<T>(atunner::collective(atunner::Collective::REDUCE, mask, static_cast<unsigned>(value), OPERATION, line)); \
  }
ATUNNER_REDUCE(__reduce_add_sync, unsigned, 0)
ATUNNER_REDUCE(__reduce_add_sync, int, 0)
ATUNNER_REDUCE(__reduce_min_sync, unsigned, 1)
ATUNNER_REDUCE(__reduce_max_sync, unsigned, 2)
ATUNNER_REDUCE(__reduce_min_sync, int, 3)
ATUNNER_REDUCE(__reduce_max_sync, int, 4)
ATUNNER_REDUCE(__reduce_and_sync, unsigned, 5)
ATUNNER_REDUCE(__reduce_or_sync, unsigned, 6)
ATUNNER_REDUCE(__reduce_xor_sync, unsigned, 7)
#undef ATUNNER_REDUCE
