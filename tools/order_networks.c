/* Writes a header of sorting networks: for each n up to 32, Batcher's odd-even merge sort as a list of comparators
 * (Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M), so that kernels can hold n rows in registers: neither
 * compiler unrolls the loops of the algorithm by itself. Run by the build. */
#include <stdio.h>

enum { LARGEST = 32 };

static void put_network(FILE *out, int n) {
  fprintf(out, "#define BEZ_NETWORK_%d(CX)", n);
  for (int p = 1; p < n; p += p)
    for (int k = p; k >= 1; k /= 2)
      for (int j = k % p; j + k < n; j += 2 * k)
        for (int i = 0; i < k && i + j + k < n; i++)
          if ((i + j) / (2 * p) == (i + j + k) / (2 * p)) fprintf(out, " CX(%d, %d)", i + j, i + j + k);
  fprintf(out, "\n#define BEZ_EACH_%d(F)", n);
  for (int i = 0; i < n; i++) fprintf(out, " F(%d)", i);
  fputc('\n', out);
}

/* The last phase of the network for 2 n: what merges two sorted runs of n. */
static void put_merge(FILE *out, int n) {
  fprintf(out, "#define BEZ_MERGE_%d(CX)", n);
  for (int k = n; k >= 1; k /= 2)
    for (int j = k % n; j + k < 2 * n; j += 2 * k)
      for (int i = 0; i < k; i++) fprintf(out, " CX(%d, %d)", i + j, i + j + k);
  fputc('\n', out);
}

int main(int argc, char **argv) {
  FILE *out = argc == 2 ? fopen(argv[1], "w") : NULL;
  if (!out) {
    fprintf(stderr, "usage: order_networks FILE\n");
    return 2;
  }
  fprintf(out, "/* Made by tools/order_networks.c. */\n#define BEZ_NETWORK_LARGEST %d\n", LARGEST);
  fprintf(out, "#define BEZ_NETWORKS(N)");
  for (int n = 1; n <= LARGEST; n++) fprintf(out, " N(%d)", n);
  fputc('\n', out);
  for (int n = 1; n <= LARGEST; n++) put_network(out, n);
  put_merge(out, 16);
  int bad = ferror(out);
  return fclose(out) || bad ? 1 : 0;
}
