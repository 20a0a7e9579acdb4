/* n-gram counts per class as a mergeable summary. Body: per class le64 rows; le64 number of used slots; per used slot,
 * ascending, le32 slot and per class le32 count. */
#include "fit/naive_bayes.h"

#include "base/error.h"

uint64_t bez_nb_digest(const bez_nb_params *params) {
  return bez_mix64(0x6e6772616d73ull ^ (uint64_t)params->n_classes << 32 ^ params->log2_slots);
}

static bez_status create(const void *params, void **state, bez_error *err) {
  const bez_nb_params *p = params;
  bez_nb *nb = NULL;
  bez_status st = bez_nb_create(p->n_classes, p->log2_slots, &nb, err);
  *state = nb;
  return st;
}

static bez_status update(void *state, const void *batch, bez_error *err) {
  bez_nb *nb = state;
  const bez_nb_batch *b = batch;
  bez_doc doc = {0};
  bez_status st = BEZ_OK;
  for (size_t i = 0; i < b->n; i++) {
    if (b->label[i] >= nb->n_classes) {
      st = bez_fail(err, BEZ_USAGE, "ngram-counts", "label %u of %u classes", b->label[i], nb->n_classes);
      goto cleanup;
    }
    BEZ_TRY(bez_doc_load(&doc, b->text[i], b->len[i], err));
    bez_nb_add(nb, doc.features, doc.n_features, b->label[i], 1);
    bez_nb_rows(nb, b->label[i], 1);
  }
cleanup:
  bez_doc_free(&doc);
  return st;
}

static bez_status save(const void *state, bez_buf *out, bez_error *err) {
  const bez_nb *nb = state;
  uint64_t used = 0;
  for (int pass = 0; pass < 2; pass++) {
    if (pass) {
      for (uint32_t k = 0; k < nb->n_classes; k++) bez_put_le64(out, nb->rows[k]);
      bez_put_le64(out, used);
    }
    for (size_t slot = 0; slot <= nb->mask; slot++) {
      const uint32_t *c = nb->count + slot * nb->n_classes;
      uint32_t any = 0;
      for (uint32_t k = 0; k < nb->n_classes; k++) any |= c[k];
      if (!any) continue;
      used += !pass;
      if (!pass) continue;
      bez_put_le32(out, (uint32_t)slot);
      for (uint32_t k = 0; k < nb->n_classes; k++) bez_put_le32(out, c[k]);
    }
  }
  return bez_buf_status(out, err);
}

static bez_status malformed(const bez_cursor *c, bez_error *err, const char *what) {
  return bez_fail_at(err, BEZ_FORMAT, "ngram-counts", -1, (int64_t)c->pos, "%s", what);
}

/* Checks a saved body whole before anything is added: a bad one leaves the state as it was. */
static bez_status merge_pass(bez_nb *nb, bez_cursor c, bool add, bez_cursor *end, bez_error *err) {
  uint64_t rows[BEZ_NB_MAX_CLASSES], used, total = nb->n_rows;
  for (uint32_t k = 0; k < nb->n_classes; k++) {
    if (!bez_cursor_le64(&c, &rows[k])) return malformed(&c, err, "cut short in the row counts");
    total += rows[k];
    if (rows[k] > UINT32_MAX || total > UINT32_MAX) return malformed(&c, err, "more rows than can be counted");
    if (add) bez_nb_rows(nb, k, (int64_t)rows[k]);
  }
  if (!bez_cursor_count(&c, 4 + 4 * (size_t)nb->n_classes, &used)) return malformed(&c, err, "more slots than bytes");
  int64_t last = -1;
  for (uint64_t i = 0; i < used; i++) {
    uint32_t slot, n;
    if (!bez_cursor_le32(&c, &slot) || slot > nb->mask || (int64_t)slot <= last)
      return malformed(&c, err, "slots out of order or range");
    last = slot;
    for (uint32_t k = 0; k < nb->n_classes; k++) {
      uint32_t *count = &nb->count[(size_t)slot * nb->n_classes + k];
      if (!bez_cursor_le32(&c, &n)) return malformed(&c, err, "cut short in a slot");
      if (!add && n > UINT32_MAX - *count) return malformed(&c, err, "more rows in a slot than can be counted");
      if (add) *count += n;
    }
  }
  *end = c;
  return BEZ_OK;
}

static bez_status merge(void *state, bez_cursor *saved, bez_error *err) {
  bez_cursor end;
  bez_status st = merge_pass(state, *saved, false, &end, err);
  if (st == BEZ_OK) st = merge_pass(state, *saved, true, &end, err);
  if (st == BEZ_OK) *saved = end;
  return st;
}

static void destroy(void *state) {
  bez_nb_destroy(state);
}

const bez_summary bez_nb_summary = {.name = "ngram-counts",
                                    .version = 1,
                                    .create = create,
                                    .update = update,
                                    .merge = merge,
                                    .save = save,
                                    .destroy = destroy};
