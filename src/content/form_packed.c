/* Tables and archives behind gzip or zstd: the bytes are kept as they are, cut by content, and there is a digest per
 * row of what they unpack to. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>
#include <zstd.h>

#include "base/error.h"
#include "base/limits.h"
#include "content/digest_team.h"
#include "format/source.h"

#define HEAD (256u << 10)    /* bytes that are unpacked to see what it is */
#define SPANS 8192u          /* cut at once */
#define WINDOW (8u << 20)    /* bytes given to the cutter at once, doubled where a row is longer */
#define MEMORY (64ull << 20) /* of unpacked bytes; beyond them a temporary file takes over */

typedef struct packed {
  bez_form_use inner;
} packed;

static bool is_gzip(const uint8_t *head, size_t len) {
  return len >= 3 && head[0] == 0x1f && head[1] == 0x8b && head[2] == 8;
}

static bool is_zstd(const uint8_t *head, size_t len) {
  return len >= 4 && !memcmp(head, "\x28\xb5\x2f\xfd", 4);
}

static size_t gunzip_head(const uint8_t *head, size_t len, char *out) {
  z_stream z = {
      .next_in = (Bytef *)(uintptr_t)head, .avail_in = (uInt)len, .next_out = (Bytef *)out, .avail_out = HEAD};
  if (inflateInit2(&z, 15 + 16) != Z_OK) return 0;
  (void)inflate(&z, Z_SYNC_FLUSH);
  inflateEnd(&z);
  return HEAD - z.avail_out;
}

static size_t unzstd_head(const uint8_t *head, size_t len, char *out) {
  ZSTD_inBuffer in = {.src = head, .size = len};
  ZSTD_outBuffer to = {.dst = out, .size = HEAD};
  ZSTD_DStream *z = ZSTD_createDStream();
  while (z && in.pos < in.size && to.pos < to.size)
    if (ZSTD_isError(ZSTD_decompressStream(z, &to, &in))) break;
  ZSTD_freeDStream(z);
  return to.pos;
}

static int packed_sniff(const char *path, const uint8_t *head, size_t len, bool whole);

/* The path as it would be without the packing, for forms that take a hint from it: "a.csv.gz" holds "a.csv". Owned by
 * the caller; NULL: memory is out. */
static char *path_inside(const char *path) {
  static const char *const endings[] = {".gz", ".gzip", ".zst", ".zstd"};
  size_t len = strlen(path);
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    size_t n = strlen(endings[i]);
    if (len > n && !strcasecmp(path + len - n, endings[i])) return strndup(path, len - n);
  }
  return strdup(path);
}

/* The form of what a head unpacks to (NULL: none with rows) and how sure it is. out: HEAD bytes. whole: all of it. */
static const bez_form *look_inside(const char *path, const uint8_t *head, size_t len, char *out, size_t *out_len,
                                   bool *whole, int *sure) {
  const bez_form *best = NULL;
  *out_len = is_gzip(head, len) ? gunzip_head(head, len, out) : is_zstd(head, len) ? unzstd_head(head, len, out) : 0;
  *whole = *whole && *out_len < HEAD;
  *sure = 0;
  for (size_t i = 0; *out_len && bez_forms[i]; i++) {
    if (bez_forms[i]->sniff == packed_sniff) continue; /* no file in a file in a file */
    int score = bez_forms[i]->sniff(path, (const uint8_t *)out, *out_len, *whole);
    if (score <= *sure) continue;
    *sure = score;
    best = bez_forms[i];
  }
  return best && best->cut && best->canonical && best->fields ? best : NULL;
}

static int packed_sniff(const char *path, const uint8_t *head, size_t len, bool whole) {
  size_t n;
  int sure = 0;
  if (!is_gzip(head, len) && !is_zstd(head, len)) return 0;
  char *room = malloc(HEAD), *inside = path_inside(path);
  if (!room || !inside || !look_inside(inside, head, len, room, &n, &whole, &sure)) sure = 0;
  free(inside);
  free(room);
  return sure;
}

static void packed_close(void *state) {
  packed *p = state;
  if (p) bez_form_close(&p->inner);
  free(p);
}

static bez_status packed_open(const char *path, const char *head, size_t len, bool whole, void **state,
                              bez_error *err) {
  bez_status st = BEZ_OK;
  size_t n;
  int sure;
  packed *p = calloc(1, sizeof *p);
  char *room = malloc(HEAD), *inside = path_inside(path);
  if (!p || !room || !inside) BEZ_TRY(bez_fail_memory(err, HEAD));
  p->inner.form = look_inside(inside, (const uint8_t *)head, len, room, &n, &whole, &sure);
  if (!p->inner.form) BEZ_TRY(bez_fail(err, BEZ_FORMAT, path, "unpacks to nothing that has rows (--form file)"));
  BEZ_TRY(p->inner.form->open(inside, room, n, whole, &p->inner.state, err));
cleanup:
  free(inside);
  free(room);
  if (st != BEZ_OK)
    free(p);
  else
    *state = p;
  return st;
}

static bez_status packed_open_json(const json_t *params, void **state, bez_error *err) {
  const json_t *inside = json_object_get(params, "rows");
  char *text = json_is_object(inside) ? json_dumps(inside, JSON_COMPACT) : NULL;
  packed *p = calloc(1, sizeof *p);
  bez_status st = !text ? bez_fail(err, BEZ_FORMAT, NULL, "a packed file that does not say what it holds")
                  : !p  ? bez_fail_memory(err, sizeof *p)
                        : bez_form_open_json(text, strlen(text), &p->inner, err);
  if (st == BEZ_OK && (!p->inner.form->cut || !p->inner.form->canonical)) {
    st = bez_fail(err, BEZ_FORMAT, NULL, "a packed file of form \"%s\"", p->inner.form->name);
    bez_form_close(&p->inner);
  }
  free(text);
  if (st != BEZ_OK)
    free(p);
  else
    *state = p;
  return st;
}

static void packed_params(const void *state, bez_json *j) {
  const packed *p = state;
  bez_json_key(j, "rows");
  bez_json_open(j, '{');
  bez_json_kstr(j, "form", p->inner.form->name);
  p->inner.form->params(p->inner.state, j);
  bez_json_close(j, '}');
}

/* The unpacked bytes on their way through the cutter. */
typedef struct passing {
  const packed *packed;
  bez_budget budget;
  bez_source source;
  uint64_t at;       /* bytes that have been cut */
  const char *bytes; /* what was cut last lies here */
  bez_span *spans;
  bez_item *rows;
  size_t n, next; /* rows of what was cut last */
  bez_buf scratch;
} passing;

static void passing_close(void *rows) {
  passing *p = rows;
  if (!p) return;
  bez_source_close(&p->source);
  bez_buf_free(&p->scratch);
  free(p->spans);
  free(p->rows);
  free(p);
}

static bez_status passing_open(const void *state, const char *path, void **out, bez_error *err) {
  bez_status st = BEZ_OK;
  passing *p = calloc(1, sizeof *p);
  if (!p) return bez_fail_memory(err, sizeof *p);
  p->packed = state;
  p->budget.bytes = MEMORY;
  p->source = (bez_source){.fd = -1, .store = {.fd = -1}};
  p->spans = calloc(SPANS, sizeof *p->spans);
  p->rows = calloc(SPANS, sizeof *p->rows);
  if (!p->spans || !p->rows) BEZ_TRY(bez_fail_memory(err, SPANS * sizeof *p->rows));
  BEZ_TRY(bez_source_open(path, &p->budget, &p->source, err));
  if (p->source.fd >= 0) BEZ_TRY(bez_fail(err, BEZ_FORMAT, path, "is not packed any more"));
cleanup:
  if (st == BEZ_OK)
    *out = p;
  else
    passing_close(p);
  return st;
}

static void keep_rows(passing *p, size_t n_spans) {
  p->n = p->next = 0;
  for (size_t i = 0; i < n_spans; i++)
    if (p->spans[i].type == BEZ_ITEM_ROW)
      p->rows[p->n++] =
          (bez_item){.type = BEZ_ITEM_ROW, .body = p->bytes + p->spans[i].begin, .body_len = p->spans[i].len};
}

/* The next rows, none only at the end. */
static bez_status cut_rows(passing *p, bez_error *err) {
  const bez_form_use *inner = &p->packed->inner;
  const bez_source *source = &p->source;
  uint64_t window = WINDOW;
  p->n = p->next = 0;
  while (!p->n && p->at < source->size) {
    size_t n = 0, used = 0;
    bool last = source->size - p->at <= window;
    size_t len = (size_t)(last ? source->size - p->at : window);
    p->bytes = (const char *)source->bytes + p->at;
    bez_status st = inner->form->cut(inner->state, p->bytes, len, last, p->at, p->spans, SPANS, &n, &used, err);
    if (st == BEZ_OK && n == 0 && (last || window >= BEZ_MAX_RECORD))
      st = bez_fail_at(err, BEZ_LIMIT, source->path, -1, (int64_t)p->at, "a row of more than 256 MiB");
    if (st != BEZ_OK) return st;
    window = n ? WINDOW : 2 * window;
    keep_rows(p, n);
    p->at += used;
  }
  return BEZ_OK;
}

static bez_status passing_next(void *rows, bez_field_fn fn, void *ctx, bool *end, bez_error *err) {
  passing *p = rows;
  const bez_form_use *inner = &p->packed->inner;
  bez_status st = p->next == p->n ? cut_rows(p, err) : BEZ_OK;
  *end = st == BEZ_OK && !p->n;
  if (st != BEZ_OK || *end) return st;
  bez_buf_clear(&p->scratch);
  return inner->form->fields(inner->state, &p->rows[p->next++], &p->scratch, fn, ctx, err);
}

static bez_status digest_row(void *ctx, uint64_t i, bez_canonical *c, uint8_t out[32], bez_error *err) {
  const passing *p = ctx;
  return p->packed->inner.form->canonical(p->packed->inner.state, &p->rows[i], c, out, err);
}

static bez_status packed_digests(const void *state, const char *path, bez_digest_fn fn, void *ctx, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_digest_team *team = NULL;
  void *rows = NULL;
  passing *p;
  BEZ_TRY(bez_digest_team_create(&team, err));
  BEZ_TRY(passing_open(state, path, &rows, err));
  p = rows;
  for (;;) {
    BEZ_TRY(cut_rows(p, err));
    if (!p->n) break;
    BEZ_TRY(bez_digest_team_run(team, p->n, digest_row, p, fn, ctx, err));
  }
cleanup:
  passing_close(rows);
  bez_digest_team_free(team);
  return st;
}

const bez_form bez_form_packed = {
    .name = "packed",
    .summary = "A CSV, JSONL or tar file behind gzip or zstd: a row per row of it; the bytes are kept as they are.",
    .sniff = packed_sniff,
    .open = packed_open,
    .open_json = packed_open_json,
    .close = packed_close,
    .params = packed_params,
    .digests = packed_digests,
    .rows_open = passing_open,
    .rows_next = passing_next,
    .rows_close = passing_close,
};
