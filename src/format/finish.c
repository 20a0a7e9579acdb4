/* Finishing the builder: the order of steps (finish.h), tiles, the sample. */
#include "format/finish.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"
#include "base/threads.h"

#define STREAM_SAMPLE 0x73616d706c65ull /* random stream of --sample */

static int tile_order(const void *a, const void *b) {
  const bez_tile *x = *(bez_tile *const *)a, *y = *(bez_tile *const *)b;
  if (x->file != y->file) return x->file < y->file ? -1 : 1;
  return x->tile < y->tile ? -1 : x->tile > y->tile;
}

bez_status bez_finish_tiles(bez_finish *f, bez_error *err) {
  bez_builder *b = f->b;
  f->tiles = calloc(b->n_tiles + 1, sizeof *f->tiles);
  f->work = calloc(b->n_cols + 1, sizeof *f->work);
  f->stats = calloc(b->n_cols + 1, sizeof *f->stats);
  if (!f->tiles || !f->work || !f->stats) return bez_fail_memory(err, b->n_tiles * sizeof *f->tiles);
  for (size_t i = 0; i < b->n_tiles; i++)
    if (!b->tiles[i]->dropped) f->tiles[f->n_tiles++] = b->tiles[i];
  if (f->n_tiles) qsort(f->tiles, f->n_tiles, sizeof *f->tiles, tile_order);
  uint64_t rows = 0;
  for (size_t i = 0; i < f->n_tiles; i++) {
    if (f->tiles[i]->open) return bez_fail(err, BEZ_INTERNAL, NULL, "a tile was left open");
    f->tiles[i]->first_row = f->tiles[i]->first_out = rows;
    rows += f->tiles[i]->n_rows;
  }
  if (rows >= UINT32_MAX)
    return bez_fail(err, BEZ_LIMIT, NULL, "%llu rows; one scan holds %u", (unsigned long long)rows, UINT32_MAX - 1);
  f->table->n_rows = f->table->n_rows_seen = rows;
  return BEZ_OK;
}

void bez_finish_free(bez_finish *f) {
  for (uint32_t c = 0; f->work && c < f->b->n_cols; c++) {
    free(f->work[c].values);
    free(f->work[c].final_of);
    bez_dict_free(&f->work[c].merged);
    bez_number_set_free(&f->work[c].numbers);
  }
  free(f->work);
  free(f->stats);
  free(f->keep);
  free(f->tiles);
}

/* Sequential selection sampling (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S): exactly n rows,
 * every subset equally likely. */
static bez_status choose_sample(bez_finish *f, bez_error *err) {
  bez_table *table = f->table;
  uint64_t want = f->b->options.sample, rows = table->n_rows_seen, taken = 0, out = 0;
  if (want == 0 || want >= rows) return BEZ_OK;
  f->keep = calloc(rows, 1);
  if (!f->keep) return bez_fail_memory(err, rows);
  uint64_t *sampled;
  bez_status st = bez_owned_alloc(table, want * sizeof *sampled, &sampled, err);
  if (st != BEZ_OK) return st;
  bez_rng rng = bez_rng_make(f->b->options.seed, STREAM_SAMPLE);
  for (uint64_t row = 0; row < rows && taken < want; row++)
    if (bez_rng_below(&rng, rows - row) < want - taken) {
      f->keep[row] = 1;
      sampled[taken++] = row;
    }
  for (size_t i = 0; i < f->n_tiles; i++) {
    bez_tile *t = f->tiles[i];
    t->first_out = out;
    for (uint32_t r = 0; r < t->n_rows; r++) out += f->keep[t->first_row + r];
  }
  table->sampled_row = sampled;
  table->n_rows = want;
  return BEZ_OK;
}

static bez_status describe_table(bez_finish *f, bez_error *err) {
  bez_table *table = f->table;
  bez_builder *b = f->b;
  table->n_cols = b->n_cols;
  table->n_files = b->n_files;
  table->cols = bez_arena_array(&table->arena, b->n_cols, sizeof *table->cols);
  table->files = bez_arena_array(&table->arena, b->n_files, sizeof *table->files);
  if (!table->cols || !table->files) return bez_fail_memory(err, b->n_cols * sizeof *table->cols);
  for (uint32_t c = 0; c < b->n_cols; c++) {
    table->cols[c].name = bez_arena_strdup(&table->arena, b->names[c]);
    if (!table->cols[c].name) return bez_fail_memory(err, strlen(b->names[c]));
  }
  for (size_t i = 0; i < f->n_tiles; i++) b->files[f->tiles[i]->file].n_rows += f->tiles[i]->n_rows;
  uint64_t first = 0;
  for (size_t i = 0; i < b->n_files; i++) {
    table->files[i] = b->files[i];
    table->files[i].first_row = first;
    table->files[i].path = bez_arena_strdup(&table->arena, b->files[i].path);
    if (!table->files[i].path) return bez_fail_memory(err, strlen(b->files[i].path));
    first += b->files[i].n_rows;
  }
  return BEZ_OK;
}

/* Workers add no more: their open segments live as long as the tiles in them. */
static void close_segments(bez_builder *b) {
  for (unsigned w = 0; w < b->threads; w++) {
    bez_segment_leave(b->workers[w].segment);
    b->workers[w].segment = NULL;
  }
}

bez_status bez_builder_finish(bez_builder *b, bez_table **out, bez_error *err) {
  bez_status st = BEZ_OK;
  bez_finish f = {.b = b, .table = b->table};
  *out = NULL;
  BEZ_TRY(bez_builder_check_wanted(b, err));
  if (!b->n_cols) {
    st = bez_fail(err, BEZ_FORMAT, b->n_files ? b->files[0].path : NULL, "no columns");
    goto cleanup;
  }
  close_segments(b);
  BEZ_TRY(bez_owned_create(f.table, err));
  BEZ_TRY(bez_finish_tiles(&f, err));
  BEZ_TRY(choose_sample(&f, err));
  BEZ_TRY(describe_table(&f, err));
  bez_watch watch = bez_builder_watch(b, "sorting values");
  BEZ_TRY(bez_parallel_watched(b->n_cols, b->threads, &watch, bez_survey_column, &f, err));
  BEZ_TRY(bez_infer_columns(f.table, &b->options, f.stats, err));
  bez_finish_label_words(&f);
  BEZ_TRY(bez_parallel_watched(b->n_cols, b->threads, &watch, bez_rank_column, &f, err));
  BEZ_TRY(bez_parallel_watched(f.n_tiles, b->threads, &watch, bez_write_tile, &f, err));
  BEZ_TRY(bez_finish_images(b, f.table, f.keep, err));
  *out = f.table;
  b->table = NULL;
cleanup:
  bez_finish_free(&f);
  bez_builder_destroy(b);
  return st;
}
