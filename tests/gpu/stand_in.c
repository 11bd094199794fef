/* The CUDA driver's functions that a worker calls, on the CPU. A kernel is known by its name and gets all it needs as
   arguments: matmul*(a, b, c, m, n, k). What follows the name is how it misbehaves. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct { double at; } Event;
static const char *const NAMES[] = {"matmul", "matmul_slow", "matmul_wrong", "matmul_outside", "matmul_input",
                                    "matmul_fault", "matmul_forever", "matmul_lazy", "matmul_dies"};
enum { RIGHT, SLOW, WRONG, OUTSIDE, INPUT, FAULT, FOREVER, LAZY, DIES, COUNT };
static int fault, calls, thing;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec * 1e-3;
}
static void spin(double us) {
    double end = now() + us;
    while (now() < end) {}
}
int cuInit(unsigned f) { (void)f; return 0; }
int cuGetErrorName(int code, const char **name) {
    *name = code == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS" : code == 500 ? "CUDA_ERROR_NOT_FOUND" : "CUDA_ERROR_INVALID_VALUE";
    return 0;
}
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
int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t size) { memcpy((void *)(uintptr_t)to, from, size); return fault; }
int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t size) { memcpy(to, (void *)(uintptr_t)from, size); return fault; }
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t size, void *stream) {
    (void)stream;
    memcpy((void *)(uintptr_t)to, (void *)(uintptr_t)from, size);
    return fault;
}
int cuMemsetD8Async(uint64_t to, unsigned char octet, size_t size, void *stream) {
    (void)stream;
    if (size >= 8u << 20) spin(50.0); /* The flush of its L2 cache, which nobody reads. */
    else memset((void *)(uintptr_t)to, octet, size);
    return fault;
}
int cuCtxSynchronize(void) { return fault; }
int cuEventCreate(void **event, unsigned flags) { (void)flags; *event = malloc(sizeof(Event)); return 0; }
int cuEventRecord(void *event, void *stream) { (void)stream; ((Event *)event)->at = now(); return 0; }
int cuEventElapsedTime(float *ms, void *start, void *end) {
    *ms = (float)((((Event *)end)->at - ((Event *)start)->at) / 1e3);
    return 0;
}
int cuModuleLoadData(void **module, const void *image) { *module = &thing; return memcmp(image, "\177ELF", 4) != 0; }
int cuModuleGetFunction(void **function, void *module, const char *name) {
    (void)module;
    for (intptr_t i = 0; i < COUNT; ++i)
        if (strcmp(name, NAMES[i]) == 0) { *function = (void *)(i + 1); return 0; }
    return 500;
}
int cuFuncSetAttribute(void *function, int which, int value) { (void)function; return which != 8 || value < 0; }
int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                   unsigned shared, void *stream, void **arguments, void **extra) {
    (void)stream; (void)extra; (void)shared;
    intptr_t kind = (intptr_t)function - 1;
    if (gx * gy * gz == 0 || bx * by * bz > 1024) return 1;
    float *a = (float *)(uintptr_t)*(uint64_t *)arguments[0], *b = (float *)(uintptr_t)*(uint64_t *)arguments[1];
    float *c = (float *)(uintptr_t)*(uint64_t *)arguments[2];
    int m = *(int *)arguments[3], n = *(int *)arguments[4], depth = *(int *)arguments[5];
    if (kind == FOREVER) for (;;) pause();
    if (kind == DIES) abort();
    if (kind == LAZY && ++calls > 60) return 0;
    for (int i = 0; i < m; ++i)
        for (int j = 0; j < n; ++j) {
            float sum = 0.0f;
            for (int k = 0; k < depth; ++k) sum += a[i * depth + k] * b[k * n + j];
            c[i * n + j] = sum;
        }
    if (kind == WRONG) c[m * n - 1] *= 1.01f;
    if (kind == OUTSIDE) c[m * n] = 1.0f;
    if (kind == INPUT) a[0] += 1.0f;
    if (kind == FAULT) fault = 700;
    spin(kind == SLOW ? 400.0 : 100.0);
    return 0;
}
