// Transpose of an n x n matrix through local memory; each work-item moves WORK elements.
#ifndef PAD
#define PAD 1 // tune: 0, 1
#endif
#ifndef WORK
#define WORK 1 // tune: 1, 2, 4, 8
#endif

__kernel void transpose(__global float *restrict y, __global const float *restrict x, const int n) {
    __local float tile[TILE][TILE + PAD];
    const int column = get_group_id(0) * TILE, row = get_group_id(1) * TILE;
    const int i = get_local_id(0), j = get_local_id(1);
    for (int k = 0; k < WORK; ++k) {
        const int r = j + k * (TILE / WORK);
        tile[r][i] = x[(row + r) * n + column + i];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 0; k < WORK; ++k) {
        const int r = j + k * (TILE / WORK);
        y[(column + r) * n + row + i] = tile[i][r];
    }
}
