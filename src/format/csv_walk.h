/* Walking the records of a CSV source one by one, raw bytes beside cells: for rewriting, and wherever a record does
 * not come in a tile of its own. */
#ifndef BEZ_FORMAT_CSV_WALK_H
#define BEZ_FORMAT_CSV_WALK_H

#include "format/csv.h"
#include "format/source.h"

#define BEZ_CSV_SNIFF_BYTES (1u << 20)

/* The dialect of the source, from its first BEZ_CSV_SNIFF_BYTES: what every reader of the file must agree on. */
BEZ_MUST_USE bez_status bez_csv_find_dialect(const bez_source *source, bez_csv_dialect *out, bez_error *err);

typedef struct bez_csv_walk {
  const bez_source *source;
  bez_csv_dialect dialect;
  bez_csv_record record; /* the current one; no cells: an empty line */
  const char *raw;       /* its bytes, line end included */
  size_t raw_len;
  uint64_t offset; /* of raw in the source */
  int64_t line;    /* 1-based, of raw */
  bool done;       /* no record was left */
  char *buf;
  size_t len, cap, next; /* bytes in buf, room, where the next record begins */
  uint64_t buf_offset;
  int64_t next_line;
} bez_csv_walk;

/* Starts behind the byte order mark and the line "sep=;"; the header is the first record. source is borrowed. */
BEZ_MUST_USE bez_status bez_csv_walk_open(const bez_source *source, bez_csv_walk *out, bez_error *err);
/* Moves to the next record; sets done when there is none. */
BEZ_MUST_USE bez_status bez_csv_walk_next(bez_csv_walk *walk, bez_error *err);
void bez_csv_walk_close(bez_csv_walk *walk);

/* Where the first record begins at or behind `low` (the source's end: nowhere), found from the quotes before it. start:
 * where a record is known to begin. Costs a look at every quote, and a fraction of splitting cells. */
BEZ_MUST_USE bez_status bez_csv_find_start(const bez_source *source, const bez_csv_dialect *dialect, uint64_t start,
                                           uint64_t low, uint64_t *out, bez_error *err);

/* BEZ_FORMAT or BEZ_LIMIT for a record that could not be split. */
bez_status bez_csv_split_error(bez_csv_split_result got, const char *path, int64_t line, uint64_t offset,
                               bez_error *err);

#endif
