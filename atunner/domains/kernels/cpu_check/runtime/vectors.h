// Vector types with their alignment on the device.
#pragma once

#define ATUNNER_VECTORS(T, NAME, A2, A4)                                            \
  struct NAME##1 { T x; };                                                          \
  struct alignas(A2) NAME##2 { T x, y; };                                           \
  struct NAME##3 { T x, y, z; };                                                    \
  struct alignas(A4) NAME##4 { T x, y, z, w; };                                     \
  ATUNNER_INLINE constexpr NAME##1 make_##NAME##1(T x) { return {x}; }              \
  ATUNNER_INLINE constexpr NAME##2 make_##NAME##2(T x, T y) { return {x, y}; }      \
  ATUNNER_INLINE constexpr NAME##3 make_##NAME##3(T x, T y, T z) { return {x, y, z}; } \
  ATUNNER_INLINE constexpr NAME##4 make_##NAME##4(T x, T y, T z, T w) { return {x, y, z, w}; }

ATUNNER_VECTORS(signed char, char, 2, 4)
ATUNNER_VECTORS(unsigned char, uchar, 2, 4)
ATUNNER_VECTORS(short, short, 4, 8)
ATUNNER_VECTORS(unsigned short, ushort, 4, 8)
ATUNNER_VECTORS(int, int, 8, 16)
ATUNNER_VECTORS(unsigned, uint, 8, 16)
ATUNNER_VECTORS(long, long, 16, 16)
ATUNNER_VECTORS(unsigned long, ulong, 16, 16)
ATUNNER_VECTORS(long long, longlong, 16, 16)
ATUNNER_VECTORS(unsigned long long, ulonglong, 16, 16)
ATUNNER_VECTORS(float, float, 8, 16)
ATUNNER_VECTORS(double, double, 16, 16)
#undef ATUNNER_VECTORS
