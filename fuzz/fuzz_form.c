/* CSV and JSON lines on their way into a vault. The first byte chooses: form, slab size, spans per call; or the bytes
 * are what a FILE item says of a form. Rows must be the same however the file comes, the reference splitter's for CSV,
 * and have the same digest under the state that the item brings back. */
#include <stdlib.h>
#include <string.h>

#include "content/canonical.h"
#include "format/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_SPANS = 4096 };

typedef struct input {
  const bez_form *form;
  const char *bytes;
  size_t len;
  bez_span spans[MOST_SPANS];
  size_t n;
} input;

static void need(bool good) {
  if (!good) abort();
}

/* Cuts bytes that come `slab` at a time; false: refused, or too many for this. */
static bool cut(input *in, void *state, size_t slab, size_t cap) {
  bez_error err = {0};
  size_t begin = 0, have = slab < in->len ? slab : in->len;
  in->n = 0;
  while (begin < in->len) {
    size_t n = 0, used = 0, at = 0;
    bool last = have == in->len;
    if (in->n + cap > MOST_SPANS) return false;
    bez_span *spans = in->spans + in->n;
    bez_status st = in->form->cut(state, in->bytes + begin, have - begin, last, begin, spans, cap, &n, &used, &err);
    if (st != BEZ_OK) {
      need(err.code == st && err.message[0]);
      return false;
    }
    for (size_t i = 0; i < n; i++) {
      need(spans[i].begin == at && spans[i].len && spans[i].len <= have - begin - at);
      at += spans[i].len;
      spans[i].begin += begin;
    }
    need(used == at && (!last || n));
    in->n += n;
    begin += used;
    if (n < cap) have = in->len - have > slab ? have + slab : in->len;
  }
  return true;
}

/* Rows end where the reference says. */
static void check_records(const input *in) {
  bez_csv_dialect d;
  bez_error err = {0};
  bez_csv_record record = {0};
  size_t used, span = 0;
  size_t head = in->len < (1u << 20) ? in->len : 1u << 20;
  need(bez_csv_sniff(in->bytes, head, head == in->len, "input.csv", &d, &err) == BEZ_OK);
  if (d.skip) need(in->spans[span++].len == d.skip);
  for (size_t at = d.skip; at < in->len; at += used, span++) {
    if (bez_csv_split(&d, in->bytes + at, in->len - at, true, &record, &used) != BEZ_CSV_RECORD) break;
    need(span < in->n && in->spans[span].begin == at && in->spans[span].len == used);
    if (!record.n) need(in->spans[span].type == BEZ_ITEM_BYTES);
  }
  bez_csv_record_free(&record);
}

static bez_status to_canonical(void *ctx, const char *name, size_t name_len, const char *value, size_t len, int kind,
                               bez_error *err) {
  (void)err;
  need(name && name_len && (!len || value));
  bez_canonical_field(ctx, name, name_len, value, len, (bez_field_kind)kind);
  return BEZ_OK;
}

static void check_row(const input *in, const void *state, const bez_form_use *back, const bez_span *span,
                      bez_canonical *c, bez_buf *scratch) {
  uint8_t one[32], two[32];
  bez_error err = {0};
  char *copy = malloc(span->len); /* a copy of just these bytes, so that a sanitizer sees a step too far */
  need(copy != NULL);
  memcpy(copy, in->bytes + span->begin, span->len);
  const bez_item row = {.type = BEZ_ITEM_ROW, .body = copy, .body_len = span->len};
  need(in->form->canonical(state, &row, c, one, &err) == BEZ_OK);
  need(back->form->canonical(back->state, &row, c, two, &err) == BEZ_OK);
  need(!memcmp(one, two, sizeof one));
  bez_canonical_begin(c);
  need(back->form->fields(back->state, &row, scratch, to_canonical, c, &err) == BEZ_OK);
  need(bez_canonical_finish(c, two, &err) == BEZ_OK);
  need(!memcmp(one, two, sizeof one));
  free(copy);
}

static void check_rows(const input *in, const void *state) {
  bez_buf text = {0}, scratch = {0};
  bez_form_use back;
  bez_canonical *c;
  bez_error err = {0};
  bez_json j = bez_json_make(&text, false);
  bez_json_open(&j, '{');
  bez_json_kstr(&j, "form", in->form->name);
  in->form->params(state, &j);
  bez_json_close(&j, '}');
  need(bez_form_open_json(text.data, text.len, &back, &err) == BEZ_OK);
  need(bez_canonical_create(&c, &err) == BEZ_OK);
  for (size_t i = 0; i < in->n; i++)
    if (in->spans[i].type == BEZ_ITEM_ROW) check_row(in, state, &back, &in->spans[i], c, &scratch);
  bez_canonical_free(c);
  bez_form_close(&back);
  bez_buf_free(&text);
  bez_buf_free(&scratch);
}

static void read_params(const char *bytes, size_t len) {
  static const bez_item row = {.type = BEZ_ITEM_ROW, .body = "1,\"x\"\"\",\"y", .body_len = 10};
  bez_form_use use;
  bez_error err = {0};
  bez_canonical *c;
  uint8_t digest[32];
  if (bez_form_open_json(bytes, len, &use, &err) != BEZ_OK) {
    need(err.message[0] != 0);
    return;
  }
  need(bez_canonical_create(&c, &err) == BEZ_OK);
  if (use.form->canonical && use.form->cut && strcmp(use.form->name, "webdataset"))
    need(use.form->canonical(use.state, &row, c, digest, &err) == BEZ_OK);
  bez_canonical_free(c);
  bez_form_close(&use);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  if (data[0] & 0x40) {
    read_params((const char *)data + 1, size - 1);
    return 0;
  }
  input *in = calloc(2, sizeof *in);
  need(in != NULL);
  in->form = bez_form_named(data[0] & 1 ? "csv" : "jsonl");
  in->bytes = (const char *)data + 1;
  in->len = size - 1;
  in[1] = in[0];
  void *states[2] = {NULL, NULL};
  bez_error err = {0};
  bool good = in->form->open("input", in->bytes, in->len, true, &states[0], &err) == BEZ_OK &&
              in->form->open("input", in->bytes, in->len, true, &states[1], &err) == BEZ_OK;
  if (good) {
    bool whole = cut(&in[0], states[0], in->len, 64), pieces = cut(&in[1], states[1], 1 + (data[0] >> 1 & 31), 3);
    if (whole && pieces) {
      need(in[0].n == in[1].n && !memcmp(in[0].spans, in[1].spans, in->n * sizeof *in->spans));
      if (data[0] & 1) check_records(in);
      check_rows(in, states[0]);
    }
  }
  if (states[0]) in->form->close(states[0]);
  if (states[1]) in->form->close(states[1]);
  free(in);
  return 0;
}
