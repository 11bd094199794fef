// Mathematical functions, conversions and integer intrinsics.
#pragma once

#define ATUNNER_CONST ATUNNER_INLINE
// The C++ library's overloads, as device code finds them without std::.
using std::abs; using std::acos; using std::acosh; using std::asin; using std::asinh; using std::atan; using std::atan2;
using std::atanh; using std::cbrt; using std::ceil; using std::copysign; using std::cos; using std::cosh; using std::erf;
using std::erfc; using std::exp; using std::exp2; using std::expm1; using std::fabs; using std::fdim; using std::floor;
using std::fma; using std::fmax; using std::fmin; using std::fmod; using std::frexp; using std::hypot; using std::isfinite;
using std::isinf; using std::isnan; using std::ldexp; using std::lgamma; using std::llrint; using std::llround; using std::log;
using std::log10; using std::log1p; using std::log2; using std::logb; using std::lrint; using std::lround; using std::modf;
using std::nearbyint; using std::nextafter; using std::pow; using std::remainder; using std::rint; using std::round;
using std::signbit; using std::sin; using std::sinh; using std::sqrt; using std::tan; using std::tanh; using std::tgamma; using std::trunc;

template <class A, class B> ATUNNER_CONST constexpr std::common_type_t<A, B> min(A a, B b) {
  using C = std::common_type_t<A, B>;
  if constexpr (std::is_floating_point_v<C>) return std::fmin(static_cast<C>(a), static_cast<C>(b));
  else return static_cast<C>(b) < static_cast<C>(a) ? static_cast<C>(b) : static_cast<C>(a);
}
template <class A, class B> ATUNNER_CONST constexpr std::common_type_t<A, B> max(A a, B b) {
  using C = std::common_type_t<A, B>;
  if constexpr (std::is_floating_point_v<C>) return std::fmax(static_cast<C>(a), static_cast<C>(b));
  else return static_cast<C>(a) < static_cast<C>(b) ? static_cast<C>(b) : static_cast<C>(a);
}

ATUNNER_CONST float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
ATUNNER_CONST double rsqrt(double x) { return 1.0 / std::sqrt(x); }
ATUNNER_CONST float rsqrt(float x) { return rsqrtf(x); }
ATUNNER_CONST float rcbrtf(float x) { return 1.0f / std::cbrt(x); }
ATUNNER_CONST float exp10f(float x) { return static_cast<float>(std::pow(10.0, static_cast<double>(x))); }
ATUNNER_CONST float sinpif(float x) { return static_cast<float>(std::sin(3.14159265358979323846 * x)); }
ATUNNER_CONST float cospif(float x) { return static_cast<float>(std::cos(3.14159265358979323846 * x)); }
ATUNNER_CONST float normcdff(float x) { return 0.5f * std::erfc(-x * 0.70710678118654752f); }
ATUNNER_CONST float norm3df(float a, float b, float c) { return std::sqrt(a * a + b * b + c * c); }
ATUNNER_CONST float fdividef(float a, float b) { return a / b; }
ATUNNER_CONST float __fdividef(float a, float b) { return a / b; }
ATUNNER_CONST float __expf(float x) { return std::exp(x); }
ATUNNER_CONST float __exp10f(float x) { return exp10f(x); }
ATUNNER_CONST float __logf(float x) { return std::log(x); }
ATUNNER_CONST float __log2f(float x) { return std::log2(x); }
ATUNNER_CONST float __log10f(float x) { return std::log10(x); }
ATUNNER_CONST float __sinf(float x) { return std::sin(x); }
ATUNNER_CONST float __cosf(float x) { return std::cos(x); }
ATUNNER_CONST float __tanf(float x) { return std::tan(x); }
ATUNNER_CONST float __tanhf(float x) { return std::tanh(x); }
ATUNNER_CONST float __powf(float a, float b) { return std::pow(a, b); }
ATUNNER_INLINE void __sincosf(float x, float* s, float* c) { *s = std::sin(x), *c = std::cos(x); }
ATUNNER_CONST float __saturatef(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }
ATUNNER_CONST float __frcp_rn(float x) { return 1.0f / x; }
ATUNNER_CONST float __frsqrt_rn(float x) { return static_cast<float>(1.0 / std::sqrt(static_cast<double>(x))); }
ATUNNER_CONST float __fsqrt_rn(float x) { return std::sqrt(x); }
ATUNNER_CONST float __fadd_rn(float a, float b) { return a + b; }
ATUNNER_CONST float __fsub_rn(float a, float b) { return a - b; }
ATUNNER_CONST float __fmul_rn(float a, float b) { return a * b; }
ATUNNER_CONST float __fdiv_rn(float a, float b) { return a / b; }
ATUNNER_CONST float __fmaf_rn(float a, float b, float c) { return std::fma(a, b, c); }
ATUNNER_CONST double __dadd_rn(double a, double b) { return a + b; }
ATUNNER_CONST double __dmul_rn(double a, double b) { return a * b; }
ATUNNER_CONST double __fma_rn(double a, double b, double c) { return std::fma(a, b, c); }

ATUNNER_CONST int __float_as_int(float x) { return atunner::from_bits<int>(atunner::to_bits(x)); }
ATUNNER_CONST unsigned __float_as_uint(float x) { return atunner::from_bits<unsigned>(atunner::to_bits(x)); }
ATUNNER_CONST float __int_as_float(int x) { return atunner::from_bits<float>(atunner::to_bits(x)); }
ATUNNER_CONST float __uint_as_float(unsigned x) { return atunner::from_bits<float>(atunner::to_bits(x)); }
ATUNNER_CONST long long __double_as_longlong(double x) { return atunner::from_bits<long long>(atunner::to_bits(x)); }
ATUNNER_CONST double __longlong_as_double(long long x) { return atunner::from_bits<double>(atunner::to_bits(x)); }

namespace atunner {
// Conversions saturate on the device; NaN becomes zero.
template <class T> ATUNNER_INLINE T saturated(double x) {
  if (x != x) return 0;
  if (x <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
  if (x >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
  return static_cast<T>(x);
}
}  // namespace atunner
#define ATUNNER_CONVERT(FROM, NAME, TO, SUFFIX, ROUND) \
  ATUNNER_CONST TO __##FROM##2##NAME##_##SUFFIX(FROM x) { return atunner::saturated<TO>(ROUND(x)); }
#define ATUNNER_CONVERTS(FROM, NAME, TO)                 \
  ATUNNER_CONVERT(FROM, NAME, TO, rn, std::nearbyint)    \
  ATUNNER_CONVERT(FROM, NAME, TO, rz, std::trunc)        \
  ATUNNER_CONVERT(FROM, NAME, TO, ru, std::ceil)         \
  ATUNNER_CONVERT(FROM, NAME, TO, rd, std::floor)
ATUNNER_CONVERTS(float, int, int)
ATUNNER_CONVERTS(float, uint, unsigned)
ATUNNER_CONVERTS(float, ll, long long)
ATUNNER_CONVERTS(float, ull, unsigned long long)
ATUNNER_CONVERTS(double, int, int)
ATUNNER_CONVERTS(double, uint, unsigned)
ATUNNER_CONVERTS(double, ll, long long)
#undef ATUNNER_CONVERTS
#undef ATUNNER_CONVERT
ATUNNER_CONST float __int2float_rn(int x) { return static_cast<float>(x); }
ATUNNER_CONST float __uint2float_rn(unsigned x) { return static_cast<float>(x); }
ATUNNER_CONST float __ll2float_rn(long long x) { return static_cast<float>(x); }
ATUNNER_CONST double __int2double_rn(int x) { return x; }
ATUNNER_CONST float __double2float_rn(double x) { return static_cast<float>(x); }

ATUNNER_CONST int __popc(unsigned x) { return __builtin_popcount(x); }
ATUNNER_CONST int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
ATUNNER_CONST int __clz(int x) { return x ? __builtin_clz(static_cast<unsigned>(x)) : 32; }
ATUNNER_CONST int __clzll(long long x) { return x ? __builtin_clzll(static_cast<unsigned long long>(x)) : 64; }
ATUNNER_CONST int __ffs(int x) { return __builtin_ffs(x); }
ATUNNER_CONST int __ffsll(long long x) { return __builtin_ffsll(x); }
ATUNNER_CONST unsigned __brev(unsigned x) {
  x = (x >> 1 & 0x55555555u) | (x & 0x55555555u) << 1;
  x = (x >> 2 & 0x33333333u) | (x & 0x33333333u) << 2;
  x = (x >> 4 & 0x0F0F0F0Fu) | (x & 0x0F0F0F0Fu) << 4;
  return __builtin_bswap32(x);
}
ATUNNER_CONST unsigned __byte_perm(unsigned a, unsigned b, unsigned selector) {
  std::uint64_t bytes = static_cast<std::uint64_t>(b) << 32 | a;
  unsigned result = 0;
  for (int i = 0; i < 4; ++i) result |= static_cast<unsigned>(bytes >> (selector >> 4 * i & 7) * 8 & 0xFF) << 8 * i;
  return result;
}
ATUNNER_CONST int __mul24(int a, int b) { return ((a << 8) >> 8) * ((b << 8) >> 8); }
ATUNNER_CONST unsigned __umul24(unsigned a, unsigned b) { return (a & 0xFFFFFFu) * (b & 0xFFFFFFu); }
ATUNNER_CONST int __mulhi(int a, int b) { return static_cast<int>(static_cast<long long>(a) * b >> 32); }
ATUNNER_CONST unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>(static_cast<unsigned long long>(a) * b >> 32); }
ATUNNER_CONST unsigned __funnelshift_l(unsigned low, unsigned high, unsigned shift) {
  return static_cast<unsigned>((static_cast<std::uint64_t>(high) << 32 | low) << (shift & 31) >> 32);
}
ATUNNER_CONST unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return static_cast<unsigned>((static_cast<std::uint64_t>(high) << 32 | low) >> (shift & 31));
}
ATUNNER_CONST int __dp4a(int a, int b, int c) {
  for (int i = 0; i < 4; ++i) c += static_cast<signed char>(a >> 8 * i) * static_cast<signed char>(b >> 8 * i);
  return c;
}
ATUNNER_CONST unsigned __dp4a(unsigned a, unsigned b, unsigned c) {
  for (int i = 0; i < 4; ++i) c += (a >> 8 * i & 0xFF) * (b >> 8 * i & 0xFF);
  return c;
}
ATUNNER_CONST unsigned __sad(int a, int b, unsigned c) { return c + static_cast<unsigned>(a < b ? b - a : a - b); }
ATUNNER_CONST int __abs(int x) { return x < 0 ? -x : x; }

#define ATUNNER_LOAD(NAME) \
  template <class T> ATUNNER_INLINE T NAME(const T* address) { return *address; }
ATUNNER_LOAD(__ldg)
ATUNNER_LOAD(__ldca)
ATUNNER_LOAD(__ldcg)
ATUNNER_LOAD(__ldcs)
ATUNNER_LOAD(__ldlu)
ATUNNER_LOAD(__ldcv)
#undef ATUNNER_LOAD
#define ATUNNER_STORE(NAME) \
  template <class T> ATUNNER_INLINE void NAME(T* address, typename atunner::identity<T>::type value) { *address = value; }
ATUNNER_STORE(__stwb)
ATUNNER_STORE(__stcg)
ATUNNER_STORE(__stcs)
ATUNNER_STORE(__stwt)
#undef ATUNNER_STORE
#define CUDART_INF_F __builtin_inff()
#define CUDART_NAN_F __builtin_nanf("")
#define CUDART_INF __builtin_inf()
#define CUDART_PI_F 3.141592654f
