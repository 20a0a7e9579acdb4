/* Lists of URLs without a network: when they are asked, what pages say, what pictures look like, what is held back. */
#include <math.h>
#include <stdio.h>

#include "attack/jpeg.h"
#include "base/rng.h"
#include "math/phash.h"
#include "test.h"
#include "vault/watch.h"

#define NEAR 10u /* bits: what watch verify takes for near */

/* A few soft spots on a slope, drawn by the seed: shapes as photographs have them. */
static void draw(uint64_t seed, uint32_t side, uint8_t *out) {
  bez_rng rng = bez_rng_make(seed, 7);
  double at[6][4];
  for (unsigned k = 0; k < 6; k++) {
    at[k][0] = bez_rng_unit(&rng);
    at[k][1] = bez_rng_unit(&rng);
    at[k][2] = 0.1 + 0.2 * bez_rng_unit(&rng);
    at[k][3] = bez_rng_unit(&rng) * 200 - 80;
  }
  for (uint32_t y = 0; y < side; y++)
    for (uint32_t x = 0; x < side; x++) {
      double level = 110 + 60 * ((x * 8 / side * 5 + y * 8 / side * 3 + seed) % 7 < 3); /* with edges */
      for (unsigned k = 0; k < 6; k++) {
        double dy = (y + 0.5) / side - at[k][0], dx = (x + 0.5) / side - at[k][1];
        level += at[k][3] * exp(-(dx * dx + dy * dy) / (2 * at[k][2] * at[k][2]));
      }
      out[y * side + x] = (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
    }
}

/* Averages side × side down to what is hashed. */
static uint64_t hash_of(const uint8_t *picture, uint32_t side) {
  uint8_t grey[BEZ_PHASH_SIDE * BEZ_PHASH_SIDE];
  uint64_t hash = 0;
  const uint32_t by = side / BEZ_PHASH_SIDE;
  for (uint32_t y = 0; y < BEZ_PHASH_SIDE; y++)
    for (uint32_t x = 0; x < BEZ_PHASH_SIDE; x++) {
      uint32_t sum = 0;
      for (uint32_t i = 0; i < by * by; i++) sum += picture[(y * by + i / by) * side + x * by + i % by];
      grey[y * BEZ_PHASH_SIDE + x] = (uint8_t)(sum / (by * by));
    }
  assert_true(bez_phash(grey, &hash));
  return hash;
}

static void pictures_that_look_alike(void **state) {
  static uint8_t a[128 * 128], b[64 * 64], c[128 * 128];
  (void)state;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    bez_error err = {0};
    draw(seed, 128, a);
    draw(seed, 64, b);
    const uint64_t hash = hash_of(a, 128);
    assert_true(bez_phash_distance(hash, hash_of(b, 64)) <= NEAR); /* another size */
    memcpy(c, a, sizeof c);
    assert_int_equal(bez_jpeg_recode(128, 128, 1, 60, c, &err), BEZ_OK);
    assert_true(bez_phash_distance(hash, hash_of(c, 128)) <= NEAR); /* packed with losses */
    for (size_t i = 0; i < sizeof c; i++) c[i] = (uint8_t)(a[i] / 2 + 60);
    assert_true(bez_phash_distance(hash, hash_of(c, 128)) <= NEAR); /* paler */
    draw(seed + 100, 128, c);
    assert_true(bez_phash_distance(hash, hash_of(c, 128)) > NEAR); /* another picture */
  }
}

static void flat_pictures_have_no_hash(void **state) {
  uint8_t grey[BEZ_PHASH_SIDE * BEZ_PHASH_SIDE];
  uint64_t hash;
  (void)state;
  memset(grey, 255, sizeof grey);
  assert_false(bez_phash(grey, &hash));
  grey[5] = 250;
  assert_false(bez_phash(grey, &hash));
  memset(grey, 0, sizeof grey / 2);
  assert_true(bez_phash(grey, &hash));
}

static void fill(bez_watchlist *list, uint64_t n, uint64_t hosts) {
  static const char *const columns[] = {"url", "note"};
  *list = (bez_watchlist){.n_columns = 2};
  list->columns = bez_arena_array(&list->arena, 2, sizeof *list->columns);
  assert_non_null(list->columns);
  memcpy(list->columns, columns, sizeof columns);
  for (uint64_t i = 0; i < n; i++) {
    char url[64];
    snprintf(url, sizeof url, "https://h%llu/%llu", (unsigned long long)(i % hosts), (unsigned long long)i);
    const char *cells[] = {url, "\"ä\", \n"};
    assert_non_null(bez_watchlist_add(list, &(bez_watched){.cells = cells}));
  }
}

static void requests_are_spread(void **state) {
  enum { N = 1000 };
  static uint64_t order[N], again[N];
  static double at[N];
  double last[10], early = 0;
  bool seen[N] = {false};
  bez_watchlist list;
  bez_error err = {0};
  (void)state;
  fill(&list, N, 10);
  assert_int_equal(bez_watch_schedule(&list, 1, 3600, 0.5, order, at, &err), BEZ_OK);
  for (unsigned h = 0; h < 10; h++) last[h] = -1;
  for (unsigned k = 0; k < N; k++) {
    const uint64_t row = order[k];
    assert_false(seen[row]);
    seen[row] = true;
    assert_true(k == 0 || at[k] >= at[k - 1]);
    assert_true(last[row % 10] < 0 || at[k] >= last[row % 10] + 0.5 - 1e-9);
    last[row % 10] = at[k];
    early += at[k] < 1800;
  }
  assert_true(early > 400 && early < 600 && at[N - 1] < 3700);
  assert_int_equal(bez_watch_schedule(&list, 1, 3600, 0.5, again, at, &err), BEZ_OK);
  assert_memory_equal(order, again, sizeof order);
  assert_int_equal(bez_watch_schedule(&list, 2, 3600, 0.5, again, at, &err), BEZ_OK);
  assert_memory_not_equal(order, again, sizeof order);
  assert_int_equal(bez_watch_schedule(&list, 1, 0, 0, order, at, &err), BEZ_OK); /* at once, and yet at random */
  assert_memory_not_equal(order, again, sizeof order);
  bez_watchlist_free(&list);
}

static void pages(void **state) {
  static const char *const no[] = {"404 Not Found", "This domain is FOR SALE", "Seite nicht gefunden", "Access Denied"};
  static const char nul[] = "<html>\0<title>a\0b</title>";
  char title[12];
  (void)state;
  for (size_t i = 0; i < sizeof no / sizeof *no; i++) assert_true(bez_page_says_no(no[i]));
  assert_false(bez_page_says_no("Holidays in Ulm"));
  assert_true(bez_page_is_html("\xef\xbb\xbf \n<!DOCTYPE HTML>", 19));
  assert_false(bez_page_is_html("a < b", 5));
  assert_false(bez_page_is_html("", 0));
  bez_page_title("<title>", 7, title, sizeof title);
  assert_string_equal(title, "");
  bez_page_title("<TITLE lang=de> a \n b</title>", 29, title, sizeof title);
  assert_string_equal(title, "a b");
  bez_page_title("<title>a title that is long", 27, title, sizeof title);
  assert_string_equal(title, "a title tha");
  bez_page_title(nul, sizeof nul - 1, title, sizeof title);
  assert_string_equal(title, "a b");
}

static void lists_come_back(void **state) {
  bez_watchlist list, back;
  bez_error err = {0};
  bez_buf text = {0};
  bez_json j = bez_json_make(&text, false);
  json_t *head = NULL;
  (void)state;
  fill(&list, 2, 2);
  bez_watched *row = &list.rows[1];
  row->know = BEZ_KNOW_SHA256 | BEZ_KNOW_MD5 | BEZ_KNOW_SHA512 | BEZ_KNOW_PHASH | BEZ_KNOW_SEEN;
  row->phash = 0x8000000000000001;
  row->learned = 7;
  row->seen_since = 8;
  memset(row->sha256, 1, 32), memset(row->sha512, 2, 64), memset(row->md5, 3, 16), memset(row->seen, 4, 32);
  for (unsigned i = 0; i < 2; i++) {
    j = bez_json_make(&text, false);
    bez_watchlist_put_row(&j, &list, &list.rows[i]);
    bez_buf_putc(&text, '\n');
  }
  static const char about[] = "{\"format\":1,\"url\":0,\"columns\":[\"url\",\"note\"]}";
  assert_int_equal(bez_json_parse(about, sizeof about - 1, "head", &head, &err), BEZ_OK);
  assert_int_equal(bez_watchlist_take_head(&back, head, "head", &err), BEZ_OK);
  assert_int_equal(bez_watchlist_take_part(&back, text.data, text.len, "part", &err), BEZ_OK);
  assert_int_equal(back.n, 2);
  assert_int_equal(back.rows[0].know, 0);
  assert_string_equal(back.rows[0].url, "https://h0/0");
  assert_string_equal(back.rows[1].cells[1], "\"ä\", \n");
  assert_int_equal(back.rows[1].know, row->know);
  assert_true(back.rows[1].phash == row->phash && back.rows[1].learned == 7 && back.rows[1].seen_since == 8);
  assert_memory_equal(back.rows[1].sha512, row->sha512, 64);
  assert_memory_equal(back.rows[1].seen, row->seen, 32);
  assert_int_equal(bez_watchlist_take_part(&back, text.data, text.len - 1, "part", &err), BEZ_FORMAT);
  json_decref(head);
  bez_buf_free(&text);
  bez_watchlist_free(&back);
  bez_watchlist_free(&list);
}

/* What is new is held until it has stood for the delay; another change begins the time anew. */
static void fresh_edits_are_held(void **state) {
  bez_watchlist list;
  bez_checked c = {.verdict = BEZ_SEEN_DIFFERENT};
  (void)state;
  fill(&list, 1, 1);
  list.rows[0].know = BEZ_KNOW_SHA256;
  c.sha256[0] = 1;
  bez_watch_learn(&list, &c, 1000, 100);
  assert_true(c.held && list.rows[0].seen_since == 1000);
  bez_watch_learn(&list, &c, 1099, 100);
  assert_true(c.held);
  bez_watch_learn(&list, &c, 1100, 100);
  assert_false(c.held);
  c.sha256[0] = 2;
  bez_watch_learn(&list, &c, 1101, 100);
  assert_true(c.held && list.rows[0].seen_since == 1101);
  c.verdict = BEZ_SEEN_EXACT; /* it was put right */
  bez_watch_learn(&list, &c, 1102, 100);
  assert_false(c.held);
  assert_int_equal(list.rows[0].know & BEZ_KNOW_SEEN, 0);
  bez_watchlist_free(&list);
  fill(&list, 1, 1); /* no digest was given: what is there first is new, too */
  c.verdict = BEZ_SEEN_FIRST;
  bez_watch_learn(&list, &c, 1000, 100);
  assert_true(c.held && list.rows[0].know & BEZ_KNOW_SHA256);
  c.verdict = BEZ_SEEN_EXACT;
  bez_watch_learn(&list, &c, 1100, 100);
  assert_false(c.held);
  bez_watchlist_free(&list);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pictures_that_look_alike), cmocka_unit_test(flat_pictures_have_no_hash),
      cmocka_unit_test(requests_are_spread),      cmocka_unit_test(pages),
      cmocka_unit_test(lists_come_back),          cmocka_unit_test(fresh_edits_are_held),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
