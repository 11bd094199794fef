//// axpy | grid 3 | block 128 | x in f4 300, y out f4 300 | y = 2 * x + 1
extern "C" __global__ void k(const float* __restrict__ x, float* __restrict__ y) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < 300) y[i] = 2.0f * x[i] + 1.0f;
}
//// grid_stride | grid 2 | block 64 | x in f4 1000, y out f4 1000 | y = -x
__global__ void k(const float* x, float* y) {
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < 1000; i += gridDim.x * blockDim.x) y[i] = -x[i];
}
//// three_dimensional_grid_and_block | grid 2 3 2 | block 4 2 3 | y out i4 288 | y = np.arange(288)
__global__ void k(int* y) {
  int thread = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
  int block = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z);
  int i = block * (blockDim.x * blockDim.y * blockDim.z) + thread;
  y[i] = i;
}
//// static_shared_transpose | grid 2 2 | block 16 16 | x in f4 1024, y out f4 1024 | y = x.reshape(32, 32).T
#define TILE 16
__global__ void k(const float* x, float* y) {
  __shared__ float tile[TILE][TILE + 1];
  tile[threadIdx.y][threadIdx.x] = x[(blockIdx.y * TILE + threadIdx.y) * 32 + blockIdx.x * TILE + threadIdx.x];
  __syncthreads();
  y[(blockIdx.x * TILE + threadIdx.y) * 32 + blockIdx.y * TILE + threadIdx.x] = tile[threadIdx.x][threadIdx.y];
}
//// dynamic_shared_reverse | grid 2 | block 64 | shared 256 | x in f4 128, y out f4 128 | y = x.reshape(2, 64)[:, ::-1]
extern __shared__ float buffer[];
__global__ void k(const float* x, float* y) {
  buffer[threadIdx.x] = x[blockIdx.x * 64 + threadIdx.x];
  __syncthreads();
  y[blockIdx.x * 64 + threadIdx.x] = buffer[63 - threadIdx.x];
}
//// dynamic_shared_in_two_parts | grid 1 | block 32 | shared 256 | x in f4 32, y out f4 32 | y = x[::-1] + np.arange(32)
__global__ void k(const float* x, float* y) {
  extern __shared__ __align__(16) unsigned char raw[];
  float* values = reinterpret_cast<float*>(raw);
  int* counts = reinterpret_cast<int*>(raw + 32 * sizeof(float));
  values[threadIdx.x] = x[threadIdx.x];
  counts[31 - threadIdx.x] = 31 - threadIdx.x;
  __syncthreads();
  y[threadIdx.x] = values[31 - threadIdx.x] + counts[threadIdx.x];
}
//// file_scope_shared | grid 2 | block 32 | x in f4 64, y out f4 64 | y = x.reshape(2, 32)[:, ::-1]
__shared__ float kept[32];
__device__ void keep(float v) { kept[threadIdx.x] = v; }
__global__ void k(const float* x, float* y) {
  keep(x[blockIdx.x * 32 + threadIdx.x]);
  __syncthreads();
  y[blockIdx.x * 32 + threadIdx.x] = kept[31 - threadIdx.x];
}
//// several_shared_in_one_declaration | grid 1 | block 32 | x in f4 32, y out f4 32 | y = 2 * x[::-1]
struct Pair { float a, b; };
__global__ void k(const float* x, float* y) {
  __shared__ alignas(16) float first[32], second[32];
  __shared__ Pair pairs[32], *place;
  first[threadIdx.x] = second[threadIdx.x] = x[threadIdx.x];
  pairs[threadIdx.x].a = 0.0f;
  if (threadIdx.x == 0) place = &pairs[0];
  __syncthreads();
  y[threadIdx.x] = first[31 - threadIdx.x] + second[31 - threadIdx.x] + place[3].a;
}
//// template_with_arguments | launch k<float, 4> | grid 1 | block 32 | x in f4 32, y out f4 32 | y = 4 * x[::-1]
template <typename T, int N> __device__ T scaled(T v) { return v * T(N); }
template <typename T, int N> __global__ void k(const T* x, T* y) {
  __shared__ T kept[N * 8];
  kept[threadIdx.x] = scaled<T, N>(x[threadIdx.x]);
  __syncthreads();
  y[threadIdx.x] = kept[31 - threadIdx.x];
}
//// extern_c_block_and_namespace | grid 1 | block 32 | x in f4 32, y out f4 32 | y = x + 3
namespace tools {
__device__ __forceinline__ float three() { return 3.0f; }
}
extern "C" {
__global__ void __launch_bounds__(32) k(const float* x, float* y) { y[threadIdx.x] = x[threadIdx.x] + tools::three(); }
}
//// early_exit_before_barrier | grid 1 | block 64 | x in f4 40, y out f4 40 | y = x[::-1]
__global__ void k(const float* x, float* y) {
  __shared__ float kept[40];
  if (threadIdx.x >= 40) return;
  kept[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = kept[39 - threadIdx.x];
}
//// barrier_votes | grid 1 | block 64 | y out i4 192 | y = np.r_[np.full(64, 10), np.zeros(64), np.ones(64)]
__global__ void k(int* y) {
  int t = threadIdx.x;
  y[t] = __syncthreads_count(t < 10);
  y[64 + t] = __syncthreads_and(t < 10);
  y[128 + t] = __syncthreads_or(t == 63);
}
//// tree_reduction_in_shared | grid 1 | block 256 | x in f4 256, y out f4 1 | y = x.sum()
__global__ void k(const float* x, float* y) {
  __shared__ float part[256];
  part[threadIdx.x] = x[threadIdx.x];
  for (int step = 128; step; step >>= 1) {
    __syncthreads();
    if (threadIdx.x < step) part[threadIdx.x] += part[threadIdx.x + step];
  }
  if (threadIdx.x == 0) y[0] = part[0];
}
//// constant_table | grid 1 | block 4 | y out f4 4 | y = [1, 2, 4, 8]
__constant__ float table[4] = {1.0f, 2.0f, 4.0f, 8.0f};
__global__ void k(float* y) { y[threadIdx.x] = table[threadIdx.x]; }
//// local_array_by_pointer | grid 1 | block 32 | x in f4 32, y out f4 32 | y = 10 * x
__device__ void spread(float* to, float v) { for (int i = 0; i < 4; ++i) to[i] = v * (i + 1); }
__global__ void k(const float* x, float* y) {
  float parts[4];
  spread(parts, x[threadIdx.x]);
  y[threadIdx.x] = parts[0] + parts[1] + parts[2] + parts[3];
}
//// in_place | grid 1 | block 64 | y inout f4 64 | y = 3 * y0
__global__ void k(float* y) { y[threadIdx.x] *= 3.0f; }
//// many_write_the_same | grid 2 | block 64 | x in f4 128, y out i4 1 | y = [1]
__global__ void k(const float* x, int* y) {
  __shared__ int found;
  found = 0;
  __syncthreads();
  if (x[blockIdx.x * 64 + threadIdx.x] > -1e9f) found = 1;
  __syncthreads();
  y[0] = found;
}
//// volatile_and_bytes | grid 1 | block 32 | y out i1 64 | y = np.arange(64)
__global__ void k(signed char* y) {
  __shared__ volatile short kept[32];
  kept[threadIdx.x] = threadIdx.x;
  __syncthreads();
  y[threadIdx.x] = static_cast<signed char>(kept[threadIdx.x]);
  y[32 + threadIdx.x] = static_cast<signed char>(kept[31 - threadIdx.x] + 1 + 2 * threadIdx.x);
}
//// copies_by_memcpy | grid 1 | block 8 | x in f4 64, y out f4 64 | y = x
__global__ void k(const float* x, float* y) { memcpy(y + 8 * threadIdx.x, x + 8 * threadIdx.x, 8 * sizeof(float)); }
//// shared_of_many_forms | launch k<float> | grid 1 | block 64 | x in f4 64, y out f4 64 | y = x[::-1] + 1
template <class T, int N> struct Storage { T v[N]; int count; };
template <class T> struct Kind { using type = T; };
template <class T> __global__ void k(const T* x, T* y) {
  volatile __shared__ int flag;
  __shared__ typename Kind<T>::type one;
  __shared__ union {
    Storage<T, 64> s;
    float raw[128 >> 0];
  } both;
  __shared__ Storage<T, (64 > 32) ? 64 : 32> kept;
  if (threadIdx.x == 0) flag = 3, one = T(1);
  both.s.v[threadIdx.x] = x[threadIdx.x];
  kept.v[threadIdx.x] = 1;
  __syncthreads();
  y[threadIdx.x] = both.raw[63 - threadIdx.x] + kept.v[63 - threadIdx.x] * one + (flag - 3);
}
//// lambdas_and_operators | grid 1 | block 64 | x in f4 64, y out f4 64 | y = x + 1
struct Plus { __device__ float operator()(float a) const { return a + 1; } };
template <class F> __device__ void each(F f) { f(threadIdx.x); }
__global__ void k(const float* x, float* y) {
  each([&] __device__(int i) { y[i] = Plus{}(x[i]); });
}
