// Warp matrix operations as reference loops. Lane l holds elements l*n .. l*n+n-1 of its tile, row-major.
#pragma once

namespace nvcuda::wmma {

struct matrix_a {};
struct matrix_b {};
struct accumulator {};
struct row_major {};
struct col_major {};
enum layout_t { mem_row_major, mem_col_major };
namespace precision { struct tf32 {}; }

template <class T> struct element { using type = T; };
template <> struct element<precision::tf32> { using type = float; };

template <class Use, int M, int N, int K> struct tile_shape { static constexpr int rows = M, columns = N; };
template <int M, int N, int K> struct tile_shape<matrix_a, M, N, K> { static constexpr int rows = M, columns = K; };
template <int M, int N, int K> struct tile_shape<matrix_b, M, N, K> { static constexpr int rows = K, columns = N; };

template <class Use, int M, int N, int K, class T, class Layout = void> struct fragment {
  using element_type = typename element<T>::type;
  using storage_element_type = element_type;
  static constexpr int rows = tile_shape<Use, M, N, K>::rows, columns = tile_shape<Use, M, N, K>::columns;
  static constexpr int num_elements = rows * columns / 32, num_storage_elements = num_elements;
  static constexpr bool by_column = std::is_same_v<Layout, col_major>;
  element_type x[num_elements];
};

ATUNNER_INLINE float __float_to_tf32(float v) {
  unsigned bits = atunner::from_bits<unsigned>(atunner::to_bits(v));
  return atunner::from_bits<float>(static_cast<std::uint64_t>((bits + 0x1000u) & 0xFFFFE000u));
}

template <class F, class T> ATUNNER_INLINE void fill_fragment(F& fragment, const T& value) {
  for (auto& element : fragment.x) element = value;
}

template <class F, class T> ATUNNER_INLINE void load_tile(F& f, const T* from, unsigned stride, bool by_column, unsigned line) {
  atunner::aligned(from, stride * sizeof(T));
  int first = static_cast<int>(atunner::lane()) * F::num_elements;
  for (int i = 0; i < F::num_elements; ++i) {
    unsigned row = static_cast<unsigned>(first + i) / F::columns, column = static_cast<unsigned>(first + i) % F::columns;
    f.x[i] = by_column ? from[column * stride + row] : from[row * stride + column];
  }
  atunner::collective(atunner::Collective::GATHER, ~0u, 0, 0, line);
}
template <class U, int M, int N, int K, class E, class L, class T>
ATUNNER_INLINE void load_matrix_sync(fragment<U, M, N, K, E, L>& f, const T* from, unsigned stride, unsigned line = __builtin_LINE()) {
  load_tile(f, from, stride, f.by_column, line);
}
template <int M, int N, int K, class E, class T>
ATUNNER_INLINE void load_matrix_sync(fragment<accumulator, M, N, K, E>& f, const T* from, unsigned stride, layout_t layout, unsigned line = __builtin_LINE()) {
  load_tile(f, from, stride, layout == mem_col_major, line);
}
template <int M, int N, int K, class E, class T>
ATUNNER_INLINE void store_matrix_sync(T* to, const fragment<accumulator, M, N, K, E>& f, unsigned stride, layout_t layout, unsigned line = __builtin_LINE()) {
  atunner::aligned(to, stride * sizeof(T));
  atunner::collective(atunner::Collective::GATHER, ~0u, 0, 0, line);
  int first = static_cast<int>(atunner::lane()) * f.num_elements;
  for (int i = 0; i < f.num_elements; ++i) {
    unsigned row = static_cast<unsigned>(first + i) / N, column = static_cast<unsigned>(first + i) % N;
    to[layout == mem_col_major ? column * stride + row : row * stride + column] = f.x[i];
  }
}

template <int M, int N, int K, class A, class LA, class B, class LB, class C, class D>
ATUNNER_INLINE void mma_sync(fragment<accumulator, M, N, K, D>& d, const fragment<matrix_a, M, N, K, A, LA>& a,
                             const fragment<matrix_b, M, N, K, B, LB>& b, const fragment<accumulator, M, N, K, C>& c, bool = false,
                             unsigned line = __builtin_LINE()) {
  using FA = fragment<matrix_a, M, N, K, A, LA>;
  using FB = fragment<matrix_b, M, N, K, B, LB>;
  using Sum = std::conditional_t<std::is_integral_v<typename element<A>::type>, int, std::conditional_t<std::is_same_v<A, double>, double, float>>;
  const void* parts[2] = {&a, &b};
  atunner::collective(atunner::Collective::GATHER, ~0u, reinterpret_cast<std::uint64_t>(&parts[0]), 0, line);
  const std::uint64_t* lanes = atunner::gathered();
  int first = static_cast<int>(atunner::lane()) * d.num_elements;
  Sum sums[fragment<accumulator, M, N, K, D>::num_elements];
  for (int i = 0; i < d.num_elements; ++i) {
    int row = (first + i) / N, column = (first + i) % N;
    Sum sum = static_cast<Sum>(c.x[i]);
    for (int k = 0; k < K; ++k) {
      int at_a = row * K + k, at_b = k * N + column;
      auto* pa = static_cast<const FA*>(reinterpret_cast<const void* const*>(lanes[at_a / FA::num_elements])[0]);
      auto* pb = static_cast<const FB*>(reinterpret_cast<const void* const*>(lanes[at_b / FB::num_elements])[1]);
      sum += static_cast<Sum>(pa->x[at_a % FA::num_elements]) * static_cast<Sum>(pb->x[at_b % FB::num_elements]);
    }
    sums[i] = sum;
  }
  atunner::collective(atunner::Collective::GATHER, ~0u, 0, 0, line);
  for (int i = 0; i < d.num_elements; ++i) d.x[i] = static_cast<typename element<D>::type>(sums[i]);
}

}  // namespace nvcuda::wmma
