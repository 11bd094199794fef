/* The parts of a CUDA driver that are the same in every stand-in for one: a device called Fake GPU, its memory on the
   host, a clock for its events. An includer has cuGetErrorName, cuModuleGetFunction and cuLaunchKernel of its own; once
   it has set `fault`, what follows on the device fails with that code. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct { double at; } Event;
static int fault, thing;

/* A device is not held up by what else the host does: its clock is the time that this thread had a core. */
static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1e6 + t.tv_nsec * 1e-3;
}
static void spin(double us) {
    double end = now() + us;
    while (now() < end) {}
}
int cuInit(unsigned f) { (void)f; return 0; }
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
int cuFuncSetAttribute(void *function, int which, int value) { (void)function; return which != 8 || value < 0; }
static void product(const float *a, const float *b, float *c, int m, int n, int depth) {
    for (int i = 0; i < m; ++i)
        for (int j = 0; j < n; ++j) {
            float sum = 0.0f;
            for (int k = 0; k < depth; ++k) sum += a[i * depth + k] * b[k * n + j];
            c[i * n + j] = sum;
        }
}
