// Atomic functions: one CUDA thread runs at a time, so a read and a write make one.
#pragma once

namespace atunner {

template <class T, class F> ATUNNER_INLINE T atomically(T* address, F change) {
  T old = from_bits<T>(atomic_read(address, sizeof(T)));
  atomic_write(address, sizeof(T), to_bits<T>(change(old)));
  return old;
}
template <class T> struct identity { using type = T; };

}  // namespace atunner

#define ATUNNER_ATOMIC(NAME, EXPRESSION)                                                                     \
  template <class T> ATUNNER_INLINE T NAME(T* address, typename atunner::identity<T>::type value) {          \
    return atunner::atomically(address, [=](T old) -> T { return EXPRESSION; });                             \
  }                                                                                                          \
  template <class T> ATUNNER_INLINE T NAME##_block(T* address, typename atunner::identity<T>::type value) { return NAME(address, value); } \
  template <class T> ATUNNER_INLINE T NAME##_system(T* address, typename atunner::identity<T>::type value) { return NAME(address, value); }
ATUNNER_ATOMIC(atomicAdd, old + value)
ATUNNER_ATOMIC(atomicSub, old - value)
ATUNNER_ATOMIC(atomicExch, ((void)old, value))
ATUNNER_ATOMIC(atomicMin, value < old ? value : old)
ATUNNER_ATOMIC(atomicMax, old < value ? value : old)
ATUNNER_ATOMIC(atomicAnd, old & value)
ATUNNER_ATOMIC(atomicOr, old | value)
ATUNNER_ATOMIC(atomicXor, old ^ value)
ATUNNER_ATOMIC(atomicInc, old >= value ? 0 : old + 1)
ATUNNER_ATOMIC(atomicDec, old == 0 || old > value ? value : old - 1)
#undef ATUNNER_ATOMIC
template <class T> ATUNNER_INLINE T atomicCAS(T* address, typename atunner::identity<T>::type compare, typename atunner::identity<T>::type value) {
  return atunner::atomically(address, [=](T old) -> T { return atunner::to_bits<T>(old) == atunner::to_bits<T>(compare) ? value : old; });
}
