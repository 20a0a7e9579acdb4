/* Reading one tile of a CSV file: the records that begin in [low, high), through the fast scan or the splitter. */
#ifndef BEZ_FORMAT_CSV_TILE_H
#define BEZ_FORMAT_CSV_TILE_H

#include "format/builder.h"
#include "format/csv.h"
#include "format/csv_scan.h"
#include "format/source.h"

typedef enum bez_csv_oddity {
  BEZ_CSV_RAGGED = 0,
  BEZ_CSV_NUL,
  BEZ_CSV_NOT_UTF8,
  BEZ_CSV_STRAY_QUOTE,
  BEZ_CSV_BLANK,
  BEZ_CSV_LONE_CR,
  BEZ_CSV_ODDITIES
} bez_csv_oddity;

typedef struct bez_csv_odd {
  uint64_t count;
  uint64_t at; /* file offset of the first, UINT64_MAX unknown */
} bez_csv_odd;

/* What reading a tile yields. A tile other than the first may have begun at the wrong place (inside a quoted cell): its
 * result counts only if the tile before it ended where it began. */
typedef struct bez_csv_tile {
  uint64_t low, high; /* set by the caller */
  uint64_t start;     /* where its first record begins; may be ≥ high: no record begins here */
  uint64_t end;       /* where the record behind its last begins */
  uint64_t n_rows;
  bez_tile *tile; /* NULL: no rows */
  bez_csv_odd odd[BEZ_CSV_ODDITIES];
  bool failed; /* error says why; counts only if the start was right */
  bez_error error;
} bez_csv_tile;

/* One worker's buffers; zero-initialise. */
typedef struct bez_csv_hand {
  char *buf;
  size_t cap, len;
  uint64_t offset; /* of buf[0] in the file */
  uint32_t *at, *row_end;
  size_t cap_marks;
  bez_cell_span *spans;
  uint32_t block_rows;
  bez_csv_record record;
  const char **cells;
  uint32_t *lens;
  char *scratch;
  size_t cap_scratch;
} bez_csv_hand;

typedef struct bez_csv_plan {
  const bez_source *source;
  bez_builder *builder;
  bez_csv_dialect dialect;
  bez_csv_scan_fn scan;
  bool reference; /* read every tile through the splitter */
} bez_csv_plan;

#define BEZ_CSV_GUESS UINT64_MAX

/* Reads the tile numbered `index` into the builder; start: where its first record begins, or BEZ_CSV_GUESS. Errors of
 * the content go to out->error, those of the machine are returned. */
BEZ_MUST_USE bez_status bez_csv_read_tile(const bez_csv_plan *plan, bez_csv_hand *hand, uint64_t index, unsigned worker,
                                          uint64_t start, bez_csv_tile *out, bez_error *err);
void bez_csv_hand_free(bez_csv_hand *hand);

#endif
