/* Inside finishing: from tiles of worker codes to the finished table.
 *
 *   1 tiles in file order; with --sample the rows that stay                                  finish.c
 *   2 per column: rows per worker code, dictionaries of all workers merged, statistics       finish_values.c
 *   3 types, roles, label                                                                    types.c
 *     words for "missing" that are a class of the label                                      label_words.c
 *   4 per column: values sorted, final codes given, value arrays filled                      finish_rank.c
 *   5 per tile: codes rewritten into the final arrays, text copied, the tile freed           finish_write.c
 *
 * Steps 2 and 4 run over columns in parallel, step 5 over tiles. */
#ifndef BEZ_FORMAT_FINISH_H
#define BEZ_FORMAT_FINISH_H

#include "format/builder_internal.h"
#include "format/number_set.h"

/* A distinct value of one column over all workers that stands in a dictionary. */
typedef struct bez_value_info {
  const char *bytes;
  uint32_t len;
  uint32_t count; /* rows */
  double number;  /* NaN: none */
  bool missing;
  bool of_form; /* counted in the number set instead */
  int64_t x;    /* then: this number */
} bez_value_info;

typedef struct bez_column_work {
  bez_value_info *values; /* those that occur */
  uint32_t n_values;
  uint64_t n_absent;      /* rows of tiles without the column: missing, and in no dictionary */
  bez_dict merged;        /* bytes → index into values; only with several workers */
  uint32_t *final_of;     /* value index → final code */
  bez_number_set numbers; /* columns read as numbers of a form */
} bez_column_work;

typedef struct bez_finish {
  bez_builder *b;
  bez_table *table;
  bez_tile **tiles; /* those that count, in order */
  size_t n_tiles;
  uint8_t *keep; /* per row seen, NULL: all */
  bez_column_work *work;
  bez_column_stats *stats;
} bez_finish;

/* How a tile holds a column; BEZ_LANE_ABSENT: not at all, every cell is missing. */
static inline bez_lane_mode bez_chunk_mode(const bez_tile *tile, uint32_t col) {
  return col < tile->n_chunks ? (bez_lane_mode)tile->chunks[col].mode : BEZ_LANE_ABSENT;
}

static inline const void *bez_chunk_data(const bez_tile *tile, uint32_t col) {
  return tile->data + tile->chunks[col].at;
}

static inline bool bez_row_kept(const bez_finish *f, const bez_tile *tile, uint32_t r) {
  return !f->keep || f->keep[tile->first_row + r];
}

BEZ_MUST_USE bez_status bez_finish_tiles(bez_finish *f, bez_error *err); /* step 1 without --sample */
BEZ_MUST_USE bez_status bez_survey_column(void *finish, uint64_t col, unsigned worker, bez_error *err);
BEZ_MUST_USE bez_status bez_rank_column(void *finish, uint64_t col, unsigned worker, bez_error *err);
BEZ_MUST_USE bez_status bez_write_tile(void *finish, uint64_t i, unsigned worker, bez_error *err);
void bez_finish_label_words(bez_finish *f);
void bez_finish_free(bez_finish *f);

#endif
