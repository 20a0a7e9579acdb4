/* Reads one data set and prints what it took, for read_bench.py: `read_table PATH THREADS`. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "bezoar/format.h"

int main(int argc, char **argv) {
  if (argc != 3) return fprintf(stderr, "usage: read_table PATH THREADS\n"), 2;
  const char *paths[] = {argv[1]};
  bez_read_options options = {.threads = (unsigned)atoi(argv[2])};
  bez_error err = {.line = -1, .offset = -1};
  bez_table *table = NULL;
  struct timespec a, b;
  struct rusage usage;
  clock_gettime(CLOCK_MONOTONIC, &a);
  if (bez_table_open(paths, 1, &options, &table, &err) != BEZ_OK)
    return fprintf(stderr, "%s: %s\n", err.subject, err.message), 1;
  clock_gettime(CLOCK_MONOTONIC, &b);
  getrusage(RUSAGE_SELF, &usage);
  printf("{\"seconds\": %.4f, \"cpu\": %.4f, \"peak_mib\": %.0f, \"rows\": %llu}\n",
         (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) * 1e-9,
         (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
             (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6,
         (double)usage.ru_maxrss / 1024, (unsigned long long)bez_table_rows(table));
  bez_table_destroy(table);
  return 0;
}
