/* What is measured: works at a shape, memory, growth. */
#ifndef BEZ_BENCH_BENCH_H
#define BEZ_BENCH_BENCH_H

#include <jansson.h>

#include "blas.h"
#include "updates.h"

typedef struct bench_options {
  unsigned threads, rounds;
  const char *only;   /* rows whose name holds this; NULL all */
  const char *folder; /* of the files; NULL: no row about files */
  double size;        /* of each shape's d; 1 is the table's */
  const bench_blas *blas;
} bench_options;

/* Each appends to its array; false: it could not be measured, and why was printed. */
bool bench_shape(const bench_options *o, uint32_t n, uint32_t f, uint64_t d, json_t *rows);
bool bench_memory(const bench_options *o, json_t *rows);
bool bench_growth(const bench_options *o, json_t *rows);

/* One call of bez_aggregate as the rows of the table make it; false: it failed, and why was printed. */
typedef struct bench_call {
  const char *rule, *pre; /* pre: NULL none */
  uint32_t f;
  bool verdicts;
} bench_call;
bool bench_run(const bench_call *call, const bench_updates *u, unsigned threads);

#endif
