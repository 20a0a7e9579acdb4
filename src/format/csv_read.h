/* Reading a CSV source with the knobs that only tests and benchmarks turn: none changes the table. */
#ifndef BEZ_FORMAT_CSV_READ_H
#define BEZ_FORMAT_CSV_READ_H

#include "base/arena.h"
#include "format/builder.h"
#include "format/source.h"

typedef struct bez_csv_tuning {
  uint32_t cpu;           /* kernel mask, base/cpu.h */
  uint64_t tile_bytes;    /* 0: the usual */
  uint64_t profile_bytes; /* 0: the usual; the same bytes give the same plan */
  bool reference;         /* byte by byte, through the reference splitter */
} bez_csv_tuning;

BEZ_MUST_USE bez_status bez_csv_read(const bez_source *source, bez_builder *builder, const bez_csv_tuning *tuning,
                                     bez_error *err);

/* Second and later columns of one name become "name#COLUMN" (1-based). */
BEZ_MUST_USE bez_status bez_csv_number_repeated(bez_arena *arena, const char **names, uint32_t n, uint32_t *repeated,
                                                bez_error *err);

#endif
