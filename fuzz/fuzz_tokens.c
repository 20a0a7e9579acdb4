/* Hostile text: tokenizer, features and character scan; and hostile saved n-gram counts (first byte 0). */
#include <stdint.h>
#include <stdlib.h>

#include "base/cpu.h"
#include "detect/character_scan.h"
#include "fit/naive_bayes.h"
#include "math/bytescan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(int fact) {
  if (!fact) abort();
}

static void saved_counts(const uint8_t *data, size_t size) {
  bez_nb_params params = {2, 8};
  void *state = NULL;
  bez_error err = {0};
  if (bez_nb_summary.create(&params, &state, &err) != BEZ_OK) return;
  bez_cursor cursor = {data, size, 0};
  if (bez_nb_summary.merge(state, &cursor, &err) == BEZ_OK) {
    bez_buf out = {0};
    need(bez_nb_summary.save(state, &out, &err) == BEZ_OK);
    bez_cursor again = {(const uint8_t *)out.data, out.len, 0};
    void *other = NULL;
    need(bez_nb_summary.create(&params, &other, &err) == BEZ_OK);
    need(bez_nb_summary.merge(other, &again, &err) == BEZ_OK && again.pos == out.len);
    bez_nb_summary.destroy(other);
    bez_buf_free(&out);
  }
  bez_nb_summary.destroy(state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size && data[0] == 0) {
    saved_counts(data + 1, size - 1);
    return 0;
  }
  const char *text = (const char *)data;
  bez_doc doc = {0};
  bez_error err = {0};
  if (bez_doc_load(&doc, text, size, &err) == BEZ_OK) {
    need(doc.n_features <= doc.n_tokens * 2 + 1);
    for (size_t i = 0; i < doc.n_tokens; i++) {
      need(doc.tokens[i].begin < doc.tokens[i].end && doc.tokens[i].end <= size);
      need(i == 0 || doc.tokens[i - 1].end <= doc.tokens[i].begin);
    }
  }
  bez_doc_free(&doc);
  bez_trick_hit hits[8];
  size_t n = bez_character_scan(text, size, hits, 8);
  for (size_t i = 0; i < n && i < 8; i++) need(hits[i].begin < hits[i].end && hits[i].end <= size);
  need(n == 0 || bez_scan_plain_ascii(text, size, 0) < size); /* the fast path may not skip a trick */
  need(bez_scan_plain_ascii(text, size, bez_cpu_features()) == bez_scan_plain_ascii(text, size, 0));
  return 0;
}
