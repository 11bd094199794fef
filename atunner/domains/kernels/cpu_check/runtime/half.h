// __half and __nv_bfloat16 with their pairs; arithmetic in float and rounded once, which is exact rounding.
#pragma once

namespace atunner {

ATUNNER_INLINE unsigned round_shift(unsigned value, unsigned shift) {
  unsigned half = 1u << (shift - 1), rest = value & ((1u << shift) - 1), result = value >> shift;
  return result + (rest > half || (rest == half && (result & 1)));
}

// Round to nearest even; overflow gives infinity, as on the device.
inline unsigned short half_bits(float value) {
  unsigned x = from_bits<unsigned>(to_bits(value)), sign = x >> 16 & 0x8000u, magnitude = x & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) return 0x7FFFu;
  if (magnitude >= 0x477FF000u) return static_cast<unsigned short>(sign | 0x7C00u);
  if (magnitude >= 0x38800000u) return static_cast<unsigned short>(sign | round_shift(magnitude - 0x38000000u, 13));
  if (magnitude < 0x33000000u) return static_cast<unsigned short>(sign);
  unsigned exponent = magnitude >> 23;
  return static_cast<unsigned short>(sign | round_shift((magnitude & 0x7FFFFFu) | 0x800000u, 126 - exponent));
}
inline float half_value(unsigned short bits) {
  unsigned sign = (bits & 0x8000u) << 16, exponent = bits >> 10 & 31, fraction = bits & 0x3FFu;
  if (exponent == 31) return from_bits<float>(sign | 0x7F800000u | fraction << 13);
  if (exponent) return from_bits<float>(sign | (exponent + 112) << 23 | fraction << 13);
  float value = static_cast<float>(fraction) * 5.9604644775390625e-8f;
  return sign ? -value : value;
}
inline unsigned short bfloat_bits(float value) {
  unsigned x = from_bits<unsigned>(to_bits(value));
  if ((x & 0x7FFFFFFFu) > 0x7F800000u) return 0x7FFFu;
  return static_cast<unsigned short>((x + 0x7FFFu + (x >> 16 & 1)) >> 16);
}
inline float bfloat_value(unsigned short bits) { return from_bits<float>(static_cast<unsigned>(bits) << 16); }

}  // namespace atunner

#define ATUNNER_SMALL_FLOAT(T, T2, RAW, RAW2, ENCODE, DECODE)                                                   \
  struct RAW { unsigned short x; };                                                                             \
  struct T {                                                                                                    \
    unsigned short bits;                                                                                        \
    T() = default;                                                                                              \
    ATUNNER_INLINE T(RAW raw) : bits(raw.x) {}                                                                  \
    ATUNNER_INLINE T(float v) : bits(ENCODE(v)) {}                                                              \
    ATUNNER_INLINE T(double v) : bits(ENCODE(static_cast<float>(v))) {}                                         \
    template <class I, class = std::enable_if_t<std::is_integral_v<I>>> ATUNNER_INLINE T(I v) : bits(ENCODE(static_cast<float>(v))) {} \
    ATUNNER_INLINE operator float() const { return DECODE(bits); }                                              \
    ATUNNER_INLINE T& operator+=(T o) { return *this = T(float(*this) + float(o)); }                            \
    ATUNNER_INLINE T& operator-=(T o) { return *this = T(float(*this) - float(o)); }                            \
    ATUNNER_INLINE T& operator*=(T o) { return *this = T(float(*this) * float(o)); }                            \
    ATUNNER_INLINE T& operator/=(T o) { return *this = T(float(*this) / float(o)); }                            \
  };                                                                                                            \
  struct alignas(4) T2 {                                                                                        \
    T x, y;                                                                                                     \
    T2() = default;                                                                                             \
    ATUNNER_INLINE T2(T a, T b) : x(a), y(b) {}                                                                 \
    ATUNNER_INLINE T2& operator+=(T2 o) { return x += o.x, y += o.y, *this; }                                   \
    ATUNNER_INLINE T2& operator-=(T2 o) { return x -= o.x, y -= o.y, *this; }                                   \
    ATUNNER_INLINE T2& operator*=(T2 o) { return x *= o.x, y *= o.y, *this; }                                   \
    ATUNNER_INLINE T2& operator/=(T2 o) { return x /= o.x, y /= o.y, *this; }                                   \
  };                                                                                                            \
  ATUNNER_PAIRED(T, T2, operator+, __hadd, __hadd2, +)                                                          \
  ATUNNER_PAIRED(T, T2, operator-, __hsub, __hsub2, -)                                                          \
  ATUNNER_PAIRED(T, T2, operator*, __hmul, __hmul2, *)                                                          \
  ATUNNER_PAIRED(T, T2, operator/, __hdiv, __h2div, /)                                                          \
  ATUNNER_COMPARED(T, operator==, __heq, ==) ATUNNER_COMPARED(T, operator!=, __hne, !=)                         \
  ATUNNER_COMPARED(T, operator<, __hlt, <) ATUNNER_COMPARED(T, operator>, __hgt, >)                             \
  ATUNNER_COMPARED(T, operator<=, __hle, <=) ATUNNER_COMPARED(T, operator>=, __hge, >=)                         \
  ATUNNER_INLINE T operator-(T a) { T r; r.bits = a.bits ^ 0x8000u; return r; }                                 \
  ATUNNER_INLINE T __hneg(T a) { return -a; }                                                                   \
  ATUNNER_INLINE T __habs(T a) { T r; r.bits = a.bits & 0x7FFFu; return r; }                                    \
  ATUNNER_INLINE T __hfma(T a, T b, T c) { return T(static_cast<double>(float(a)) * float(b) + float(c)); }     \
  ATUNNER_INLINE T __hfma_relu(T a, T b, T c) { return T(std::fmax(0.0f, float(__hfma(a, b, c)))); }            \
  ATUNNER_INLINE T __hmax(T a, T b) { return T(std::fmax(float(a), float(b))); }                                \
  ATUNNER_INLINE T __hmin(T a, T b) { return T(std::fmin(float(a), float(b))); }                                \
  ATUNNER_INLINE bool __hisnan(T a) { return std::isnan(float(a)); }                                            \
  ATUNNER_INLINE int __hisinf(T a) { return std::isinf(float(a)); }                                             \
  ATUNNER_INLINE T2 __hfma2(T2 a, T2 b, T2 c) { return {__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)}; }        \
  ATUNNER_INLINE T2 __hmax2(T2 a, T2 b) { return {__hmax(a.x, b.x), __hmax(a.y, b.y)}; }                        \
  ATUNNER_INLINE T2 __hmin2(T2 a, T2 b) { return {__hmin(a.x, b.x), __hmin(a.y, b.y)}; }                        \
  ATUNNER_INLINE T2 __hneg2(T2 a) { return {-a.x, -a.y}; }                                                      \
  ATUNNER_INLINE T2 __habs2(T2 a) { return {__habs(a.x), __habs(a.y)}; }                                        \
  ATUNNER_INLINE float __low2float(T2 a) { return a.x; }                                                        \
  ATUNNER_INLINE float __high2float(T2 a) { return a.y; }                                                       \
  ATUNNER_FUNCTION(T, T2, exp, std::exp(v)) ATUNNER_FUNCTION(T, T2, exp2, std::exp2(v))                         \
  ATUNNER_FUNCTION(T, T2, log, std::log(v)) ATUNNER_FUNCTION(T, T2, log2, std::log2(v))                         \
  ATUNNER_FUNCTION(T, T2, sqrt, std::sqrt(v)) ATUNNER_FUNCTION(T, T2, rsqrt, 1.0f / std::sqrt(v))               \
  ATUNNER_FUNCTION(T, T2, rcp, 1.0f / v) ATUNNER_FUNCTION(T, T2, sin, std::sin(v))                              \
  ATUNNER_FUNCTION(T, T2, cos, std::cos(v)) ATUNNER_FUNCTION(T, T2, tanh, std::tanh(v))                         \
  ATUNNER_FUNCTION(T, T2, floor, std::floor(v)) ATUNNER_FUNCTION(T, T2, ceil, std::ceil(v))                     \
  ATUNNER_FUNCTION(T, T2, rint, std::nearbyint(v)) ATUNNER_FUNCTION(T, T2, trunc, std::trunc(v))
#define ATUNNER_PAIRED(T, T2, OPERATOR, NAME, NAME2, SIGN)                              \
  ATUNNER_INLINE T OPERATOR(T a, T b) { return T(float(a) SIGN float(b)); }             \
  ATUNNER_INLINE T NAME(T a, T b) { return T(float(a) SIGN float(b)); }                 \
  ATUNNER_INLINE T NAME##_rn(T a, T b) { return T(float(a) SIGN float(b)); }            \
  ATUNNER_INLINE T2 OPERATOR(T2 a, T2 b) { return {T(float(a.x) SIGN float(b.x)), T(float(a.y) SIGN float(b.y))}; } \
  ATUNNER_INLINE T2 NAME2(T2 a, T2 b) { return {T(float(a.x) SIGN float(b.x)), T(float(a.y) SIGN float(b.y))}; }
#define ATUNNER_COMPARED(T, OPERATOR, NAME, SIGN)                                       \
  ATUNNER_INLINE bool OPERATOR(T a, T b) { return float(a) SIGN float(b); }             \
  ATUNNER_INLINE bool NAME(T a, T b) { return float(a) SIGN float(b); }
#define ATUNNER_FUNCTION(T, T2, NAME, EXPRESSION)                                       \
  ATUNNER_INLINE T h##NAME(T a) { float v = a; return T(EXPRESSION); }                  \
  ATUNNER_INLINE T2 h2##NAME(T2 a) { return {h##NAME(a.x), h##NAME(a.y)}; }

ATUNNER_SMALL_FLOAT(__half, __half2, __half_raw, __half2_raw, atunner::half_bits, atunner::half_value)
ATUNNER_SMALL_FLOAT(__nv_bfloat16, __nv_bfloat162, __nv_bfloat16_raw, __nv_bfloat162_raw, atunner::bfloat_bits, atunner::bfloat_value)
#undef ATUNNER_SMALL_FLOAT
#undef ATUNNER_PAIRED
#undef ATUNNER_COMPARED
#undef ATUNNER_FUNCTION
using half = __half;
using half2 = __half2;
using nv_bfloat16 = __nv_bfloat16;
using nv_bfloat162 = __nv_bfloat162;

#define ATUNNER_NAMED(T, T2, ONE, PAIR, FROM_PAIR)                                                    \
  ATUNNER_INLINE T __float2##ONE(float v) { return T(v); }                                            \
  ATUNNER_INLINE T __float2##ONE##_rn(float v) { return T(v); }                                       \
  ATUNNER_INLINE T __double2##ONE(double v) { return T(v); }                                          \
  ATUNNER_INLINE T __int2##ONE##_rn(int v) { return T(v); }                                           \
  ATUNNER_INLINE T __uint2##ONE##_rn(unsigned v) { return T(v); }                                     \
  ATUNNER_INLINE float __##ONE##2float(T v) { return v; }                                             \
  ATUNNER_INLINE int __##ONE##2int_rn(T v) { return __float2int_rn(v); }                              \
  ATUNNER_INLINE int __##ONE##2int_rz(T v) { return __float2int_rz(v); }                              \
  ATUNNER_INLINE unsigned short __##ONE##_as_ushort(T v) { return v.bits; }                           \
  ATUNNER_INLINE short __##ONE##_as_short(T v) { return static_cast<short>(v.bits); }                 \
  ATUNNER_INLINE T __ushort_as_##ONE(unsigned short v) { T r; r.bits = v; return r; }                 \
  ATUNNER_INLINE T __short_as_##ONE(short v) { T r; r.bits = static_cast<unsigned short>(v); return r; } \
  ATUNNER_INLINE T2 __float2##PAIR##_rn(float v) { return {T(v), T(v)}; }                             \
  ATUNNER_INLINE T2 __floats2##PAIR##_rn(float a, float b) { return {T(a), T(b)}; }                   \
  ATUNNER_INLINE T2 __float22##PAIR##_rn(float2 v) { return {T(v.x), T(v.y)}; }                       \
  ATUNNER_INLINE float2 __##FROM_PAIR##2float2(T2 v) { return {v.x, v.y}; }                           \
  ATUNNER_INLINE T2 __##ONE##2##PAIR(T v) { return {v, v}; }                                          \
  ATUNNER_INLINE T2 __halves2##PAIR(T a, T b) { return {a, b}; }                                      \
  ATUNNER_INLINE T2 make_##PAIR(T a, T b) { return {a, b}; }                                          \
  ATUNNER_INLINE T __low2##ONE(T2 v) { return v.x; }                                                  \
  ATUNNER_INLINE T __high2##ONE(T2 v) { return v.y; }                                                 \
  ATUNNER_INLINE T2 __low2##PAIR(T2 v) { return {v.x, v.x}; }                                         \
  ATUNNER_INLINE T2 __high2##PAIR(T2 v) { return {v.y, v.y}; }                                        \
  ATUNNER_INLINE T2 __lowhigh2highlow(T2 v) { return {v.y, v.x}; }
ATUNNER_NAMED(__half, __half2, half, half2, half2)
ATUNNER_NAMED(__nv_bfloat16, __nv_bfloat162, bfloat16, bfloat162, bfloat162)
#undef ATUNNER_NAMED
