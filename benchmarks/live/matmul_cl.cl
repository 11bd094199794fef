// C = A B for square matrices; each work item computes a tile of tile_size_x by tile_size_y elements.
__kernel void matmul_cl(__global const float *a, __global const float *b, __global float *c, int n) {
    int x = get_group_id(0) * block_size_x * tile_size_x + get_local_id(0);
    int y = get_group_id(1) * block_size_y * tile_size_y + get_local_id(1);
    float sum[tile_size_y][tile_size_x];
    for (int i = 0; i < tile_size_y; ++i)
        for (int j = 0; j < tile_size_x; ++j) sum[i][j] = 0.0f;
    for (int k = 0; k < n; k += unroll)
#pragma unroll unroll
        for (int u = 0; u < unroll; ++u)
            for (int i = 0; i < tile_size_y; ++i)
                for (int j = 0; j < tile_size_x; ++j)
                    sum[i][j] += a[(y + i * block_size_y) * n + k + u] * b[(k + u) * n + x + j * block_size_x];
    for (int i = 0; i < tile_size_y; ++i)
        for (int j = 0; j < tile_size_x; ++j)
            c[(y + i * block_size_y) * n + x + j * block_size_x] = sum[i][j];
}
