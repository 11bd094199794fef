// cp.async: a copy arrives when it is waited for, not before.
#pragma once

ATUNNER_INLINE void __pipeline_memcpy_async(void* to, const void* from, std::size_t bytes, std::size_t zeroed = 0) {
  atunner::async_copy(to, from, static_cast<unsigned>(bytes), static_cast<unsigned>(zeroed));
}
ATUNNER_INLINE void __pipeline_commit() { atunner::async_commit(); }
ATUNNER_INLINE void __pipeline_wait_prior(std::size_t left) { atunner::async_wait(static_cast<unsigned>(left)); }

namespace cuda {

enum thread_scope { thread_scope_system, thread_scope_device, thread_scope_block, thread_scope_thread };
template <std::size_t A> struct aligned_size_t {
  std::size_t value;
  ATUNNER_INLINE constexpr explicit aligned_size_t(std::size_t bytes) : value(bytes) {}
  ATUNNER_INLINE constexpr operator std::size_t() const { return value; }
};

// Only the pipeline of one thread; those of a block need barriers in memory.
template <thread_scope S> struct pipeline {
  static_assert(S == thread_scope_thread, "cannot check: cuda::pipeline of a wider scope than a thread");
  ATUNNER_INLINE void producer_acquire() {}
  ATUNNER_INLINE void producer_commit() { atunner::async_commit(); }
  ATUNNER_INLINE void consumer_wait() { atunner::async_wait_oldest(); }
  ATUNNER_INLINE void consumer_release() {}
};
ATUNNER_INLINE pipeline<thread_scope_thread> make_pipeline() { return {}; }
template <unsigned LEFT> ATUNNER_INLINE void pipeline_consumer_wait_prior(pipeline<thread_scope_thread>&) { atunner::async_wait(LEFT); }
template <class T> ATUNNER_INLINE void memcpy_async(T* to, const T* from, std::size_t bytes, pipeline<thread_scope_thread>&) {
  atunner::async_copy(to, from, static_cast<unsigned>(bytes), 0);
}

}  // namespace cuda
