/* A sliding weighted sum over as many numbers as the first argument says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAPS 24

static double weights[TAPS];

__attribute__((noinline)) void smooth(const double *in, double *out, int n) {
  for (int i = 0; i < n; i++) {
    double sum = 0;
    for (int t = 0; t < TAPS; t++)
      sum += in[i + t] * weights[t];
    out[i] = sum;
  }
}

int main(int argc, char **argv) {
  int n = argc > 1 ? atoi(argv[1]) : 0;
  if (n < 1 || n > 10000000)
    return 2;
  double *in = malloc((size_t)(n + TAPS - 1) * sizeof *in), *out = malloc((size_t)n * sizeof *out);
  if (!in || !out)
    return 3;
  for (int t = 0; t < TAPS; t++)
    weights[t] = (double)(t * t % 7 + 1) / 64;
  for (int i = 0; i < n + TAPS - 1; i++)
    in[i] = (double)(i * 37L % 1009) / 1009;
  for (int round = 0; round < 16; round++)
    smooth(in, out, n);
  if (argc > 2 && strcmp(argv[2], "dump") == 0)
    for (int i = 0; i < n; i++)
      printf("%a\n", out[i]);
  free(in);
  free(out);
  return 0;
}
