/* Parquet and Arrow files: bytes cut by content, and a row of digests per row of the table. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "content/columns.h"
#include "content/digest_team.h"

static int columns_sniff(const char *path, const uint8_t *head, size_t len, bool whole) {
  if (len >= 4 && !memcmp(head, "PAR1", 4)) return 100;
  if (len >= 8 && !memcmp(head, "ARROW1\0\0", 8)) return 100;
  /* An IPC stream: continuation mark, length of the schema's message in steps of 8. */
  bool mark = len >= 16 && !memcmp(head, "\xff\xff\xff\xff", 4);
  return mark && head[4] % 8 == 0 && head[7] == 0 && (head[4] || head[5] || head[6]) ? 90 : 0;
}

static bez_status columns_open(const char *path, const char *head, size_t len, bool whole, void **state,
                               bez_error *err) {
  *state = NULL;
  return BEZ_OK;
}

static bez_status columns_open_json(const json_t *params, void **state, bez_error *err) {
  *state = NULL;
  return BEZ_OK;
}

static void columns_close(void *state) {}

static void columns_params(const void *state, bez_json *j) {}

static bez_status digest_row(void *ctx, uint64_t i, bez_canonical *c, uint8_t out[32], bez_error *err) {
  bez_canonical_begin(c);
  bez_status st = bez_columns_row(ctx, i, bez_canonical_take, c, err);
  return st == BEZ_OK ? bez_canonical_finish(c, out, err) : st;
}

static bez_status columns_digests(const void *state, const char *path, bez_digest_fn fn, void *ctx, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_columns *columns = NULL;
  bez_digest_team *team = NULL;
  BEZ_TRY(bez_digest_team_create(&team, err));
  BEZ_TRY(bez_columns_open(path, &columns, err));
  for (uint64_t n;;) {
    BEZ_TRY(bez_columns_next(columns, &n, err));
    if (!n) break;
    BEZ_TRY(bez_digest_team_run(team, n, digest_row, columns, fn, ctx, err));
  }
cleanup:
  bez_columns_close(columns);
  bez_digest_team_free(team);
  return st;
}

typedef struct column_rows {
  bez_columns *columns;
  uint64_t n, next; /* of the batch */
} column_rows;

static void columns_rows_close(void *rows) {
  column_rows *r = rows;
  if (r) bez_columns_close(r->columns);
  free(r);
}

static bez_status columns_rows_open(const void *state, const char *path, void **rows, bez_error *err) {
  column_rows *r = calloc(1, sizeof *r);
  if (!r) return bez_fail_memory(err, sizeof *r);
  bez_status st = bez_columns_open(path, &r->columns, err);
  if (st == BEZ_OK)
    *rows = r;
  else
    columns_rows_close(r);
  return st;
}

static bez_status columns_rows_next(void *rows, bez_field_fn fn, void *ctx, bool *end, bez_error *err) {
  column_rows *r = rows;
  bez_status st = BEZ_OK;
  if (r->next == r->n) {
    r->next = 0;
    st = bez_columns_next(r->columns, &r->n, err);
  }
  *end = st == BEZ_OK && r->n == 0;
  return st == BEZ_OK && r->n ? bez_columns_row(r->columns, r->next++, fn, ctx, err) : st;
}

const bez_form bez_form_columns = {
    .name = "columns",
    .summary = "A Parquet or Arrow file: a row per row of the table; the bytes are kept as they are.",
    .sniff = columns_sniff,
    .open = columns_open,
    .open_json = columns_open_json,
    .close = columns_close,
    .params = columns_params,
    .digests = columns_digests,
    .rows_open = columns_rows_open,
    .rows_next = columns_rows_next,
    .rows_close = columns_rows_close,
};
