/* The CUDA driver's functions that a worker calls, on the CPU. A kernel is known by its name and gets all it needs as
   arguments: matmul*(a, b, c, m, n, k). What follows the name is how it misbehaves. */
#include <unistd.h>

#include "../fake_driver.h"

static const char *const NAMES[] = {"matmul", "matmul_slow", "matmul_wrong", "matmul_outside", "matmul_input",
                                    "matmul_fault", "matmul_forever", "matmul_lazy", "matmul_dies"};
enum { RIGHT, SLOW, WRONG, OUTSIDE, INPUT, FAULT, FOREVER, LAZY, DIES, COUNT };
static int calls;

int cuGetErrorName(int code, const char **name) {
    *name = code == 700 ? "CUDA_ERROR_ILLEGAL_ADDRESS" : code == 500 ? "CUDA_ERROR_NOT_FOUND" : "CUDA_ERROR_INVALID_VALUE";
    return 0;
}
int cuModuleGetFunction(void **function, void *module, const char *name) {
    (void)module;
    for (intptr_t i = 0; i < COUNT; ++i)
        if (strcmp(name, NAMES[i]) == 0) { *function = (void *)(i + 1); return 0; }
    return 500;
}
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
    product(a, b, c, m, n, depth);
    if (kind == WRONG) c[m * n - 1] *= 1.01f;
    if (kind == OUTSIDE) c[m * n] = 1.0f;
    if (kind == INPUT) a[0] += 1.0f;
    if (kind == FAULT) fault = 700;
    spin(kind == SLOW ? 400.0 : 100.0);
    return 0;
}
