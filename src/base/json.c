/* JSON writer with deterministic numbers; reader over libjansson. */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/utf8.h"

bez_json bez_json_make(bez_buf *out, bool pretty) {
  return (bez_json){.out = out, .pretty = pretty};
}

static void newline(bez_json *j) {
  if (!j->pretty) return;
  bez_buf_putc(j->out, '\n');
  for (unsigned i = 0; i < j->depth; i++) bez_buf_puts(j->out, "  ");
}

/* Comma and line break that are due before a key or an array item. */
static void before_item(bez_json *j) {
  if (j->after_key) {
    j->after_key = false;
    return;
  }
  if (j->depth == 0) return;
  uint64_t bit = 1ull << (j->depth - 1);
  if (j->has_item & bit) bez_buf_putc(j->out, ',');
  j->has_item |= bit;
  newline(j);
}

void bez_json_open(bez_json *j, char bracket) {
  before_item(j);
  bez_buf_putc(j->out, bracket);
  if (j->depth >= BEZ_MAX_JSON_DEPTH) { /* our own writers nest a handful of levels */
    j->out->failed = BEZ_LIMIT;
    return;
  }
  j->depth++;
  j->has_item &= ~(1ull << (j->depth - 1));
}

void bez_json_close(bez_json *j, char bracket) {
  if (j->depth == 0) return;
  bool any = j->has_item & 1ull << (j->depth - 1);
  j->depth--;
  if (any) newline(j);
  bez_buf_putc(j->out, bracket);
}

static void put_code_point(bez_buf *out, uint32_t cp) {
  char bytes[4];
  switch (cp) {
    case '"': bez_buf_puts(out, "\\\""); return;
    case '\\': bez_buf_puts(out, "\\\\"); return;
    case '\n': bez_buf_puts(out, "\\n"); return;
    case '\r': bez_buf_puts(out, "\\r"); return;
    case '\t': bez_buf_puts(out, "\\t"); return;
    default: break;
  }
  /* U+2028/2029 are escaped too: reports are embedded in HTML scripts. */
  if (cp < 0x20 || cp == 0x7F || cp == 0x2028 || cp == 0x2029)
    bez_buf_printf(out, "\\u%04x", cp);
  else
    bez_buf_write(out, bytes, bez_utf8_encode(cp, bytes));
}

static void put_string(bez_buf *out, const char *text, size_t len) {
  bez_buf_putc(out, '"');
  for (size_t at = 0; at < len;) {
    uint32_t cp;
    at += bez_utf8_decode(text + at, len - at, &cp, NULL);
    put_code_point(out, cp);
  }
  bez_buf_putc(out, '"');
}

void bez_json_key(bez_json *j, const char *key) {
  before_item(j);
  put_string(j->out, key, strlen(key));
  bez_buf_puts(j->out, j->pretty ? ": " : ":");
  j->after_key = true;
}

void bez_json_strn(bez_json *j, const char *text, size_t len) {
  before_item(j);
  put_string(j->out, text, len);
}

void bez_json_raw(bez_json *j, const char *text, size_t len) {
  before_item(j);
  bez_buf_write(j->out, text, len);
}

void bez_json_str(bez_json *j, const char *text) {
  if (!text)
    bez_json_null(j);
  else
    bez_json_strn(j, text, strlen(text));
}

size_t bez_format_double(double value, char out[32]) {
  if (isnan(value)) return (size_t)snprintf(out, 32, "nan");
  if (isinf(value)) return (size_t)snprintf(out, 32, value < 0 ? "-inf" : "inf");
  if (value == 0) return (size_t)snprintf(out, 32, "0");
  /* %g drops trailing zeros, so 15 digits print every short decimal as it was typed. */
  int n = 0;
  for (int digits = 15; digits <= 17; digits++) {
    n = snprintf(out, 32, "%.*g", digits, value);
    if (strtod(out, NULL) == value) break;
  }
  return (size_t)n;
}

void bez_json_num(bez_json *j, double value) {
  if (!isfinite(value)) {
    bez_json_null(j);
    return;
  }
  char text[32];
  before_item(j);
  bez_format_double(value, text);
  bez_buf_puts(j->out, text);
}

void bez_json_int(bez_json *j, int64_t value) {
  before_item(j);
  bez_buf_printf(j->out, "%lld", (long long)value);
}

void bez_json_uint(bez_json *j, uint64_t value) {
  before_item(j);
  bez_buf_printf(j->out, "%llu", (unsigned long long)value);
}

void bez_json_bool(bez_json *j, bool value) {
  before_item(j);
  bez_buf_puts(j->out, value ? "true" : "false");
}

void bez_json_null(bez_json *j) {
  before_item(j);
  bez_buf_puts(j->out, "null");
}

void bez_json_kstr(bez_json *j, const char *key, const char *text) {
  bez_json_key(j, key);
  bez_json_str(j, text);
}

void bez_json_knum(bez_json *j, const char *key, double value) {
  bez_json_key(j, key);
  bez_json_num(j, value);
}

void bez_json_kuint(bez_json *j, const char *key, uint64_t value) {
  bez_json_key(j, key);
  bez_json_uint(j, value);
}

void bez_json_kbool(bez_json *j, const char *key, bool value) {
  bez_json_key(j, key);
  bez_json_bool(j, value);
}

/* libjansson recurses per level up to its own constant; ours is lower and counted before it runs. */
static bool too_deep(const char *bytes, size_t len) {
  unsigned depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < len; i++) {
    char c = bytes[i];
    if (in_string) {
      if (c == '\\')
        i++;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > BEZ_MAX_JSON_DEPTH) return true;
    } else if ((c == '}' || c == ']') && depth) {
      depth--;
    }
  }
  return false;
}

bez_status bez_json_parse(const char *bytes, size_t len, const char *subject, json_t **out, bez_error *err) {
  json_error_t where;
  if (len > BEZ_MAX_JSON_BYTES)
    return bez_fail(err, BEZ_LIMIT, subject, "JSON larger than %u bytes", BEZ_MAX_JSON_BYTES);
  if (too_deep(bytes, len)) return bez_fail(err, BEZ_LIMIT, subject, "JSON nested deeper than %u", BEZ_MAX_JSON_DEPTH);
  json_t *doc = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &where);
  if (!doc && json_error_code(&where) == json_error_out_of_memory) return bez_fail_memory(err, len);
  if (!doc) return bez_fail_at(err, BEZ_FORMAT, subject, where.line, where.position, "not JSON: %s", where.text);
  *out = doc;
  return BEZ_OK;
}

bez_status bez_json_read_file(const char *path, json_t **out, bez_error *err) {
  bez_buf buf = {0};
  bez_status st = bez_file_read(path, BEZ_MAX_JSON_BYTES, &buf, err);
  if (st == BEZ_OK) st = bez_json_parse(buf.data ? buf.data : "", buf.len, path, out, err);
  bez_buf_free(&buf);
  return st;
}
