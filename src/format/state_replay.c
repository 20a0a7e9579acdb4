/* A state back into a builder: the same calls in the same order that reading the files made, so that plans of columns
 * fall where they fell, and the table is the same. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/limits.h"
#include "format/image_helper.h"
#include "format/images.h"
#include "format/state_column.h"
#include "format/state_tile.h"

struct bez_replay {
  const bez_state *state;
  bez_builder *b;
  bez_state_stream *stream;
  uint32_t body, part; /* the next part */
  uint32_t open_body;  /* whose values are there */
  bez_saved_values *values;
  uint32_t n_values;
  bool shaped;
};

/* A file on its way. */
typedef struct file {
  const bez_state_part *first;
  const bez_state_part *part; /* the current one */
  const bez_state_body *body;
  bool take, conflict, planned;
  uint64_t n_tiles, n_rows, last_tile;
  size_t tiles_before;
} file;

static bez_status damaged(const bez_replay *r, const char *what, bez_error *err) {
  return bez_fail(err, BEZ_FORMAT, r->state->path, "damaged saved state: %s", what);
}

static void free_values(bez_replay *r) {
  for (uint32_t c = 0; c < r->n_values; c++) bez_saved_values_free(&r->values[c]);
  free(r->values);
  r->values = NULL;
  r->n_values = 0;
}

static bez_status enter_body(bez_replay *r, uint32_t body, bez_error *err) {
  if (r->values && body == r->open_body) return BEZ_OK;
  free_values(r);
  uint32_t n = r->state->bodies[body].n_columns;
  r->values = calloc((size_t)n + 1, sizeof *r->values);
  if (!r->values) return bez_fail_memory(err, n * sizeof *r->values);
  r->n_values = n;
  r->open_body = body;
  bez_state_stream_body(r->stream, body);
  return BEZ_OK;
}

static void skip_empty(bez_replay *r) {
  while (r->body < r->state->n_bodies && r->part == r->state->bodies[r->body].n_parts) {
    r->body++;
    r->part = 0;
  }
}

/* Pictures have one shape from the first to the last shard that has any. */
static bez_status take_shape(bez_replay *r, bez_error *err) {
  bez_builder *b = r->b;
  if (r->shaped) return BEZ_OK;
  r->shaped = true;
  for (uint32_t i = 0; i < r->state->n_bodies; i++) {
    const bez_state_body *body = &r->state->bodies[i];
    if (body->n_labels) b->n_labels = body->n_labels;
    if (!body->height) continue;
    bez_status st = bez_builder_images(b, r->state->path, body->height, body->width, body->channels, err);
    if (st != BEZ_OK) return st;
    if (!b->options.id) b->options.id = "image";
    for (uint32_t h = 0; h < body->n_heads; h++)
      if (body->heads[h].n == 2 && !b->options.label) b->options.label = "label";
  }
  if (b->n_labels) b->options.label = "label";
  return BEZ_OK;
}

bez_status bez_replay_create(const bez_state *state, bez_builder *builder, bez_replay **out, bez_error *err) {
  bez_replay *r = calloc(1, sizeof *r);
  *out = r;
  if (!r) return bez_fail_memory(err, sizeof *r);
  r->state = state;
  r->b = builder;
  skip_empty(r);
  return bez_state_stream_open(state, &r->stream, err);
}

void bez_replay_destroy(bez_replay *r) {
  if (!r) return;
  free_values(r);
  bez_state_stream_close(r->stream);
  free(r);
}

const bez_state_part *bez_replay_peek(const bez_replay *r) {
  return r->body < r->state->n_bodies ? &r->state->bodies[r->body].parts[r->part] : NULL;
}

/* ---- files ---- */

static bez_status begin_file(bez_replay *r, const file *f, bez_error *err) {
  bez_builder *b = r->b;
  const bez_state_part *part = f->first;
  const char *format = bez_arena_strdup(&b->table->arena, part->format);
  if (!format) return bez_fail_memory(err, strlen(part->format));
  bez_status st = BEZ_OK;
  if (part->head != BEZ_NO_HEAD) {
    const bez_state_head *head = &f->body->heads[part->head];
    st = (head->join ? bez_builder_fields : bez_builder_columns)(b, part->path, head->names, NULL, head->n, err);
  }
  if (st == BEZ_OK) st = bez_builder_begin_file(b, part->path, format, part->bytes, err);
  if (st != BEZ_OK) return st;
  bez_file_note *note = &b->notes[b->n_files - 1];
  note->first = 0;
  note->end = note->units = part->units;
  note->begin = part->begin;
  note->plan_at = part->plan_at;
  note->plan_of = part->plan_of;
  return BEZ_OK;
}

/* The plan that the reader made when so many tiles were in. */
static bez_status plan(bez_replay *r, file *f, uint64_t tile, bez_error *err) {
  const bez_state_part *p = f->first;
  if (f->planned || !p->plan_at || tile < p->plan_at) return BEZ_OK;
  f->planned = true;
  if (r->b->n_shards && !r->b->share_first) return BEZ_OK;
  unsigned __int128 rows = (unsigned __int128)f->n_rows * p->plan_of / p->plan_at;
  return bez_builder_profile(r->b, rows > BEZ_MAX_ROWS ? BEZ_MAX_ROWS : (uint64_t)rows, err);
}

static bez_status check_head(bez_replay *r, const file *f, const bez_state_head *head, bez_error *err) {
  const bez_builder *b = r->b;
  if (head->n != b->n_map) return damaged(r, "parts of a file have other columns", err);
  for (uint32_t i = 0; i < head->n; i++) {
    bool kept = head->column[i] != BEZ_NO_COLUMN;
    if (kept != (b->map[i] != BEZ_NO_COLUMN) || (kept && strcmp(head->names[i], b->names[b->map[i]]) != 0))
      return bez_fail(err, BEZ_FORMAT, f->part->path, "its columns do not fit those of the data set");
  }
  return BEZ_OK;
}

/* One column of a tile: into the open tile's lane, or only its values where the tile is not taken. */
static bez_status take_column(bez_replay *r, file *f, bez_cursor *c, uint32_t i, uint32_t n, bool open,
                              bez_error *err) {
  const bez_state_head *head = &f->body->heads[f->part->head];
  bez_saved_column col;
  if (head->column[i] == BEZ_NO_COLUMN) return BEZ_OK;
  bez_saved_values *values = &r->values[head->column[i]];
  bez_status st = bez_saved_column_read(c, n, values, r->state->path, &col, err);
  if (st != BEZ_OK || !open) return st;
  uint32_t to = r->b->map[i];
  if (col.mode == BEZ_SAVED_NUMBERED && !f->body->height) return damaged(r, "numbered rows without pictures", err);
  if (!bez_saved_column_fits(&col, r->b->plans[to])) f->conflict = true;
  if (f->conflict) return BEZ_OK;
  return bez_saved_column_take(&col, n, r->b->n_rows + f->n_rows, values, &r->b->workers[0].lanes[to], r->b->plans[to],
                               r->state->path, err);
}

static bez_status take_columns(bez_replay *r, file *f, bez_cursor *c, uint32_t n, bool open, bez_error *err) {
  const bez_state_head *head = &f->body->heads[f->part->head];
  bez_status st = BEZ_OK;
  for (uint32_t i = 0; st == BEZ_OK && i < head->n; i++) st = take_column(r, f, c, i, n, open, err);
  if (st == BEZ_OK && bez_cursor_left(c)) st = damaged(r, "bytes behind a tile", err);
  return st;
}

static bez_status take_tile(bez_replay *r, file *f, bez_error *err) {
  bez_cursor c;
  uint64_t number;
  uint32_t n;
  bez_tile *tile = NULL;
  bez_status st;
  BEZ_TRY(bez_state_next(r->stream, 'T', &c, err));
  if (!bez_cursor_le64(&c, &number) || !bez_cursor_le32(&c, &n) || n > BEZ_MAX_TILE_ROWS ||
      (f->n_tiles && number <= f->last_tile))
    BEZ_TRY(damaged(r, "tiles out of order", err));
  f->last_tile = number;
  bool open = f->take && !f->conflict;
  if (!open) return take_columns(r, f, &c, n, false, err);
  BEZ_TRY(plan(r, f, number, err));
  BEZ_TRY(bez_builder_tile(r->b, number, 0, &tile, err));
  BEZ_TRY(bez_tile_reserve(tile, n, err));
  BEZ_TRY(take_columns(r, f, &c, n, true, err));
  if (!f->conflict) {
    tile->n_rows = n;
    BEZ_TRY(bez_tile_end(tile, err));
    tile = NULL;
    f->n_tiles++;
    f->n_rows += n;
  }
cleanup:
  if (tile) bez_tile_abandon(tile);
  return st;
}

/* Two views of one of the part's pictures, where a reader that saw all the pictures before would have kept them. */
static bez_status take_views(bez_replay *r, const file *f, uint64_t first, bez_error *err) {
  const bez_images *images = &r->b->images;
  const bez_image_facts *facts = r->b->facts.data;
  for (uint64_t i = 0; i < f->part->n_views; i++) {
    bez_cursor c;
    uint64_t at;
    const uint8_t *views;
    bez_status st = bez_state_next(r->stream, 'V', &c, err);
    if (st != BEZ_OK) return st;
    if (!bez_cursor_le64(&c, &at) || at >= f->part->n_rows || !bez_cursor_take(&c, 2 * BEZ_VIEW_BYTES, &views))
      return damaged(r, "views of no picture", err);
    if (!f->take) continue;
    if (!facts || first + at >= images->n || (images->views && first + at <= r->b->last_views->row))
      return damaged(r, "views out of order", err);
    uint32_t odd = bez_builder_wants_views(r->b, bez_image_odd(&facts[first + at]));
    if (odd) st = bez_builder_views(r->b, first + at, odd, views, err);
    if (st != BEZ_OK) return st;
  }
  return BEZ_OK;
}

static bez_status take_pictures(bez_replay *r, const file *f, uint64_t rows, bez_error *err) {
  const bez_state_body *body = f->body;
  uint64_t each = (uint64_t)body->height * body->width * body->channels, done = 0;
  while (done < rows) {
    bez_cursor c;
    const uint8_t *facts = NULL, *pixels = NULL;
    uint8_t *to;
    bez_image_facts *facts_to;
    bez_status st = bez_state_next(r->stream, 'P', &c, err);
    if (st != BEZ_OK) return st;
    uint64_t both = each + (body->facts ? sizeof *facts_to : 0), n = c.len / both;
    if (n == 0 || n * both != c.len || n > rows - done) return damaged(r, "pictures for other rows", err);
    if (body->facts && !bez_cursor_take(&c, n * sizeof *facts_to, &facts)) return damaged(r, "no pictures", err);
    if (!bez_cursor_take(&c, n * each, &pixels)) return damaged(r, "no pictures", err);
    done += n;
    if (!f->take) continue;
    st = bez_builder_pixels(r->b, n, &to, err);
    if (st == BEZ_OK) memcpy(to, pixels, n * each);
    if (st == BEZ_OK && facts) st = bez_builder_facts(r->b, n, &facts_to, err);
    if (st != BEZ_OK) return st;
    if (facts) memcpy(facts_to, facts, n * sizeof *facts_to);
    for (uint64_t i = 0; facts && i < n; i++)
      if (!bez_image_facts_check(&facts_to[i])) return damaged(r, "facts of no picture", err);
  }
  return BEZ_OK;
}

static void remark(bez_builder *b, const bez_state_remark *all, uint32_t n) {
  for (uint32_t i = 0; i < n; i++)
    bez_builder_remark(b, all[i].rule, all[i].path, all[i].count, all[i].line, all[i].example);
}

static bez_status take_part(bez_replay *r, file *f, bez_error *err) {
  const bez_state_part *part = f->part;
  uint64_t before = f->n_rows;
  bez_status st = BEZ_OK;
  BEZ_TRY(enter_body(r, r->body, err));
  if (f->take && part->head != BEZ_NO_HEAD) BEZ_TRY(check_head(r, f, &f->body->heads[part->head], err));
  for (uint64_t t = 0; t < part->n_tiles; t++) BEZ_TRY(take_tile(r, f, err));
  if (f->take && !f->conflict && f->n_rows - before != part->n_rows) BEZ_TRY(damaged(r, "rows are missing", err));
  if (f->body->height) BEZ_TRY(take_pictures(r, f, part->n_rows, err));
  if (f->body->height) BEZ_TRY(take_views(r, f, r->b->images.n - part->n_rows, err));
cleanup:
  return st;
}

/* Whether the part goes on where the one before it ended. */
static bez_status check_joint(const bez_replay *r, const bez_state_part *before, const bez_state_part *after,
                              bez_error *err) {
  if (!after || strcmp(before->path, after->path) != 0 || after->first != before->end || after->units != before->units)
    return bez_fail(err, BEZ_FORMAT, before->path, "%s does not hold all of it", r->state->path);
  if (after->digest != before->digest || after->begin != before->stop || after->raw_bytes != before->raw_bytes)
    return bez_fail(err, BEZ_FORMAT, before->path, "changed while its shards were read");
  return BEZ_OK;
}

/* Columns were planned otherwise than when the tiles were saved: as if the file had not been begun. */
static void take_back(bez_replay *r, const file *f) {
  bez_builder *b = r->b;
  for (size_t i = f->tiles_before; i < b->n_tiles; i++)
    if (!b->tiles[i]->dropped) bez_tile_abandon(b->tiles[i]);
  b->n_files--;
  b->table->bytes_read -= f->first->bytes;
}

static bez_status end_file(bez_replay *r, const file *f, bez_error *err) {
  r->b->notes[r->b->n_files - 1].stop = f->part->stop;
  bez_status st = bez_builder_end_file(r->b, f->n_tiles, err);
  bez_builder_digest(r->b, f->part->digest);
  return st;
}

bez_status bez_replay_file(bez_replay *r, bool take, bool *taken, bez_error *err) {
  file f = {.first = bez_replay_peek(r), .take = take, .tiles_before = r->b->n_tiles};
  bez_status st = BEZ_OK;
  *taken = false;
  if (!f.first) return bez_fail(err, BEZ_INTERNAL, r->state->path, "no file is left in it");
  f.body = &r->state->bodies[r->body];
  if (f.first->first != 0) BEZ_TRY(bez_fail(err, BEZ_FORMAT, f.first->path, "%s lacks its beginning", r->state->path));
  if (take) BEZ_TRY(take_shape(r, err));
  if (take) BEZ_TRY(begin_file(r, &f, err));
  for (const bez_state_part *before = NULL;; before = f.part) {
    f.part = bez_replay_peek(r);
    if (before) BEZ_TRY(check_joint(r, before, f.part, err));
    f.body = &r->state->bodies[r->body];
    BEZ_TRY(take_part(r, &f, err));
    if (take && !f.conflict) remark(r->b, f.part->remarks, f.part->n_remarks);
    r->part++;
    skip_empty(r);
    if (f.part->end == f.part->units) break;
  }
  if (f.conflict) take_back(r, &f);
  *taken = take && !f.conflict;
  if (*taken) BEZ_TRY(plan(r, &f, UINT64_MAX, err));
  if (*taken) BEZ_TRY(end_file(r, &f, err));
cleanup:
  return st;
}

bez_status bez_replay_unchanged(const bez_replay *r, bool *same, bez_error *err) {
  const bez_state *s = r->state;
  const bez_state_part *first = bez_replay_peek(r);
  uint32_t part = r->part;
  *same = false;
  for (uint32_t body = r->body; body < s->n_bodies; body++, part = 0)
    for (; part < s->bodies[body].n_parts; part++) {
      const bez_state_part *p = &s->bodies[body].parts[part];
      char print[65];
      uint64_t raw_bytes = 0;
      if (strcmp(p->path, first->path) != 0) return BEZ_OK; /* the file ends too early: read it again */
      bez_status st = bez_state_print(p->path, p->first, p->end, p->units, &raw_bytes, print, err);
      if (st != BEZ_OK) return st;
      if (raw_bytes != p->raw_bytes || strcmp(print, p->print) != 0) return BEZ_OK;
      if (p->end == p->units) {
        *same = true;
        return BEZ_OK;
      }
    }
  return BEZ_OK;
}

bez_status bez_replay_rest(const bez_replay *r, bez_error *err) {
  bez_status st = BEZ_OK;
  for (uint32_t i = 0; i < r->state->n_bodies; i++) {
    const bez_state_body *body = &r->state->bodies[i];
    remark(r->b, body->remarks, body->n_remarks);
    for (uint32_t u = 0; st == BEZ_OK && u < body->n_unread; u++)
      st = bez_builder_unread(r->b, body->unread[u].path, body->unread[u].why, body->unread[u].requested, err);
  }
  return st;
}
