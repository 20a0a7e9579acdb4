/* Writing a state: the index, then the tiles of each file and its pictures, packed chunk by chunk. */
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/limits.h"
#include "format/builder_internal.h"
#include "format/state_chunk.h"
#include "format/state_tile.h"

#define CHUNK_BYTES ((size_t)4 << 20)
#define LEVEL 1 /* of zstd: reading must stay cheap beside parsing, and so must this */

typedef struct saver {
  const bez_builder *b;
  const bez_state_note *note;
  bez_outfile *out;
  bez_buf raw, packed;
  bez_tile **tiles; /* those that count, by file and number */
  size_t n_tiles;
  bez_tile_coder *coder;
} saver;

static int tile_order(const void *a, const void *b) {
  const bez_tile *x = *(bez_tile *const *)a, *y = *(bez_tile *const *)b;
  if (x->file != y->file) return x->file < y->file ? -1 : 1;
  return x->tile < y->tile ? -1 : x->tile > y->tile;
}

/* A file that was only looked into, or that another shard has. */
static bool is_mine(const bez_builder *b, size_t file) {
  if (b->shard > 0 && !strcmp(b->files[file].format, "manifest")) return false;
  return b->notes[file].first < b->notes[file].end;
}

static bez_status list_tiles(saver *s, bez_error *err) {
  const bez_builder *b = s->b;
  s->tiles = calloc(b->n_tiles + 1, sizeof(void *));
  if (!s->tiles) return bez_fail_memory(err, b->n_tiles * sizeof(void *));
  for (size_t i = 0; i < b->n_tiles; i++)
    if (!b->tiles[i]->dropped && is_mine(b, b->tiles[i]->file)) s->tiles[s->n_tiles++] = b->tiles[i];
  if (s->n_tiles) qsort(s->tiles, s->n_tiles, sizeof(void *), tile_order);
  return BEZ_OK;
}

/* The tiles of a file; *at moves behind them. */
static size_t tiles_of(const saver *s, size_t file, size_t *at, uint64_t *rows) {
  size_t n = 0;
  *rows = 0;
  for (; *at < s->n_tiles && s->tiles[*at]->file == file; ++*at, n++) *rows += s->tiles[*at]->n_rows;
  return n;
}

/* The first of the pictures from `row` on that has views kept; NULL: none has. */
static const bez_image_views *first_view(const bez_builder *b, uint64_t row) {
  const bez_image_views *v = b->images.views;
  while (v && v->row < row) v = v->next;
  return v;
}

/* ---- the index ---- */

static void put_text(bez_buf *out, const char *text) {
  bez_put_le32(out, (uint32_t)strlen(text));
  bez_buf_puts(out, text);
}

static void put_remark(bez_buf *out, const bez_table_remark *r) {
  put_text(out, r->rule);
  put_text(out, r->path);
  put_text(out, r->example ? r->example : "");
  bez_put_le64(out, r->count);
  bez_put_le64(out, (uint64_t)r->first_line);
}

/* The remarks of one path. What declaring columns says is said again when they are declared again. */
static void put_remarks(bez_buf *out, const bez_builder *b, const char *path) {
  uint32_t n = 0;
  bool whole = !*path && b->shard == 0;
  for (int pass = 0; pass < 2; pass++) {
    for (const bez_table_remark *r = b->table->remarks; r; r = r->next) {
      if (strcmp(r->path, path) || !strcmp(r->rule, "differing-fields") || (!*path && !whole)) continue;
      if (pass)
        put_remark(out, r);
      else
        n++;
    }
    if (!pass) bez_put_le32(out, n);
  }
}

static void put_unread(const saver *s, bez_buf *out) {
  uint32_t n = (uint32_t)s->note->n_left_out;
  for (const bez_table_unread *u = s->b->table->unread; u; u = u->next) n++;
  bez_put_le32(out, n);
  for (size_t i = 0; i < s->note->n_left_out; i++) {
    put_text(out, s->note->left_out[i].path);
    put_text(out, s->note->left_out[i].why);
    bez_put_le32(out, s->note->left_out[i].requested);
  }
  for (const bez_table_unread *u = s->b->table->unread; u; u = u->next) {
    put_text(out, u->path);
    put_text(out, u->why);
    bez_put_le32(out, u->requested);
  }
}

static void put_heads(const bez_builder *b, bez_buf *out) {
  bez_put_le32(out, b->n_cols);
  bez_put_le32(out, b->n_heads);
  for (uint32_t h = 0; h < b->n_heads; h++) {
    const bez_head *head = &b->heads[h];
    bez_put_le32(out, head->join);
    bez_put_le32(out, head->n);
    for (uint32_t i = 0; i < head->n; i++) {
      put_text(out, head->names[i]);
      bez_put_le32(out, bez_builder_column(b, head->names[i], strlen(head->names[i]), i));
    }
  }
}

/* row: of its first, among all that are saved. */
static bez_status put_part(const saver *s, size_t file, uint64_t n_tiles, uint64_t row, uint64_t n_rows, bez_buf *out,
                           bez_error *err) {
  const bez_table_file *f = &s->b->files[file];
  const bez_file_note *n = &s->b->notes[file];
  uint64_t raw_bytes = 0, n_views = 0;
  char print[65];
  for (const bez_image_views *v = first_view(s->b, row); v && v->row < row + n_rows; v = v->next) n_views++;
  bez_status st = bez_state_print(f->path, n->first, n->end, n->units, &raw_bytes, print, err);
  if (st != BEZ_OK) return st;
  put_text(out, f->path);
  put_text(out, f->format);
  put_text(out, print);
  bez_put_le32(out, n->head);
  const uint64_t numbers[] = {f->bytes, f->digest,  raw_bytes,  n->first, n->end, n->units, n->begin,
                              n->stop,  n->plan_at, n->plan_of, n_tiles,  n_rows, n_views};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) bez_put_le64(out, numbers[i]);
  put_remarks(out, s->b, f->path);
  return BEZ_OK;
}

static bez_status put_parts(const saver *s, bez_buf *out, bez_error *err) {
  uint32_t n = 0;
  uint64_t rows, row = 0;
  size_t at = 0;
  for (size_t f = 0; f < s->b->n_files; f++) n += is_mine(s->b, f);
  bez_put_le32(out, n);
  for (size_t f = 0; f < s->b->n_files; f++) {
    if (!is_mine(s->b, f)) continue;
    size_t tiles = tiles_of(s, f, &at, &rows);
    bez_status st = put_part(s, f, tiles, row, rows, out, err);
    if (st != BEZ_OK) return st;
    row += rows;
  }
  return BEZ_OK;
}

static bez_status put_index(saver *s, uint64_t *params_digest, bez_error *err) {
  const bez_builder *b = s->b;
  bez_buf *out = &s->raw, params = {0};
  uint32_t n;
  bez_status st = bez_state_pack_params(s->note->options, &params, &n, err);
  if (st == BEZ_OK) {
    *params_digest = bez_hash64(params.data ? params.data : "", params.len, BEZ_STATE_VERSION);
    bez_put_le32(out, n);
    bez_buf_write(out, params.data ? params.data : "", params.len);
    bez_put_le64(out, s->note->list_files);
    bez_put_le64(out, s->note->list_hash);
    bez_put_le32(out, b->images.height);
    bez_put_le32(out, b->images.width);
    bez_put_le32(out, b->images.channels);
    bez_put_le32(out, b->facts.data ? (uint32_t)sizeof(bez_image_facts) : 0);
    bez_put_le64(out, b->labels ? b->labels->n_rows : b->n_labels);
    put_heads(b, out);
    st = put_parts(s, out, err);
    put_remarks(out, b, "");
    put_unread(s, out);
  }
  bez_buf_free(&params);
  return st == BEZ_OK ? bez_buf_status(out, err) : st;
}

/* ---- frames ---- */

static bez_status pack(saver *s, bez_error *err) {
  size_t room = ZSTD_compressBound(s->raw.len);
  bez_buf_clear(&s->packed);
  if (!bez_buf_reserve(&s->packed, room)) return bez_buf_status(&s->packed, err);
  size_t got = ZSTD_compress(s->packed.data, room, s->raw.data, s->raw.len, LEVEL);
  if (ZSTD_isError(got)) return bez_fail(err, BEZ_INTERNAL, "zstd", "%s", ZSTD_getErrorName(got));
  s->packed.len = got;
  return BEZ_OK;
}

static bez_status write_index(saver *s, bez_error *err) {
  bez_buf head = {0};
  uint64_t digest;
  bez_status st;
  BEZ_TRY(put_index(s, &digest, err));
  if (s->raw.len > BEZ_MAX_SAVED)
    BEZ_TRY(bez_fail(err, BEZ_LIMIT, NULL, "the index of the state is larger than %u bytes", BEZ_MAX_SAVED));
  BEZ_TRY(pack(s, err));
  bez_buf_write(&head, BEZ_STATE_MAGIC, 8);
  bez_put_le32(&head, BEZ_STATE_VERSION);
  bez_put_le32(&head, 1);
  bez_put_le32(&head, s->b->shard);
  bez_put_le32(&head, s->b->n_shards ? s->b->n_shards : 1);
  bez_put_le64(&head, digest);
  bez_put_le64(&head, s->raw.len);
  bez_put_le64(&head, s->packed.len);
  bez_put_le64(&head, bez_hash64(s->packed.data, s->packed.len, 0));
  BEZ_TRY(bez_buf_status(&head, err));
  BEZ_TRY(bez_outfile_write(s->out, head.data, head.len, err));
  BEZ_TRY(bez_outfile_write(s->out, s->packed.data, s->packed.len, err));
  bez_buf_clear(&s->raw);
cleanup:
  bez_buf_free(&head);
  return st;
}

/* Writes what has gathered, once it is enough; last: whatever there is, and the empty chunk that ends the body. */
static bez_status flush(saver *s, bool last, bez_error *err) {
  bez_buf head = {0};
  bez_status st = bez_buf_status(&s->raw, err);
  if (st != BEZ_OK) return st;
  if (s->raw.len > BEZ_MAX_CHUNK)
    return bez_fail(err, BEZ_LIMIT, NULL, "one tile of more than %u bytes cannot be saved", BEZ_MAX_CHUNK);
  if (s->raw.len >= CHUNK_BYTES || (last && s->raw.len)) {
    BEZ_TRY(pack(s, err));
    bez_put_le32(&head, (uint32_t)s->raw.len);
    bez_put_le32(&head, (uint32_t)s->packed.len);
    bez_put_le64(&head, bez_hash64(s->packed.data, s->packed.len, 0));
    BEZ_TRY(bez_buf_status(&head, err));
    BEZ_TRY(bez_outfile_write(s->out, head.data, head.len, err));
    BEZ_TRY(bez_outfile_write(s->out, s->packed.data, s->packed.len, err));
    bez_buf_clear(&s->raw);
  }
  if (last) BEZ_TRY(bez_outfile_write(s->out, (const uint8_t[16]){0}, 16, err));
cleanup:
  bez_buf_free(&head);
  return st;
}

/* ---- the content ---- */

/* The pictures of n rows; with facts they lie in front of the pixels. */
static bez_status put_pictures(saver *s, uint64_t row, uint64_t n, bez_error *err) {
  const bez_builder *b = s->b;
  uint64_t each = bez_image_bytes(&b->images), at_once = CHUNK_BYTES / each ? CHUNK_BYTES / each : 1;
  const uint8_t *pixels = b->pixels.data;
  const bez_image_facts *facts = b->facts.data;
  for (uint64_t end = row + n; row < end; row += at_once) {
    uint64_t rows = end - row < at_once ? end - row : at_once;
    bez_buf_putc(&s->raw, 'P');
    bez_put_le64(&s->raw, rows * (each + (facts ? sizeof *facts : 0)));
    if (facts) bez_buf_write(&s->raw, &facts[row], rows * sizeof *facts);
    bez_buf_write(&s->raw, pixels + row * each, rows * each);
    bez_status st = flush(s, false, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

static bez_status put_views(saver *s, uint64_t row, uint64_t n, bez_error *err) {
  bez_status st = BEZ_OK;
  for (const bez_image_views *v = first_view(s->b, row); st == BEZ_OK && v && v->row < row + n; v = v->next) {
    bez_buf_putc(&s->raw, 'V');
    bez_put_le64(&s->raw, 8 + 2 * BEZ_VIEW_BYTES);
    bez_put_le64(&s->raw, v->row - row);
    bez_buf_write(&s->raw, v->person, BEZ_VIEW_BYTES);
    bez_buf_write(&s->raw, v->loader, BEZ_VIEW_BYTES);
    st = flush(s, false, err);
  }
  return st;
}

static bez_status put_content(saver *s, bez_error *err) {
  const bez_builder *b = s->b;
  size_t at = 0;
  uint64_t row = 0, rows;
  bez_status st = bez_tile_coder_create(b, &s->coder, err);
  for (size_t f = 0; st == BEZ_OK && f < b->n_files; f++) {
    size_t first = at, n = tiles_of(s, f, &at, &rows);
    for (size_t i = 0; st == BEZ_OK && i < n; i++) {
      st = bez_tile_code(s->coder, s->tiles[first + i], &b->heads[b->notes[f].head], &s->raw, err);
      if (st == BEZ_OK) st = flush(s, false, err);
    }
    if (st == BEZ_OK && b->images.height) st = put_pictures(s, row, rows, err);
    if (st == BEZ_OK && b->images.height) st = put_views(s, row, rows, err);
    row += rows;
  }
  return st == BEZ_OK ? flush(s, true, err) : st;
}

bez_status bez_state_save(const bez_builder *b, const bez_state_note *note, const char *path, bez_error *err) {
  bez_state_note own = *note;
  if (!own.options) own.options = &b->options;
  saver s = {.b = b, .note = &own};
  bez_status st;
  BEZ_TRY(list_tiles(&s, err));
  BEZ_TRY(bez_outfile_open(path, &s.out, err));
  BEZ_TRY(write_index(&s, err));
  BEZ_TRY(put_content(&s, err));
  st = bez_outfile_commit(s.out, err);
  s.out = NULL;
cleanup:
  bez_outfile_abandon(s.out);
  bez_tile_coder_destroy(s.coder);
  bez_buf_free(&s.raw);
  bez_buf_free(&s.packed);
  free(s.tiles);
  return st;
}
