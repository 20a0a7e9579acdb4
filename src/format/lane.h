/* A lane: one column in the hands of one worker. It takes cells of the open tile and packs them into a chunk. */
#ifndef BEZ_FORMAT_LANE_H
#define BEZ_FORMAT_LANE_H

#include "format/builder.h"
#include "format/dict.h"
#include "format/form.h"

typedef enum bez_lane_mode {
  BEZ_LANE_CODES = 0, /* codes of the lane's dictionary */
  BEZ_LANE_FORM,      /* numbers of the column's form; other cells as boxed codes */
  BEZ_LANE_TEXT,      /* the bytes */
  BEZ_LANE_SKIP,      /* nothing: an identifier */
  BEZ_LANE_ABSENT     /* of chunks only: the file has no such column, every cell is missing */
} bez_lane_mode;

/* How a column is taken in; the same for all lanes of the column, and changed only between tiles. */
typedef struct bez_column_plan {
  bez_lane_mode mode;
  bez_form form;
} bez_column_plan;

typedef struct bez_lane {
  bez_dict dict;
  uint32_t *codes;  /* CODES: of the open tile */
  int64_t *numbers; /* FORM */
  uint32_t *ends;   /* TEXT: end of each cell in text */
  bez_buf text;
  uint32_t cap_rows;
  uint64_t missing;   /* SKIP: cells of the open tile that are missing */
  uint32_t *remap;    /* finishing: code → index of the column's value */
  uint32_t *final_of; /* finishing: code → final code */
} bez_lane;

/* One lane's part of a tile. CODES: width bytes each. FORM: width 4 or 8, signed; a code k is boxed as the least number
 * of that width + k. TEXT: n_rows ends (4 bytes), then the bytes. */
typedef struct bez_chunk {
  uint64_t at; /* offset in the tile's data */
  uint8_t mode, width;
  uint64_t missing;
} bez_chunk;

BEZ_MUST_USE bez_status bez_lane_reserve(bez_lane *lane, bez_lane_mode mode, uint32_t rows, bez_error *err);
/* Takes n_rows cells spans[0], spans[stride] … as rows first_row … of the open tile. */
BEZ_MUST_USE bez_status bez_lane_take(bez_lane *lane, bez_column_plan plan, const char *base,
                                      const bez_cell_span *spans, uint32_t n_rows, uint32_t stride, uint32_t first_row,
                                      bez_error *err);
/* One cell; nothing behind it needs to be readable. */
BEZ_MUST_USE bez_status bez_lane_take_one(bez_lane *lane, bez_column_plan plan, const char *cell, uint32_t len,
                                          uint32_t row, bez_error *err);
/* Chooses the chunk's width; returns its bytes. */
uint64_t bez_lane_measure(const bez_lane *lane, bez_column_plan plan, uint32_t n_rows, bez_chunk *chunk);
void bez_lane_pack(bez_lane *lane, uint32_t n_rows, const bez_chunk *chunk, void *out);
void bez_lane_restart(bez_lane *lane); /* for the next tile */
void bez_lane_free(bez_lane *lane);

#define BEZ_BOX_LIMIT ((int64_t)1 << 20) /* codes that a box of 4 bytes holds */

/* Row r of a chunk. */
static inline uint32_t bez_chunk_code(const void *data, unsigned width, uint32_t r) {
  switch (width) {
    case 1: return ((const uint8_t *)data)[r];
    case 2: return ((const uint16_t *)data)[r];
    default: return ((const uint32_t *)data)[r];
  }
}

/* True: *x is a number of the form; false: *x is a code. */
static inline bool bez_chunk_number(const void *data, unsigned width, uint32_t r, int64_t *x) {
  if (width == 4) {
    int64_t v = ((const int32_t *)data)[r];
    bool boxed = v < INT32_MIN + BEZ_BOX_LIMIT;
    *x = boxed ? v - INT32_MIN : v;
    return !boxed;
  }
  int64_t v = ((const int64_t *)data)[r];
  bool boxed = v < BEZ_FORM_LEAST;
  *x = boxed ? v - INT64_MIN : v;
  return !boxed;
}

static inline const char *bez_chunk_text(const void *data, uint32_t n_rows, uint32_t r, uint32_t *len) {
  const uint32_t *ends = data;
  uint32_t begin = r ? ends[r - 1] : 0;
  *len = ends[r] - begin;
  return (const char *)(ends + n_rows) + begin;
}

#endif
