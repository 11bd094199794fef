/* Clock, fused multiply-add rate and memory bandwidth of this processor. Prints one JSON object.
   usage: ceilings THREADS */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef LANES
#define LANES 16
#endif
#define CHAINS 12
#define FLOATS (6L << 20)
#define PASSES 4

typedef float vector __attribute__((vector_size(LANES * 4)));

static double seconds(clockid_t which) {
  struct timespec t;
  clock_gettime(which, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

/* Each addition waits for the one before it: one a cycle on every current core. */
static double clock_mhz(void) {
  double best = 0;
  for (int trial = 0; trial < 5; trial++) {
    const long count = 8000000;
    uint64_t x = 1;
    double start = seconds(CLOCK_THREAD_CPUTIME_ID);
    for (long i = 0; i < count; i += 8)
      __asm__ volatile(
#if defined(__x86_64__)
          "add %1, %0\n\tadd %1, %0\n\tadd %1, %0\n\tadd %1, %0\n\t"
          "add %1, %0\n\tadd %1, %0\n\tadd %1, %0\n\tadd %1, %0"
#else
          "add %0, %0, %1\n\tadd %0, %0, %1\n\tadd %0, %0, %1\n\tadd %0, %0, %1\n\t"
          "add %0, %0, %1\n\tadd %0, %0, %1\n\tadd %0, %0, %1\n\tadd %0, %0, %1"
#endif
          : "+r"(x)
          : "r"((uint64_t)i));
    double rate = count / (seconds(CLOCK_THREAD_CPUTIME_ID) - start) / 1e6;
    if (rate > best) best = rate;
  }
  return best;
}

static volatile float sink;

static double core_gflops(void) {
  double best = 0;
  for (int trial = 0; trial < 5; trial++) {
    vector sum[CHAINS], scale, shift;
    for (int l = 0; l < LANES; l++) {
      scale[l] = 0.999f;
      shift[l] = 0.001f * (trial + 1);
    }
    for (int c = 0; c < CHAINS; c++) sum[c] = shift * (float)c;
    const long count = 400000;
    double start = seconds(CLOCK_THREAD_CPUTIME_ID);
    for (long i = 0; i < count; i++)
      for (int c = 0; c < CHAINS; c++) sum[c] = sum[c] * scale + shift;
    double spent = seconds(CLOCK_THREAD_CPUTIME_ID) - start;
    for (int c = 0; c < CHAINS; c++) sink += sum[c][0];
    double rate = 2.0 * LANES * CHAINS * count / spent / 1e9;
    if (rate > best) best = rate;
  }
  return best;
}

struct share {
  float *a, *b, *c;
  pthread_barrier_t *barrier;
  double *took;
};

static void *triad(void *given) {
  struct share *s = given;
  memset(s->a, 0, FLOATS * 4);
  for (long i = 0; i < FLOATS; i++) s->b[i] = s->c[i] = (float)i;
  for (int pass = 0; pass < PASSES; pass++) {
    pthread_barrier_wait(s->barrier);
    double start = seconds(CLOCK_MONOTONIC);
    for (long i = 0; i < FLOATS; i++) s->a[i] = s->b[i] + 3.0f * s->c[i];
    pthread_barrier_wait(s->barrier);
    s->took[pass] = seconds(CLOCK_MONOTONIC) - start;
  }
  sink += s->a[FLOATS / 2];
  return NULL;
}

int main(int argc, char **argv) {
  int threads = argc > 1 ? atoi(argv[1]) : 1;
  if (threads < 1 || threads > 1024) return 2;
  pthread_t *ids = calloc(threads, sizeof *ids);
  struct share *shares = calloc(threads, sizeof *shares);
  double took[PASSES] = {0};
  double *ignored = calloc(PASSES, sizeof *ignored);
  pthread_barrier_t barrier;
  if (!ids || !shares || !ignored || pthread_barrier_init(&barrier, NULL, threads)) return 3;
  for (int t = 0; t < threads; t++) {
    float *memory = malloc(3 * FLOATS * 4);
    if (!memory) return 3;
    shares[t] = (struct share){memory, memory + FLOATS, memory + 2 * FLOATS, &barrier, t ? ignored : took};
    if (pthread_create(&ids[t], NULL, triad, &shares[t])) return 3;
  }
  for (int t = 0; t < threads; t++) pthread_join(ids[t], NULL);
  double least = took[0];
  for (int pass = 1; pass < PASSES; pass++)
    if (took[pass] < least) least = took[pass];
  printf("{\"clock_mhz\": %.1f, \"core_gflops\": %.3f, \"dram_gbs\": %.3f}\n", clock_mhz(), core_gflops(),
         3.0 * FLOATS * 4 * threads / least / 1e9);
  return 0;
}
