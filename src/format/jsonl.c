/* JSON Lines: one object per line (https://jsonlines.org, RFC 8259).
 *
 * Nested objects are laid flat: {"a": {"b": 1}} fills column "a.b". An array stays one cell, as it is spelled. Numbers
 * keep their spelling too, null is a missing cell, and a field that a line lacks is missing. Of a key given twice the
 * last value counts, as Python's json has it, and the lines are counted in a remark. Lines of blanks are passed over
 * and are no rows. An array of turns of a chat becomes two columns, prompt and response (chat.h), and a remark says so.
 *
 * The file is cut into tiles of fixed size; a tile owns the lines that begin in it. Pass one checks every line and
 * collects the fields (they may appear late), pass two hands the rows to the builder. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/threads.h"
#include "format/chat.h"
#include "format/jsonscan.h"
#include "format/keyset.h"
#include "format/reader.h"

#define TILE_BYTES ((uint64_t)4 << 20)

/* What one tile is known to hold. */
typedef struct tile_facts {
  uint64_t n_lines; /* owned lines, blank ones too */
  uint64_t first_line;
  bool failed;
  bez_keyset keys;
} tile_facts;

/* What one worker reuses from line to line. */
typedef struct worker {
  bez_buf window;  /* bytes of the tile, extended to the end of its last line */
  bez_buf scratch; /* strings that had escapes */
  bez_buf path;    /* "a.b" */
  bez_chat chat;   /* turns of the line */
  bool has_chat;
  const char **cell;
  uint32_t *len;
  uint64_t *stamp; /* per column: the row that last filled it, + 1 */
  uint64_t row;
  uint32_t expect; /* the column most likely to come next */
  bool duplicate;
} worker;

typedef struct jsonl {
  bez_source *source;
  bez_builder *builder;
  uint64_t n_tiles;
  tile_facts *tiles;
  unsigned n_workers;
  worker *workers;
  bez_keyset keys; /* of the whole file: the columns */
} jsonl;

/* ---- lines ---- */

/* Fills the worker's window with [from, from + want) of the file, less at its end. */
static bez_status load(jsonl *j, worker *w, uint64_t from, size_t want, bez_error *err) {
  if (want > j->source->size - from) want = (size_t)(j->source->size - from);
  if (!bez_buf_reserve(&w->window, want)) return bez_buf_status(&w->window, err);
  size_t got = 0;
  bez_status st = bez_source_read(j->source, from, w->window.data + w->window.len, want, &got, err);
  w->window.len += got;
  return st;
}

/* The window from the first line that begins in the tile to the end of the last one. *begin == window.len: none. */
static bez_status load_tile(jsonl *j, worker *w, uint64_t tile, size_t *begin, bez_error *err) {
  uint64_t from = tile * TILE_BYTES, back = tile ? 1 : 0;
  bez_buf_clear(&w->window);
  bez_status st = load(j, w, from - back, TILE_BYTES + back, err);
  if (st != BEZ_OK) return st;
  *begin = 0;
  if (tile) {
    const char *nl = memchr(w->window.data, '\n', w->window.len);
    *begin = nl ? (size_t)(nl - w->window.data) + 1 : w->window.len;
  } else if (w->window.len >= 3 && memcmp(w->window.data, "\xEF\xBB\xBF", 3) == 0) {
    *begin = 3;
  }
  if (*begin == w->window.len) return BEZ_OK;
  uint64_t next = from - back + w->window.len;
  size_t seen = w->window.len - 1; /* the last byte may be the newline already */
  while (next < j->source->size && !memchr(w->window.data + seen, '\n', w->window.len - seen)) {
    seen = w->window.len;
    if (seen > BEZ_MAX_RECORD + TILE_BYTES)
      return bez_fail(err, BEZ_LIMIT, j->source->path, "a line is longer than %u bytes", BEZ_MAX_RECORD);
    st = load(j, w, next, 1u << 20, err);
    if (st != BEZ_OK) return st;
    if (w->window.len == seen) break;
    next = from - back + w->window.len;
  }
  const char *nl = memchr(w->window.data + seen, '\n', w->window.len - seen);
  if (nl) w->window.len = (size_t)(nl - w->window.data) + 1;
  return BEZ_OK;
}

/* ---- one line ---- */

typedef struct walk {
  bez_jsonscan scan;
  bez_keyset *set;
  worker *w;
  bool collect; /* pass one */
  bez_status failed;
  bez_error *err;
} walk;

static bool column_of(walk *k, const char *text, size_t len, uint32_t *col) {
  worker *w = k->w;
  if (bez_keyset_is(k->set, w->expect, text, len)) {
    *col = w->expect++;
    return true;
  }
  if (memchr(text, 0, len)) return bez_jsonscan_fail(&k->scan, "a NUL in a key");
  if (k->collect) {
    k->failed = bez_keyset_add(k->set, text, len, col, k->err);
    if (k->failed != BEZ_OK) return false;
  } else {
    *col = bez_keyset_find(k->set, text, len);
    if (*col == BEZ_KEY_NONE) return bez_jsonscan_fail(&k->scan, "the file changed while it was read");
  }
  w->expect = *col + 1;
  return true;
}

static bool scalar(walk *k, bez_json_kind kind, unsigned depth, const char **text, size_t *len) {
  switch (kind) {
    case BEZ_JSON_STRING: return bez_jsonscan_string(&k->scan, &k->w->scratch, text, len);
    case BEZ_JSON_ARRAY: return bez_jsonscan_skip(&k->scan, depth + 1, text, len);
    case BEZ_JSON_NULL: {
      bool good = bez_jsonscan_scalar(&k->scan, text, len);
      *text = NULL;
      *len = 0;
      return good;
    }
    default: return bez_jsonscan_scalar(&k->scan, text, len);
  }
}

static bool store(walk *k, const char *path, size_t path_len, const char *text, size_t len) {
  uint32_t col;
  if (!column_of(k, path, path_len, &col)) return false;
  if (len > BEZ_MAX_CELL) {
    k->failed = bez_fail(k->err, BEZ_LIMIT, NULL, "a value is longer than %u bytes", BEZ_MAX_CELL);
    return false;
  }
  if (k->collect) return true;
  worker *w = k->w;
  if (w->stamp[col] == w->row + 1) w->duplicate = true;
  w->stamp[col] = w->row + 1;
  w->cell[col] = text;
  w->len[col] = (uint32_t)len;
  return true;
}

/* An array that is a chat is stored as two fields, "messages.prompt" and "messages.response"; any other as it is
 * spelled. A row without a turn of the assistant has no response. */
static bool store_array(walk *k, const char *key, size_t key_len, const char *text, size_t len) {
  worker *w = k->w;
  bez_chat *chat = &w->chat;
  size_t prompt = chat->prompt.len, response = chat->response.len;
  if (!bez_chat_read(text, len, &w->scratch, chat)) return store(k, key, key_len, text, len);
  w->has_chat = true;
  w->duplicate |= chat->duplicate;
  bez_buf_clear(&w->path);
  bez_buf_write(&w->path, key, key_len);
  bez_buf_puts(&w->path, ".prompt");
  if (w->path.failed || chat->prompt.failed || chat->response.failed)
    return bez_jsonscan_fail(&k->scan, "memory is out");
  if (!store(k, w->path.data, w->path.len, chat->prompt.data + prompt, chat->prompt.len - prompt)) return false;
  w->path.len = key_len;
  bez_buf_puts(&w->path, ".response");
  if (w->path.failed) return bez_jsonscan_fail(&k->scan, "memory is out");
  bool good = store(k, w->path.data, w->path.len, chat->has_response ? chat->response.data + response : NULL,
                    chat->response.len - response);
  bez_buf_clear(&w->path);
  return good;
}

/* The path buffer holds the prefix "a." of the object's own fields (nothing at the top). */
static bool object(walk *k, unsigned depth) {
  bez_jsonscan *s = &k->scan;
  size_t prefix = k->w->path.len;
  if (depth > BEZ_MAX_JSON_DEPTH) return bez_jsonscan_fail(s, "nested deeper than 64");
  if (!bez_jsonscan_eat(s, '{')) return bez_jsonscan_fail(s, "not an object: each line holds one {...}");
  for (bool first = true; !bez_jsonscan_eat(s, '}'); first = false) {
    const char *path, *text;
    size_t path_len, len;
    if (bez_jsonscan_done(s)) return bez_jsonscan_fail(s, "the object does not end on its line");
    if (!first && !bez_jsonscan_eat(s, ',')) return bez_jsonscan_fail(s, "a comma is expected");
    if (bez_jsonscan_kind(s) != BEZ_JSON_STRING) return bez_jsonscan_fail(s, "a key is expected");
    if (!bez_jsonscan_string(s, &k->w->scratch, &path, &path_len)) return false;
    if (!bez_jsonscan_eat(s, ':')) return bez_jsonscan_fail(s, "a colon is expected");
    bez_json_kind kind = bez_jsonscan_kind(s);
    if (prefix || kind == BEZ_JSON_OBJECT) {
      bez_buf_write(&k->w->path, path, path_len);
      if (kind == BEZ_JSON_OBJECT) bez_buf_putc(&k->w->path, '.');
      if (k->w->path.failed) return bez_jsonscan_fail(s, "memory is out");
      path = k->w->path.data;
      path_len = k->w->path.len;
    }
    bool turns = depth == 1 && kind == BEZ_JSON_ARRAY && bez_chat_key(path, path_len);
    bool good = kind == BEZ_JSON_OBJECT ? object(k, depth + 1)
                                        : scalar(k, kind, depth, &text, &len) &&
                                              (turns ? store_array : store)(k, path, path_len, text, len);
    if (!good) return false;
    k->w->path.len = prefix;
  }
  return true;
}

/* Reads one line into the worker's cells (or only its keys). *blank: nothing on it. */
static bez_status read_line(walk *k, const char *line, size_t len, bool *blank) {
  worker *w = k->w;
  k->scan = (bez_jsonscan){.begin = line, .at = line, .end = line + len};
  *blank = bez_jsonscan_done(&k->scan);
  if (*blank) return BEZ_OK;
  bez_buf_clear(&w->scratch);
  bez_buf_clear(&w->path);
  bez_buf_clear(&w->chat.prompt);
  bez_buf_clear(&w->chat.response);
  w->chat.duplicate = w->has_chat = false;
  if (!bez_buf_reserve(&w->scratch, len)) return bez_buf_status(&w->scratch, k->err);
  if (!bez_buf_reserve(&w->chat.prompt, len + 1)) return bez_buf_status(&w->chat.prompt, k->err);
  if (!bez_buf_reserve(&w->chat.response, len + 1)) return bez_buf_status(&w->chat.response, k->err);
  w->expect = 0;
  if (object(k, 1) && !bez_jsonscan_done(&k->scan)) bez_jsonscan_fail(&k->scan, "something follows the object");
  if (k->failed != BEZ_OK) return k->failed;
  return k->scan.problem ? BEZ_FORMAT : BEZ_OK;
}

/* ---- the two passes ---- */

static bez_status fail_line(const jsonl *j, const walk *k, uint64_t at, uint64_t line, bez_error *err) {
  if (k->failed != BEZ_OK || !k->scan.problem) return k->failed != BEZ_OK ? k->failed : BEZ_MEMORY;
  return bez_fail_at(err, BEZ_FORMAT, j->source->path, (int64_t)line,
                     (int64_t)(at + (uint64_t)(k->scan.at - k->scan.begin)), "%s", k->scan.problem);
}

/* File offset of the window's first byte. */
static uint64_t window_at(uint64_t tile) {
  return tile * TILE_BYTES - (tile ? 1 : 0);
}

/* The end of the line that begins at `at`, its newline left out. */
static size_t line_end(const bez_buf *window, size_t at) {
  const char *nl = memchr(window->data + at, '\n', window->len - at);
  return nl ? (size_t)(nl - window->data) : window->len;
}

static bez_status collect_tile(void *ctx, uint64_t tile, unsigned worker_no, bez_error *err) {
  jsonl *j = ctx;
  worker *w = &j->workers[worker_no];
  tile_facts *facts = &j->tiles[tile];
  size_t at = 0;
  bez_status st = load_tile(j, w, tile, &at, err);
  if (st != BEZ_OK) return st;
  walk k = {.set = &facts->keys, .w = w, .collect = true, .err = err};
  while (at < w->window.len) {
    size_t end = line_end(&w->window, at);
    bool blank;
    facts->n_lines++;
    if (read_line(&k, w->window.data + at, end - at, &blank) != BEZ_OK) {
      facts->failed = true;
      return fail_line(j, &k, window_at(tile) + at, facts->n_lines, err);
    }
    at = end + 1;
  }
  return BEZ_OK;
}

static bez_status push_rows(jsonl *j, worker *w, uint64_t tile, size_t at, bez_tile *out, bez_error *err) {
  walk k = {.set = &j->keys, .w = w, .err = err};
  uint64_t line = j->tiles[tile].first_line;
  while (at < w->window.len) {
    size_t end = line_end(&w->window, at);
    bool blank;
    w->duplicate = false;
    memset(w->cell, 0, j->keys.n * sizeof *w->cell);
    memset(w->len, 0, j->keys.n * sizeof *w->len);
    if (read_line(&k, w->window.data + at, end - at, &blank) != BEZ_OK)
      return fail_line(j, &k, window_at(tile) + at, line, err);
    if (!blank) {
      bez_status st = bez_tile_row(out, w->cell, w->len, j->keys.n, err);
      if (st != BEZ_OK) return st;
      w->row++;
    }
    if (w->has_chat)
      bez_builder_remark(j->builder, "chat-turns", j->source->path, 1, (int64_t)line, "read as prompt and response");
    if (w->duplicate)
      bez_builder_remark(j->builder, "duplicate-key", j->source->path, 1, (int64_t)line, "a key given twice");
    if (k.scan.lone_surrogates)
      bez_builder_remark(j->builder, "lone-surrogate", j->source->path, k.scan.lone_surrogates, (int64_t)line,
                         "\\ud800 without its partner");
    at = end + 1;
    line++;
  }
  return BEZ_OK;
}

static bez_status push_tile(void *ctx, uint64_t tile, unsigned worker_no, bez_error *err) {
  jsonl *j = ctx;
  worker *w = &j->workers[worker_no];
  size_t at = 0;
  bez_tile *out = NULL;
  bez_status st = load_tile(j, w, tile, &at, err);
  if (st == BEZ_OK) st = bez_builder_tile(j->builder, tile, worker_no, &out, err);
  if (st != BEZ_OK) return st;
  st = push_rows(j, w, tile, at, out, err);
  if (st == BEZ_OK) return bez_tile_end(out, err);
  bez_tile_abandon(out);
  return st;
}

/* Pass one failed with a line that counts from its tile's first: make it count from the file's. */
static void place_line(const jsonl *j, bez_error *err) {
  if (!err || err->line <= 0) return;
  for (uint64_t t = 0; t < j->n_tiles && !j->tiles[t].failed; t++) err->line += (int64_t)j->tiles[t].n_lines;
}

static bez_status join_keys(jsonl *j, bez_error *err) {
  uint64_t line = 1;
  for (uint64_t t = 0; t < j->n_tiles; t++) {
    j->tiles[t].first_line = line;
    line += j->tiles[t].n_lines;
    for (uint32_t i = 0; i < j->tiles[t].keys.n; i++) {
      uint32_t ignored;
      bez_key key = j->tiles[t].keys.keys[i];
      bez_status st = bez_keyset_add(&j->keys, key.text, key.len, &ignored, err);
      if (st != BEZ_OK) return st;
    }
    bez_keyset_free(&j->tiles[t].keys);
  }
  if (j->keys.n == 0) return bez_fail(err, BEZ_FORMAT, j->source->path, "no object with a field in this file");
  return BEZ_OK;
}

static bez_status make_workers(jsonl *j, bez_error *err) {
  size_t n = j->keys.n;
  for (unsigned i = 0; i < j->n_workers; i++) {
    worker *w = &j->workers[i];
    w->cell = calloc(n, sizeof *w->cell);
    w->len = calloc(n, sizeof *w->len);
    w->stamp = calloc(n, sizeof *w->stamp);
    if (!w->cell || !w->len || !w->stamp) return bez_fail_memory(err, n * 20);
  }
  return BEZ_OK;
}

/* Chats fill "prompt" and "response", unless the file has such fields beside them. */
static const char *shown_name(const jsonl *j, const char *name) {
  const char *dot = strchr(name, '.');
  if (!dot || !bez_chat_key(name, (size_t)(dot - name))) return name;
  if (strcmp(dot, ".prompt") && strcmp(dot, ".response")) return name;
  if (bez_keyset_find(&j->keys, "prompt", 6) != BEZ_KEY_NONE) return name;
  if (bez_keyset_find(&j->keys, "response", 8) != BEZ_KEY_NONE) return name;
  for (uint32_t i = 0; i < j->keys.n; i++) { /* of two chats in one record the first */
    const char *other = strchr(j->keys.keys[i].text, '.');
    if (!other || strcmp(other, dot) || !bez_chat_key(j->keys.keys[i].text, (size_t)(other - j->keys.keys[i].text)))
      continue;
    return strcmp(j->keys.keys[i].text, name) ? name : dot + 1;
  }
  return name;
}

static bez_status declare(jsonl *j, bez_error *err) {
  const char **names = calloc(j->keys.n, sizeof *names);
  if (!names) return bez_fail_memory(err, j->keys.n * sizeof *names);
  for (uint32_t i = 0; i < j->keys.n; i++) names[i] = shown_name(j, j->keys.keys[i].text);
  bez_status st = bez_builder_fields(j->builder, j->source->path, names, NULL, j->keys.n, err);
  free(names);
  if (st != BEZ_OK) return st;
  return bez_builder_begin_file(j->builder, j->source->path, "jsonl", j->source->size, err);
}

static void jsonl_free(jsonl *j) {
  for (uint64_t t = 0; j->tiles && t < j->n_tiles; t++) bez_keyset_free(&j->tiles[t].keys);
  for (unsigned i = 0; j->workers && i < j->n_workers; i++) {
    worker *w = &j->workers[i];
    bez_buf_free(&w->window);
    bez_buf_free(&w->scratch);
    bez_buf_free(&w->path);
    bez_buf_free(&w->chat.prompt);
    bez_buf_free(&w->chat.response);
    free(w->cell);
    free(w->len);
    free(w->stamp);
  }
  bez_keyset_free(&j->keys);
  free(j->tiles);
  free(j->workers);
}

static bez_status jsonl_read(bez_source *source, bez_builder *builder, bez_error *err) {
  bez_status st = BEZ_OK;
  jsonl j = {.source = source, .builder = builder, .n_workers = bez_builder_threads(builder)};
  j.n_tiles = source->size / TILE_BYTES + 1;
  j.tiles = calloc(j.n_tiles, sizeof *j.tiles);
  j.workers = calloc(j.n_workers, sizeof *j.workers);
  if (!j.tiles || !j.workers) BEZ_TRY(bez_fail_memory(err, j.n_tiles * sizeof *j.tiles));
  bez_watch watch = bez_builder_watch(builder, "reading");
  st = bez_parallel_watched(j.n_tiles, j.n_workers, &watch, collect_tile, &j, err);
  if (st != BEZ_OK) place_line(&j, err);
  BEZ_TRY(st);
  BEZ_TRY(join_keys(&j, err));
  BEZ_TRY(make_workers(&j, err));
  BEZ_TRY(declare(&j, err));
  BEZ_TRY(bez_parallel_watched(j.n_tiles, j.n_workers, &watch, push_tile, &j, err));
  BEZ_TRY(bez_builder_end_file(builder, j.n_tiles, err));
cleanup:
  jsonl_free(&j);
  return st;
}

/* ---- recognition ---- */

static bool extension_in(const char *extension, const char *list) {
  size_t n = extension ? strlen(extension) : 0;
  for (const char *p = list; n && (p = strstr(p, extension)) != NULL; p += n)
    if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == 0)) return true;
  return false;
}

/* A first line that is an object is as good as certain. A line cut off by the head, or a JSON array in a file called
 * JSON, is taken too: the reader says what is wrong with it. */
static int jsonl_sniff(const uint8_t *head, size_t len, const char *extension) {
  bool named = extension_in(extension, "jsonl ndjson json");
  const char *begin = (const char *)head, *end = begin + len;
  if (len >= 3 && memcmp(head, "\xEF\xBB\xBF", 3) == 0) begin += 3;
  bez_jsonscan s = {.begin = begin, .at = begin, .end = end};
  bez_json_kind kind = bez_jsonscan_kind(&s);
  if (kind == BEZ_JSON_ARRAY) return named ? 60 : 0;
  if (kind != BEZ_JSON_OBJECT) return 0;
  const char *nl = memchr(s.at, '\n', (size_t)(end - s.at)), *text;
  size_t n;
  if (nl) s.end = nl;
  if (bez_jsonscan_skip(&s, 1, &text, &n) && bez_jsonscan_done(&s)) return 95;
  if (named) return 90;
  if (nl) return 0;
  s = (bez_jsonscan){.begin = begin, .at = begin, .end = end};
  return bez_jsonscan_eat(&s, '{') && bez_jsonscan_kind(&s) == BEZ_JSON_STRING ? 60 : 0;
}

const bez_reader bez_reader_jsonl = {
    .name = "jsonl",
    .title = "JSON Lines",
    .extensions = "jsonl ndjson json",
    .summary =
        "One object per line, UTF-8. Nested objects become columns \"a.b\", arrays stay one cell; a key given "
        "twice is reported with its line; a broken line is an error with line and byte. Files of one data set "
        "may have different fields: all are read, missing where a file lacks them, with a remark. Turns of a chat "
        "(messages with role and content, conversations with from and value) become the columns prompt and "
        "response.",
    .sniff = jsonl_sniff,
    .read = jsonl_read,
};
