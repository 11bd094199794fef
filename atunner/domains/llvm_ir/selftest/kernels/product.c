/* A matrix product with scaling, in the order that everybody writes first. */
#include <stdio.h>
#include <string.h>

#define N 144

static double a[N][N], b[N][N], c[N][N];

static void fill(void) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      a[i][j] = (double)((i * j + 1) % 97) / 97;
      b[i][j] = (double)((i * (j + 3)) % 89) / 89;
      c[i][j] = (double)((i + j) % 53) / 53;
    }
}

__attribute__((noinline)) void product(double alpha, double beta) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++) {
      c[i][j] *= beta;
      for (int k = 0; k < N; k++)
        c[i][j] += alpha * a[i][k] * b[k][j];
    }
}

int main(int argc, char **argv) {
  fill();
  for (int round = 0; round < 4; round++)
    product(1.25, 0.75);
  if (argc > 1 && strcmp(argv[argc - 1], "dump") == 0)
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++)
        printf("%a\n", c[i][j]);
  return 0;
}
