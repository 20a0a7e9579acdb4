/* Rows for export: fields from the form, provenance from runs of rows and the log. */
#include "vault/export_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "content/spooled_rows.h"
#include "crypto/digest.h"
#include "crypto/sha256.h"
#include "vault/index.h"
#include "vault/row.h"

#define ROWS_PER_ASK 65536u

/* What the log says of a batch. */
typedef struct origin {
  bez_batch batch;
  char *source, *contributor;
  char commit[2 * BEZ_ID + 1];
} origin;

typedef struct stretch {
  uint64_t row; /* where it begins */
  size_t origin;
} stretch;

typedef struct exporter {
  bez_vault *vault;
  const bez_snapshot *version;
  bez_export_extras extras;
  const bez_export_sink *sink;
  bez_progress_fn progress;
  void *progress_ctx;
  origin *origins;
  size_t n_origins, cap_origins;
  stretch *stretches;
  size_t n_stretches, cap_stretches, at;
  bez_buf scratch;
  bez_canonical *canonical;
  bez_spooled_rows spooled;
} exporter;

static void origin_free(origin *o) {
  free(o->source);
  free(o->contributor);
}

/* Source and contributor of the submission that the batch is, and the first commit of it. */
static bez_status read_origin(const exporter *x, origin *o, bez_error *err) {
  bez_query query = {0};
  bez_entry entry = {0};
  bool found = false;
  size_t len = 0;
  const char *who;
  const void *id;
  bez_status st;
  BEZ_TRY(bez_query_begin(x->vault->index, &query, err,
                          "SELECT submission_i, commit_id FROM versions WHERE batch=? ORDER BY version, commit_i", "b",
                          (const void *)o->batch.bytes, sizeof o->batch.bytes));
  BEZ_TRY(bez_query_next(&query, &found, err));
  if (!found) BEZ_TRY(bez_fail(err, BEZ_FORMAT, x->version->dataset, "a row is of a batch that the log does not have"));
  BEZ_TRY(bez_vault_entry(x->vault, (uint64_t)bez_query_int(&query, 0), &entry, err));
  id = bez_query_blob(&query, 1, &len);
  if (id && len == BEZ_ID) bez_hex(id, BEZ_ID, o->commit);
  who = entry.n_keys ? bez_trust_principal(x->vault->trust, entry.keys[0]) : "";
  o->source = strdup(bez_entry_text(&entry, "source"));
  o->contributor = strdup(who);
  if (!o->source || !o->contributor) st = bez_fail_memory(err, strlen(who));
cleanup:
  bez_query_end(&query);
  bez_entry_free(&entry);
  return st;
}

static bool grow(void *array, size_t n, size_t *cap, size_t size) {
  if (n < *cap) return true;
  size_t more = *cap ? *cap * 2 : 64;
  void *grown = realloc(*(void **)array, more * size);
  if (!grown) return false;
  *(void **)array = grown;
  *cap = more;
  return true;
}

static bez_status find_origin(exporter *x, const bez_batch *batch, size_t *out, bez_error *err) {
  for (*out = x->n_origins; (*out)-- > 0;)
    if (!memcmp(x->origins[*out].batch.bytes, batch->bytes, sizeof batch->bytes)) return BEZ_OK;
  if (!grow(&x->origins, x->n_origins, &x->cap_origins, sizeof *x->origins))
    return bez_fail_memory(err, x->cap_origins * sizeof *x->origins);
  origin *o = &x->origins[x->n_origins];
  *o = (origin){.batch = *batch};
  bez_status st = read_origin(x, o, err);
  if (st != BEZ_OK) {
    origin_free(o);
    return st;
  }
  *out = x->n_origins++;
  return BEZ_OK;
}

static bez_status take_run(void *ctx, const bez_run *run, bez_error *err) {
  exporter *x = ctx;
  stretch s = {.row = run->row};
  if (!grow(&x->stretches, x->n_stretches, &x->cap_stretches, sizeof *x->stretches))
    return bez_fail_memory(err, x->cap_stretches * sizeof *x->stretches);
  bez_status st = find_origin(x, &run->batch, &s.origin, err);
  if (st == BEZ_OK) x->stretches[x->n_stretches++] = s;
  return st;
}

static bez_status put(const exporter *x, const char *name, const char *value, size_t len, bez_error *err) {
  return x->sink->field(x->sink->ctx, name, strlen(name), value, len, len ? BEZ_FIELD_TEXT : BEZ_FIELD_NONE, err);
}

static bez_status put_provenance(exporter *x, uint64_t row, const bez_item *item, bez_error *err) {
  while (x->at + 1 < x->n_stretches && x->stretches[x->at + 1].row <= row) x->at++;
  if (!x->n_stretches) return bez_fail(err, BEZ_FORMAT, x->version->dataset, "its rows have no provenance");
  const origin *o = &x->origins[x->stretches[x->at].origin];
  bez_status st = BEZ_OK;
  if (item->type == BEZ_ITEM_FILE_ROW) st = put(x, "bezoar:file", item->head, bez_item_name_len(item), err);
  if (st == BEZ_OK) st = put(x, "bezoar:source", o->source, strlen(o->source), err);
  if (st == BEZ_OK) st = put(x, "bezoar:contributor", o->contributor, strlen(o->contributor), err);
  return st == BEZ_OK ? put(x, "bezoar:commit", o->commit, strlen(o->commit), err) : st;
}

static bez_status put_digests(const exporter *x, const bez_form_use *form, const bez_item *item, bez_error *err) {
  uint8_t raw[32], canonical[32];
  const bez_export_sink *sink = x->sink;
  bez_status st = bez_row_canonical(form, item, x->canonical, canonical, err);
  bez_sha256(item->body, item->body_len, raw);
  if (st == BEZ_OK) st = sink->field(sink->ctx, "bezoar:raw", 10, (const char *)raw, sizeof raw, BEZ_FIELD_DIGEST, err);
  if (st != BEZ_OK) return st;
  return sink->field(sink->ctx, "bezoar:canonical", 16, (const char *)canonical, sizeof canonical, BEZ_FIELD_DIGEST,
                     err);
}

static bez_status put_row(void *ctx, uint64_t row, const bez_form_use *form, const bez_item *item, bez_error *err) {
  exporter *x = ctx;
  const bez_form_use pictures = bez_file_row_form();
  const bez_form_use *use = item->type == BEZ_ITEM_FILE_ROW ? &pictures : form;
  if (row % ROWS_PER_ASK == 0 && x->progress &&
      !x->progress(x->progress_ctx, "exporting", "rows", row, x->version->rows.top.rows))
    return bez_fail(err, BEZ_CANCELLED, NULL, "cancelled");
  bez_status st;
  if (item->type == BEZ_ITEM_DIGEST)
    st = bez_spooled_rows_next(&x->spooled, use, item, x->canonical, x->sink->field, x->sink->ctx, err);
  else if (use->form && use->form->fields)
    st = use->form->fields(use->state, item, &x->scratch, x->sink->field, x->sink->ctx, err);
  else
    st = bez_fail(err, BEZ_FORMAT, x->version->dataset, "a row stands where no form reads rows");
  if (st == BEZ_OK && x->extras.provenance) st = put_provenance(x, row, item, err);
  if (st == BEZ_OK && x->extras.digests) st = put_digests(x, use, item, err);
  return st == BEZ_OK ? x->sink->row(x->sink->ctx, err) : st;
}

static bez_status put_other(void *ctx, const bez_form_use *form, const bez_item *item, bez_error *err) {
  exporter *x = ctx;
  return bez_spooled_rows_take(&x->spooled, form, item, err);
}

bez_status bez_export_rows(bez_vault *vault, const bez_snapshot *version, bez_export_extras extras,
                           const bez_export_sink *sink, bez_progress_fn progress, void *progress_ctx, bez_error *err) {
  exporter x = {.vault = vault,
                .version = version,
                .extras = extras,
                .sink = sink,
                .progress = progress,
                .progress_ctx = progress_ctx,
                .spooled = {.fd = -1}};
  bez_status st;
  BEZ_TRY(bez_canonical_create(&x.canonical, err));
  if (extras.provenance) BEZ_TRY(bez_provenance_each(vault->objects, &version->provenance, take_run, &x, err));
  BEZ_TRY(bez_items_each(vault->objects, &version->rows, put_row, put_other, &x, err));
cleanup:
  for (size_t i = 0; i < x.n_origins; i++) origin_free(&x.origins[i]);
  free(x.origins);
  free(x.stretches);
  bez_buf_free(&x.scratch);
  bez_spooled_rows_end(&x.spooled);
  bez_canonical_free(x.canonical);
  return st;
}
