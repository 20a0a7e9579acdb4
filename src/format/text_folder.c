/* Plain text: a file is one document, row 0 of itself, in a column "text". */
#include "format/text_folder.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "format/csv.h"
#include "format/reader.h"

#define HEAD_BYTES 65536u
#define LEAST_LINES 5u
#define LOOKED_AT 24u /* files, when it is asked whether they are tables */

/* ".txt" of "a.txt.gz" */
static bool named_text(const char *path) {
  static const char *const names[] = {".txt", ".md", ".rst", ".text", ".markdown"};
  size_t n = strlen(path);
  if (n > 3 && !strcasecmp(path + n - 3, ".gz")) n -= 3;
  if (n > 4 && !strcasecmp(path + n - 4, ".zst")) n -= 4;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    size_t m = strlen(names[i]);
    if (n > m && !strncasecmp(path + n - m, names[i], m)) return true;
  }
  return false;
}

/* A head that is no text at all, or not in an encoding that is read; NULL: nothing speaks against it. */
static const char *no_text(const uint8_t *p, size_t len) {
  size_t odd = 0;
  if (len >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)))
    return "UTF-16 text; convert it to UTF-8 first";
  for (size_t i = 0; i < len; i++) odd += p[i] < 32 && p[i] != '\t' && p[i] != '\n' && p[i] != '\r' && p[i] != '\f';
  if (memchr(p, 0, len)) return "holds NUL bytes: no plain text";
  return odd * 10 > len ? "is full of control characters: no plain text" : NULL;
}

static bool few_lines(const uint8_t *p, size_t len) {
  unsigned n = 0;
  for (const uint8_t *at = p, *end = p + len; n < LEAST_LINES && (at = memchr(at, '\n', (size_t)(end - at))) != NULL;
       at++)
    n++;
  return n < LEAST_LINES;
}

/* Columns of the file read as a table, 1 where it is none, or has too few lines to tell. */
static uint32_t columns_of(const bez_spool *spool, const char *path) {
  bez_budget budget = {.bytes = (uint64_t)64 << 20};
  bez_source source;
  bez_csv_dialect dialect = {0};
  uint32_t columns = 1;
  uint8_t *head = malloc(HEAD_BYTES + BEZ_CELL_PAD);
  if (!head) return 1;
  if (bez_source_open_in(spool, path, &budget, &source, NULL) == BEZ_OK) {
    size_t got = 0;
    bez_status st = bez_source_read(&source, 0, head, HEAD_BYTES, &got, NULL);
    bool lines = st == BEZ_OK && bez_reader_jsonl.sniff(head, got, "txt") >= 60;
    if (lines)
      columns = 2;
    else if (st == BEZ_OK && !few_lines(head, got) && !no_text(head, got) &&
             bez_csv_sniff((const char *)head, got, got == source.size, path, &dialect, NULL) == BEZ_OK)
      columns = dialect.doubtful ? 1 : dialect.n_cols;
    bez_source_close(&source);
  }
  free(head);
  return columns;
}

/* Most of some files, spread over all, divide into the same number of columns, two or more. */
static bool are_tables(const bez_spool *spool, const char *const *paths, size_t n) {
  uint32_t columns[LOOKED_AT];
  size_t looked = n < LOOKED_AT ? n : LOOKED_AT;
  for (size_t i = 0; i < looked; i++) columns[i] = columns_of(spool, paths[i * n / looked]);
  for (size_t i = 0; i < looked; i++) {
    size_t same = 0;
    for (size_t k = 0; k < looked; k++) same += columns[k] == columns[i];
    if (columns[i] > 1 && same * 2 > looked) return true;
  }
  return false;
}

bool bez_are_documents(const bez_spool *spool, const char *const *paths, size_t n) {
  size_t texts = 0;
  for (size_t i = 0; i < n; i++) texts += named_text(paths[i]);
  return texts >= 2 && texts * 10 >= n * 9 && !are_tables(spool, paths, n);
}

static bez_status load(const bez_source *source, char **out, size_t *len, bez_error *err) {
  size_t got = 0;
  if (source->size > BEZ_MAX_CELL)
    return bez_fail(err, BEZ_LIMIT, source->path, "a document of more than %u bytes", BEZ_MAX_CELL);
  *out = malloc((size_t)source->size + BEZ_CELL_PAD);
  if (!*out) return bez_fail_memory(err, (size_t)source->size);
  bez_status st = bez_source_read(source, 0, *out, (size_t)source->size, &got, err);
  *len = got;
  const char *why = st == BEZ_OK ? no_text((const uint8_t *)*out, got) : NULL;
  return why ? bez_fail(err, BEZ_FORMAT, source->path, "%s", why) : st;
}

static bool is_blank(const char *p, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (p[i] != ' ' && p[i] != '\t' && p[i] != '\r' && p[i] != '\n') return false;
  return true;
}

static bool is_utf8(const char *p, size_t len) {
  for (size_t i = 0; i < len;) {
    uint32_t cp;
    bool ok = true;
    if (!((unsigned char)p[i] & 0x80)) {
      i++;
      continue;
    }
    i += bez_utf8_decode(p + i, len - i, &cp, &ok);
    if (!ok) return false;
  }
  return true;
}

static bez_status push(bez_builder *builder, const char *path, const char *text, size_t len, bez_error *err) {
  bez_tile *tile;
  uint32_t n = (uint32_t)len;
  bool blank = is_blank(text, len);
  bez_status st = bez_builder_tile(builder, 0, 0, &tile, err);
  if (st != BEZ_OK) return st;
  const char *cell = blank ? NULL : text;
  if (blank) n = 0;
  st = bez_tile_row(tile, &cell, &n, 1, err);
  if (st == BEZ_OK) return bez_tile_end(tile, err);
  bez_tile_abandon(tile);
  (void)path;
  return st;
}

static bez_status read_document(bez_source *source, bez_builder *builder, bez_error *err) {
  static const char *const name = "text";
  bez_status st = BEZ_OK;
  char *text = NULL;
  size_t len = 0, skip;
  BEZ_TRY(load(source, &text, &len, err));
  BEZ_TRY(bez_builder_columns(builder, source->path, &name, NULL, 1, err));
  BEZ_TRY(bez_builder_begin_file(builder, source->path, "text", source->size, err));
  skip = len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
  if (is_blank(text + skip, len - skip))
    bez_builder_remark(builder, "empty-documents", source->path, 1, -1, "nothing but blanks");
  if (!is_utf8(text + skip, len - skip))
    bez_builder_remark(builder, "invalid-utf8", source->path, 1, -1, "bytes that are not UTF-8");
  BEZ_TRY(push(builder, source->path, text + skip, len - skip, err));
  BEZ_TRY(bez_builder_end_file(builder, 1, err));
cleanup:
  free(text);
  return st;
}

/* Files of these names only; a .txt that comes alone may be a table and goes to the CSV reader. */
static int sniff(const uint8_t *head, size_t len, const char *extension) {
  bool named = !strcmp(extension, "md") || !strcmp(extension, "rst") || !strcmp(extension, "markdown");
  return named && !no_text(head, len) ? 40 : 0;
}

const bez_reader bez_reader_text = {
    .name = "text",
    .title = "Plain-text documents",
    .extensions = "txt md rst text markdown",
    .summary = "Each file is one document, row 0 of itself, in a column \"text\": a folder or list of .txt, .md and "
               ".rst files "
               "that are no tables. A single .txt is read as CSV.",
    .sniff = sniff,
    .read = read_document,
};
