/* tar archives on their way into a vault: cut in slabs, digests and fields of every sample. The first byte says how
 * large a slab is and how many spans are asked for at once. */
#include <stdlib.h>
#include <string.h>

#include "content/form.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bez_status see(void *ctx, const char *name, size_t name_len, const char *value, size_t len, int kind,
                      bez_error *err) {
  size_t *fields = ctx;
  if (!name || (len && !value)) abort();
  ++*fields;
  return BEZ_OK;
}

/* What was cut as a row is a row: digest and fields can be had of it. */
static void look_at(const bez_form *form, const void *state, const char *bytes, const bez_span *span,
                    bez_canonical *canonical) {
  bez_item row = {.type = span->type, .body = bytes + span->begin, .body_len = span->len};
  uint8_t digest[32];
  size_t fields = 0;
  bez_buf scratch = {0};
  bez_error err = {0};
  if (span->type != BEZ_ITEM_ROW) return;
  if (form->canonical(state, &row, canonical, digest, &err) != BEZ_OK) abort();
  if (form->fields(state, &row, &scratch, see, &fields, &err) != BEZ_OK || fields < 2) abort();
  bez_buf_free(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const bez_form *form = bez_form_named("webdataset");
  if (!size) return 0;
  size_t slab = 200u << (data[0] & 7), cap = data[0] & 8 ? 1 : 8, len = size - 1, begin = 0;
  const char *bytes = (const char *)data + 1;
  size_t have = slab < len ? slab : len;
  bez_span spans[8];
  void *state = NULL;
  bez_canonical *canonical = NULL;
  bez_error err = {0};
  if (form->open("input.tar", bytes, len, true, &state, &err) != BEZ_OK) return 0;
  if (bez_canonical_create(&canonical, &err) != BEZ_OK) abort();
  while (begin < len) {
    size_t n = 0, used = 0, at = 0;
    bool last = have == len;
    bez_status st = form->cut(state, bytes + begin, have - begin, last, begin, spans, cap, &n, &used, &err);
    if (st != BEZ_OK && (err.code != st || !err.message[0])) abort();
    if (st != BEZ_OK) break;
    for (size_t i = 0; i < n; at += spans[i++].len) {
      if (spans[i].begin != at || !spans[i].len || spans[i].len > have - begin - at) abort();
      look_at(form, state, bytes + begin, &spans[i], canonical);
    }
    if (used != at || (last && !n)) abort();
    begin += used;
    if (n < cap) have = len - have > slab ? have + slab : len;
  }
  bez_canonical_free(canonical);
  form->close(state);
  return 0;
}
