/* A form at work on bytes in memory, as reading a file in slabs would have it. */
#ifndef BEZ_TEST_FORM_HELP_H
#define BEZ_TEST_FORM_HELP_H

#include "test.h"

#include "content/form.h"

typedef struct cut_list {
  bez_span *items;
  size_t n;
} cut_list;

/* Cuts bytes that come `slab` at a time, at most `cap` spans per call. Checks that spans lie behind each other. */
static inline bez_status cut_in_slabs(const bez_form *form, void *state, const char *bytes, size_t len, size_t slab,
                                      size_t cap, cut_list *out, bez_error *err) {
  size_t begin = 0, have = slab < len ? slab : len, room = 64;
  bez_span *spans = calloc(cap, sizeof *spans);
  *out = (cut_list){.items = calloc(room, sizeof *out->items)};
  assert_non_null(spans);
  bez_status st = BEZ_OK;
  while (begin < len) {
    size_t n = 0, used = 0, at = 0;
    bool last = have == len;
    /* A copy of just these bytes, so that a sanitizer sees a step too far. */
    char *copy = malloc(have - begin + 1);
    assert_non_null(copy);
    memcpy(copy, bytes + begin, have - begin);
    st = form->cut(state, copy, have - begin, last, begin, spans, cap, &n, &used, err);
    free(copy);
    if (st != BEZ_OK) break;
    for (size_t i = 0; i < n; i++) {
      assert_int_equal(spans[i].begin, at);
      assert_true(spans[i].len > 0);
      at += spans[i].len;
      if (out->n == room) {
        room *= 2;
        out->items = realloc(out->items, room * sizeof *out->items);
        assert_non_null(out->items);
      }
      out->items[out->n] = spans[i];
      out->items[out->n++].begin += begin;
    }
    assert_int_equal(used, at);
    assert_true(used <= have - begin);
    assert_true(n > 0 || !last);
    begin += used;
    if (n < cap) have = len - have > slab ? have + slab : len;
  }
  free(spans);
  return st;
}

#endif
