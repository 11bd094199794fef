/* Counts of hashed words in sixteen bins; whole numbers only, and a result of sixteen lines. */
#include <stdio.h>
#include <string.h>

#define LENGTH 65536
#ifndef ROUNDS
#define ROUNDS 200
#endif

static int words[LENGTH];
static unsigned bins[16];

static void fill(void) {
  unsigned state = 12345u;
  for (int i = 0; i < LENGTH; i++) {
    state = state * 1664525u + 1013904223u;
    words[i] = (int)(state >> 8);
  }
}

__attribute__((noinline)) void tally(const int *from, int length, unsigned *into) {
  for (int b = 0; b < 16; b++)
    into[b] = 0;
  for (int i = 0; i < length; i++) {
    unsigned h = (unsigned)from[i] * 2654435761u;
    h ^= h >> 15;
    into[h & 15] += h >> 24;
  }
}

int main(int argc, char **argv) {
  fill();
  for (int round = 0; round < ROUNDS; round++)
    tally(words, LENGTH, bins);
  if (argc > 1 && strcmp(argv[argc - 1], "dump") == 0)
    for (int b = 0; b < 16; b++)
      printf("%08x\n", bins[b]);
  return 0;
}
