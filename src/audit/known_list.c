#include "audit/known_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"

#define HEX 64u

typedef struct known_reader {
  bez_known_list *list;
  const char *subject;
  bez_error *err;
} known_reader;

/* ---- entries ------------------------------------------------------------------------------------------------------
 */

/* 64 digits of either case, "sha256:" before them or not. */
static bool digest_of(const char *text, size_t len, char out[HEX + 1]) {
  if (len > 7 && !strncmp(text, "sha256:", 7)) {
    text += 7;
    len -= 7;
  }
  if (len != HEX) return false;
  for (size_t i = 0; i < HEX; i++) {
    const char c = text[i];
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))
      out[i] = c;
    else if (c >= 'A' && c <= 'F')
      out[i] = (char)(c - 'A' + 'a');
    else
      return false;
  }
  out[HEX] = '\0';
  return true;
}

static bez_status add(known_reader *r, const char *sha256, const char *name, size_t len) {
  bez_known_list *list = r->list;
  if (list->n >= BEZ_MAX_KNOWN)
    return bez_fail(r->err, BEZ_LIMIT, r->subject, "more than %u digests in one list", BEZ_MAX_KNOWN);
  if (list->n == list->room) {
    const size_t room = list->room ? 2 * list->room : 64;
    bez_known *more = realloc(list->items, room * sizeof *more);
    if (!more) return bez_fail_memory(r->err, room * sizeof *more);
    list->items = more;
    list->room = room;
  }
  while (len > 2 && !strncmp(name, "./", 2)) {
    name += 2;
    len -= 2;
  }
  const char *copy = len ? bez_arena_strndup(&list->arena, name, len) : "";
  if (!copy) return bez_fail_memory(r->err, len);
  bez_known *item = &list->items[list->n++];
  memcpy(item->sha256, sha256, HEX + 1);
  item->name = copy;
  return BEZ_OK;
}

/* ---- JSON ---------------------------------------------------------------------------------------------------------
 */

/* The name in an entry: {"name": …} or {"path": …}, or the text itself. */
static const char *name_in(const json_t *value) {
  if (json_is_string(value)) return json_string_value(value);
  const json_t *name = json_object_get(value, "name");
  if (!json_is_string(name)) name = json_object_get(value, "path");
  return json_is_string(name) ? json_string_value(name) : "";
}

static bez_status read_object(known_reader *r, json_t *document) {
  const char *key;
  json_t *value;
  json_object_foreach(document, key, value) {
    char hex[HEX + 1];
    const char *name = name_in(value);
    if (!digest_of(key, strlen(key), hex))
      return bez_fail(r->err, BEZ_FORMAT, r->subject, "\"%.80s\" is no SHA-256", key);
    bez_status st = add(r, hex, name, strlen(name));
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

/* required: every entry must have a digest; a report lists files without as well. */
static bez_status read_list(known_reader *r, const json_t *list, bool required) {
  for (size_t i = 0; i < json_array_size(list); i++) {
    const json_t *item = json_array_get(list, i), *digest = json_object_get(item, "sha256");
    const char *text = json_string_value(json_is_string(item) ? item : digest), *name = name_in(item);
    char hex[HEX + 1];
    if (!text && !required) continue;
    if (!text || !digest_of(text, strlen(text), hex))
      return bez_fail(r->err, BEZ_FORMAT, r->subject, "entry %zu has no \"sha256\"", i + 1);
    if (json_is_string(item)) name = "";
    bez_status st = add(r, hex, name, strlen(name));
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

static bez_status read_json(known_reader *r, const char *bytes, size_t len) {
  json_t *document = NULL;
  bez_status st = bez_json_parse(bytes, len, r->subject, &document, r->err);
  if (st != BEZ_OK) return st;
  const json_t *files = json_object_get(json_object_get(document, "data"), "files");
  if (json_is_array(document))
    st = read_list(r, document, true);
  else if (json_is_object(document) && json_object_get(document, "schema_version"))
    st = read_list(r, files, false);
  else if (json_is_object(document))
    st = read_object(r, document);
  else
    st = bez_fail(r->err, BEZ_FORMAT, r->subject, "is no list of digests");
  json_decref(document);
  return st;
}

/* ---- lines of sha256sum -------------------------------------------------------------------------------------------
 */

/* "HEX  name", "HEX *name", or a digest alone. Names with a backslash or a line break are written escaped, behind a
 * backslash in front of the line; such a name is not taken over, for it is another one. */
static bez_status read_line(known_reader *r, const char *line, size_t len, int64_t number) {
  const bool escaped = len && *line == '\\';
  char hex[HEX + 1];
  if (escaped) {
    line++;
    len--;
  }
  const char *name = len > HEX ? line + HEX : "";
  size_t name_len = len > HEX ? len - HEX : 0;
  const bool spaced = !name_len || (name_len > 2 && name[0] == ' ' && (name[1] == ' ' || name[1] == '*'));
  if (len < HEX || !digest_of(line, HEX, hex) || !spaced)
    return bez_fail_at(r->err, BEZ_FORMAT, r->subject, number, -1,
                       "is neither JSON nor a line of sha256sum (64 digits, two spaces, a name)");
  return add(r, hex, escaped || !name_len ? "" : name + 2, escaped || !name_len ? 0 : name_len - 2);
}

static bez_status read_lines(known_reader *r, const char *bytes, size_t len) {
  int64_t number = 1;
  for (size_t at = 0; at < len; number++) {
    const char *line = bytes + at, *end = memchr(line, '\n', len - at);
    size_t n = end ? (size_t)(end - line) : len - at;
    at += n + 1;
    if (n && line[n - 1] == '\r') n--;
    if (!n || *line == '#') continue;
    bez_status st = read_line(r, line, n, number);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

/* ---- the list -----------------------------------------------------------------------------------------------------
 */

static int by_digest(const void *a, const void *b) {
  const bez_known *x = a, *y = b;
  int order = strcmp(x->sha256, y->sha256);
  return order ? order : strcmp(x->name, y->name);
}

static int by_name(const void *a, const void *b) {
  const bez_known *x = *(const bez_known *const *)a, *y = *(const bez_known *const *)b;
  int order = strcmp(x->name, y->name);
  return order ? order : strcmp(x->sha256, y->sha256);
}

static bez_status order(bez_known_list *list, bez_error *err) {
  if (!list->n) return BEZ_OK;
  qsort(list->items, list->n, sizeof *list->items, by_digest);
  list->by_name = calloc(list->n, sizeof *list->by_name);
  if (!list->by_name) return bez_fail_memory(err, list->n * sizeof *list->by_name);
  for (size_t i = 0; i < list->n; i++)
    if (*list->items[i].name) list->by_name[list->n_named++] = &list->items[i];
  if (list->n_named) qsort((void *)list->by_name, list->n_named, sizeof *list->by_name, by_name);
  return BEZ_OK;
}

bez_status bez_known_parse(const char *bytes, size_t len, const char *subject, bez_known_list *out, bez_error *err) {
  *out = (bez_known_list){0};
  known_reader r = {.list = out, .subject = subject, .err = err};
  size_t at = 0;
  while (at < len && strchr(" \t\r\n", bytes[at]) && bytes[at]) at++;
  const bool json = at < len && (bytes[at] == '{' || bytes[at] == '[');
  bez_status st = json ? read_json(&r, bytes, len) : read_lines(&r, bytes, len);
  if (st == BEZ_OK) st = order(out, err);
  if (st != BEZ_OK) bez_known_free(out);
  return st;
}

bez_status bez_known_read(const char *path, bez_known_list *out, bez_error *err) {
  bez_buf text = {0};
  *out = (bez_known_list){0};
  bez_status st = bez_file_read(path, BEZ_MAX_KNOWN_BYTES, &text, err);
  if (st == BEZ_OK) st = bez_known_parse(text.data ? text.data : "", text.len, path, out, err);
  bez_buf_free(&text);
  return st;
}

void bez_known_free(bez_known_list *list) {
  free((void *)list->by_name);
  free(list->items);
  bez_arena_free(&list->arena);
  *list = (bez_known_list){0};
}

const bez_known *bez_known_find(const bez_known_list *list, const char *sha256) {
  size_t low = 0, high = list->n;
  while (low < high) { /* the first that is not below */
    const size_t mid = low + (high - low) / 2;
    if (strcmp(list->items[mid].sha256, sha256) < 0)
      low = mid + 1;
    else
      high = mid;
  }
  return low < list->n && !strcmp(list->items[low].sha256, sha256) ? &list->items[low] : NULL;
}

const bez_known *bez_known_named(const bez_known_list *list, const char *name) {
  size_t low = 0, high = list->n_named;
  while (low < high) {
    const size_t mid = low + (high - low) / 2;
    if (strcmp(list->by_name[mid]->name, name) < 0)
      low = mid + 1;
    else
      high = mid;
  }
  return low < list->n_named && !strcmp(list->by_name[low]->name, name) ? list->by_name[low] : NULL;
}

bool bez_known_pair(const bez_known_list *list, const char *name, const char *sha256) {
  const bez_known *first = bez_known_find(list, sha256);
  for (size_t i = first ? (size_t)(first - list->items) : list->n; i < list->n; i++) {
    if (strcmp(list->items[i].sha256, sha256) != 0) return false;
    if (!strcmp(list->items[i].name, name)) return true;
  }
  return false;
}
