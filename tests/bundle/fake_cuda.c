/* The CUDA driver's functions that a bundle calls, on the CPU, for one matmul of 96 x 64 x 48: which kernel is meant is
   told by its block. 128: naive and slow. 16: right and quick. 8: one element wrong. 32: writes behind its output. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { M = 96, N = 64, K = 48 };
typedef struct { double at; } Event;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec * 1e-3;
}
static void spin(double us) {
    double end = now() + us;
    while (now() < end) {}
}
static int thing;
int cuInit(unsigned f) { (void)f; return 0; }
int cuGetErrorName(int code, const char **name) { (void)code; *name = "CUDA_ERROR_LAUNCH_FAILED"; return 0; }
int cuDeviceGetCount(int *n) { *n = 1; return 0; }
int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return 0; }
int cuDevicePrimaryCtxRetain(void **context, int device) { (void)device; *context = &thing; return 0; }
int cuCtxSetCurrent(void *context) { return context != &thing; }
int cuDeviceGetName(char *name, int size, int device) { (void)device; strncpy(name, "Fake GPU", size); return 0; }
int cuDeviceGetPCIBusId(char *id, int size, int device) { (void)device; strncpy(id, "0000:00:00.0", size); return 0; }
int cuDriverGetVersion(int *version) { *version = 13000; return 0; }
int cuDeviceGetAttribute(int *value, int which, int device) {
    (void)device;
    *value = which == 75 ? 8 : which == 76 ? 0 : which == 38 ? 1 << 20 : 1000000;
    return 0;
}
int cuMemAlloc_v2(uint64_t *address, size_t size) { *address = (uint64_t)(uintptr_t)malloc(size); return *address == 0; }
int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t size) { memcpy((void *)(uintptr_t)to, from, size); return 0; }
int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t size) { memcpy(to, (void *)(uintptr_t)from, size); return 0; }
int cuMemsetD8Async(uint64_t to, unsigned char octet, size_t size, void *stream) {
    (void)stream;
    memset((void *)(uintptr_t)to, octet, size);
    return 0;
}
int cuCtxSynchronize(void) { return 0; }
int cuEventCreate(void **event, unsigned flags) { (void)flags; *event = malloc(sizeof(Event)); return 0; }
int cuEventRecord(void *event, void *stream) { (void)stream; ((Event *)event)->at = now(); return 0; }
int cuEventElapsedTime(float *ms, void *start, void *end) {
    *ms = (float)((((Event *)end)->at - ((Event *)start)->at) / 1e3);
    return 0;
}
int cuModuleLoadData(void **module, const void *image) { *module = &thing; return memcmp(image, "\177ELF", 4) != 0; }
int cuModuleGetFunction(void **function, void *module, const char *name) {
    *function = module;
    return strcmp(name, "matmul") != 0;
}
int cuFuncSetAttribute(void *function, int which, int value) { (void)function; return which != 8 || value < 0; }
int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, void *stream, void **arguments, void **extra) {
    (void)function; (void)stream; (void)extra;
    if (gz != 1 || bz != 1 || shared != 0) return 1;
    const float *a = (float *)(uintptr_t)*(uint64_t *)arguments[0], *b = (float *)(uintptr_t)*(uint64_t *)arguments[1];
    float *c = (float *)(uintptr_t)*(uint64_t *)arguments[2];
    if (bx == 128 ? gx * bx < M * N || by != 1 : gx * bx < N || gy * by < M) return 1;
    for (int i = 0; i < M; ++i)
        for (int j = 0; j < N; ++j) {
            float sum = 0.0f;
            for (int k = 0; k < K; ++k) sum += a[i * K + k] * b[k * N + j];
            c[i * N + j] = sum;
        }
    if (bx == 8) c[7 * N + 3] *= 1.01f;
    if (bx == 32) c[M * N] = 1.0f;
    spin(bx == 128 ? 600.0 : 100.0);
    return 0;
}
