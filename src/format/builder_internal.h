/* Inside the table builder: what pushing (builder.c) leaves for finishing (builder_finish.c, types.c).
 *
 * A worker keeps one dictionary per column for the whole data set. A tile keeps one chunk per column: the worker's
 * codes of its rows, as narrow as they fit. Finishing merges the dictionaries, sorts each column's values and
 * rewrites all chunks into one array of codes per column, tile by tile, so that old and new never stand whole in
 * memory together. */
#ifndef BEZ_FORMAT_BUILDER_INTERNAL_H
#define BEZ_FORMAT_BUILDER_INTERNAL_H

#include <pthread.h>

#include "format/builder.h"
#include "format/dict.h"

typedef struct bez_chunk {
  uint64_t at;   /* offset in the tile's data */
  uint8_t width; /* bytes per code */
} bez_chunk;

struct bez_tile {
  bez_builder *builder;
  uint64_t tile, file; /* file: index in builder->files */
  unsigned worker;
  bool open, dropped;
  uint32_t n_rows, cap_rows;
  bez_chunk *chunks; /* n_cols, once ended */
  void *data;        /* the chunks' bytes: malloc'd, or those of store */
  bez_store store;
  uint64_t first_row; /* set by finishing: among all rows seen */
  uint64_t first_out; /* set by finishing: among the rows kept */
};

/* One column in the hands of one worker. */
typedef struct bez_lane {
  bez_dict dict;
  uint32_t *codes; /* of the open tile */
  uint32_t *remap; /* finishing: worker code → value index, then final code */
} bez_lane;

typedef struct bez_worker {
  bez_lane *lanes; /* n_cols */
  uint32_t cap_rows;
  bez_tile *open;
} bez_worker;

struct bez_builder {
  bez_read_options options;
  unsigned threads;
  bez_table *table;
  uint32_t n_cols;
  char **names;
  uint32_t *map; /* column of the file being read → column of the table */
  uint32_t n_map;
  bez_worker *workers; /* threads */
  bez_table_file *files;
  size_t n_files, cap_files;
  bool in_file;
  pthread_mutex_t lock; /* tiles, remarks */
  bez_tile **tiles;
  size_t n_tiles, cap_tiles;
  bez_arena arena; /* names, remarks: guarded by lock while reading */
};

/* The arrays of a finished table: bez_table.owned. */
typedef struct bez_owned {
  pthread_mutex_t lock;
  bez_budget *budget;
  bez_store *stores;
  size_t n, cap;
  void **blocks; /* small ones */
  size_t n_blocks, cap_blocks;
} bez_owned;

BEZ_MUST_USE bez_status bez_owned_create(bez_table *table, bez_error *err);
/* A zeroed array that lives as long as the table; thread safe. */
BEZ_MUST_USE bez_status bez_owned_alloc(bez_table *table, uint64_t bytes, void *out, bez_error *err);

/* A distinct value of one column over all workers. */
typedef struct bez_value_info {
  const char *bytes;
  uint32_t len;
  uint32_t count; /* rows */
  double number;  /* NaN: none */
} bez_value_info;

/* What type inference sees of a column; all of it independent of row order but `ascending`. */
typedef struct bez_column_stats {
  uint64_t n_rows, n_present, n_missing; /* rows */
  uint64_t n_number, n_integer, n_time;  /* rows whose cell reads as one */
  uint64_t n_distinct, n_distinct_number;
  uint64_t length, words; /* sums over present rows */
  uint32_t longest;
  uint64_t n_steps, n_up, n_down; /* neighbouring present rows, those with a larger and a smaller number */
} bez_column_stats;

/* types.c: sets type and role of every column from statistics and options; picks label, source, id. */
BEZ_MUST_USE bez_status bez_infer_columns(bez_table *table, const bez_read_options *options,
                                          const bez_column_stats *stats, bez_error *err);

#endif
