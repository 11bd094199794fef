/* Relaxation in place; each sweep tells a device how far it is. */
#include <stdio.h>
#include <string.h>

#define N 180
#define SWEEPS 60

static double grid[N][N];
static volatile unsigned progress;

static void fill(void) {
  for (int i = 0; i < N; i++)
    for (int j = 0; j < N; j++)
      grid[i][j] = (double)((i * 7 + j * 3) % 31) / 31;
}

__attribute__((noinline)) void relax(int sweeps) {
  for (int s = 0; s < sweeps; s++) {
    for (int i = 1; i < N - 1; i++)
      for (int j = 1; j < N - 1; j++)
        grid[i][j] = (grid[i - 1][j] + grid[i + 1][j] + grid[i][j - 1] + grid[i][j + 1] + grid[i][j]) / 5.0;
    progress = progress + 1;
  }
}

int main(int argc, char **argv) {
  fill();
  relax(SWEEPS);
  if (argc > 1 && strcmp(argv[argc - 1], "dump") == 0) {
    printf("sweeps %x\n", progress);
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++)
        printf("%a\n", grid[i][j]);
  }
  return 0;
}
