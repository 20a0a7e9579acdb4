/* Long work asks whether to go on, often enough that --max-time and Ctrl-C mean something: while reading, within the
 * folds of a model, and while one thread waits for another. */
#include "table_helpers.h"

#include <stdatomic.h>
#include <time.h>

#include "base/threads.h"
#include "bezoar/scan.h"

/* ---- bez_parallel_watched ---- */

typedef struct patience {
  unsigned asked, most; /* says no when asked more often */
} patience;

static bool ask(void *ctx, const char *stage, const char *unit, uint64_t done, uint64_t total) {
  patience *p = ctx;
  (void)stage, (void)unit;
  assert_true(done <= total);
  return ++p->asked <= p->most;
}

typedef struct work {
  bez_watch *watch;
  _Atomic unsigned tiles;
} work;

static bez_status short_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)tile, (void)worker, (void)err;
  ((work *)ctx)->tiles++;
  return BEZ_OK;
}

/* The calling thread has no work; the other one goes on until it is told to stop. */
static bez_status endless_elsewhere(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  work *w = ctx;
  (void)tile;
  const struct timespec moment = {.tv_nsec = 1000000};
  if (worker == 0) {
    while (w->tiles == 0) nanosleep(&moment, NULL); /* until the other has one, too */
    return BEZ_OK;
  }
  w->tiles++;
  while (bez_watch_ask(w->watch, worker)) nanosleep(&moment, NULL);
  return bez_watch_fail(err);
}

static void the_watch_stops_the_team(void **state) {
  (void)state;
  bez_error err = {0};
  patience p = {.most = 5};
  bez_watch watch = {.progress = ask, .ctx = &p, .stage = "work", .unit = "tiles"};
  work w = {.watch = &watch};
  assert_int_equal(bez_parallel_watched(1000, 1, &watch, short_tile, &w, &err), BEZ_CANCELLED);
  assert_int_equal(w.tiles, 4); /* once before the first */
  assert_int_equal(err.code, BEZ_CANCELLED);
  p = (patience){.most = 3};
  watch.stopped = false;
  w.tiles = 0;
  err = (bez_error){0};
  assert_int_equal(bez_parallel_watched(2, 2, &watch, endless_elsewhere, &w, &err), BEZ_CANCELLED);
  assert_int_equal(err.code, BEZ_CANCELLED);
  w.tiles = 0;
  err = (bez_error){0};
  assert_int_equal(bez_parallel_watched(1000, 3, NULL, short_tile, &w, &err), BEZ_OK);
  assert_int_equal(w.tiles, 1000);
}

/* ---- scans ---- */

typedef struct count {
  const char *stage;
  unsigned asked, stop_at; /* stop_at 0: never */
} count;

static bool count_stage(void *ctx, const char *stage, const char *unit, uint64_t done, uint64_t total) {
  count *c = ctx;
  (void)unit, (void)done, (void)total;
  if (strcmp(stage, c->stage) != 0) return true;
  return ++c->asked != c->stop_at;
}

static void write_data(const char *suffix, char path[256]) {
  size_t cap = 4u << 20, n = 0;
  char *text = malloc(cap);
  bool json = !strcmp(suffix, ".jsonl");
  if (!json) n += (size_t)sprintf(text, "a,b,c,d,words,label\n");
  for (unsigned i = 0; i < 3000; i++) {
    unsigned r = i * 2654435761u >> 7;
    bool yes = (r ^ (r >> 5)) % 3 == 0;
    unsigned a = r % 50 + 20 * yes, b = r % 7, c = (r >> 3) % 90, d = (r >> 9) % 5, x = r % 999, y = (r >> 4) % 997;
    const char *words = yes ? "take this very thing" : "leave that other stuff", *label = yes ? "yes" : "no";
    if (json)
      n += (size_t)snprintf(text + n, cap - n,
                            "{\"a\":%u,\"b\":\"k%u\",\"c\":%u,\"d\":\"m%u\",\"words\":\"%s now %u or %u\","
                            "\"label\":\"%s\"}\n",
                            a, b, c, d, words, x, y, label);
    else
      n += (size_t)snprintf(text + n, cap - n, "%u,k%u,%u,m%u,%s now %u or %u,%s\n", a, b, c, d, words, x, y, label);
  }
  temp_file(suffix, text, n, path);
  free(text);
}

static const char *const stages[][3] = {
    /* file, detector, stage */
    {".jsonl", "BZ-D005", "reading"},
    {".csv", "BZ-D005", "sorting values"},
    {".csv", "BZ-D002", "context contradiction, counting"},
    {".csv", "BZ-D002", "context contradiction"},
    {".csv", "BZ-D005", "character tricks"},
    {".csv", "BZ-D006", "label disagreement, trees"},
    {".csv", "BZ-D006", "label disagreement, nearest rows"},
    {".csv", "BZ-D006", "label disagreement"},
    {".csv", "BZ-D007", "label disagreement in text, learning"},
    {".csv", "BZ-D007", "label disagreement in text"},
};

static bez_status scan(const char *path, const char *rule, unsigned threads, count *c) {
  const char *text[] = {"words"};
  bez_scan_options o = {.only = &rule, .n_only = 1};
  bez_report *report = NULL;
  bez_error err = {0};
  o.read = (bez_read_options){.label = "label", .text = text, .n_text = 1, .threads = threads};
  o.read.progress = count_stage;
  o.read.progress_ctx = c;
  bez_status st = bez_scan_paths(&path, 1, &o, &report, &err);
  assert_true((report == NULL) == (st != BEZ_OK));
  bez_report_destroy(report);
  return st;
}

static void every_long_stage_asks_and_stops(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
    char path[256];
    write_data(stages[i][0], path);
    for (unsigned threads = 1; threads <= 3; threads += 2) {
      count all = {.stage = stages[i][2]};
      assert_int_equal(scan(path, stages[i][1], threads, &all), BEZ_OK);
      if (!all.asked) fail_msg("%s never asks in \"%s\"", stages[i][1], stages[i][2]);
      if (threads == 1 && strstr(stages[i][2], "trees")) assert_true(all.asked > 5 * 100);   /* every round */
      if (threads == 1 && strstr(stages[i][2], "learning")) assert_true(all.asked > 5 * 12); /* every epoch */
      count stop = {.stage = stages[i][2], .stop_at = threads == 1 ? (all.asked + 1) / 2 : 1};
      assert_int_equal(scan(path, stages[i][1], threads, &stop), BEZ_CANCELLED);
      if (threads == 1) assert_int_equal(stop.asked, stop.stop_at); /* and is not asked again */
    }
    unlink(path);
  }
}

/* A NumPy array (format 1.0) of bytes. */
static void write_npy(const char *shape, const uint8_t *values, size_t n, char path[256]) {
  char *bytes = malloc(128 + n), header[119] = {0};
  assert_non_null(bytes);
  int len = snprintf(header, sizeof header, "{'descr': '|u1', 'fortran_order': False, 'shape': (%s), }", shape);
  memset(header + len, ' ', 117 - (size_t)len);
  header[117] = '\n';
  memcpy(bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
  memcpy(bytes + 10, header, 118);
  memcpy(bytes + 128, values, n);
  temp_file(".npy", bytes, 128 + n, path);
  free(bytes);
}

/* Noise, with the same small square at changing places of every tenth picture, all of one label. */
static void write_pictures(char path[256], char labels[256]) {
  enum { N = 600, SIDE = 12 };
  static uint8_t pixels[N * SIDE * SIDE], label[N];
  uint32_t state = 7;
  for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)((state = state * 1664525u + 1013904223u) >> 24);
  for (uint32_t i = 0; i < N; i++) {
    label[i] = (uint8_t)(i % 10 == 0 ? 1 : i % 3);
    uint32_t y = i / 10 % 7, x = i / 70 % 8;
    for (uint32_t k = 0; k < 16 && i % 10 == 0; k++) {
      pixels[(i * SIDE + y + k / 4) * SIDE + x + k % 4] = k % 3 ? 250 : 9;
      pixels[(i * SIDE + 8 + k / 4) * SIDE + 8 + k % 4] = k % 2 ? 240 : 30;
    }
  }
  write_npy("600, 12, 12", pixels, sizeof pixels, path);
  write_npy("600,", label, sizeof label, labels);
}

static void patch_checks_ask_and_stop(void **state) {
  (void)state;
  static const char *const rules[][2] = {{"BZ-D010", "image-patch"}, {"BZ-D011", "image-patch-moving"}};
  char path[256], labels[256];
  write_pictures(path, labels);
  const char *data = path;
  for (size_t i = 0; i < 2; i++) {
    count all = {.stage = rules[i][1]}, stop = {.stage = rules[i][1]};
    for (count *c = &all; c; c = c == &all ? &stop : NULL) {
      bez_scan_options o = {.only = &rules[i][0], .n_only = 1};
      bez_report *report = NULL;
      bez_error err = {0};
      o.read = (bez_read_options){.labels_file = labels, .threads = 1, .progress = count_stage, .progress_ctx = c};
      stop.stop_at = (all.asked + 1) / 2;
      assert_int_equal(bez_scan_paths(&data, 1, &o, &report, &err), c == &all ? BEZ_OK : BEZ_CANCELLED);
      bez_report_destroy(report);
    }
    if (all.asked < 12) fail_msg("%s asks %u times", rules[i][0], all.asked);
    assert_int_equal(stop.asked, stop.stop_at);
  }
  unlink(path);
  unlink(labels);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_watch_stops_the_team),
                                     cmocka_unit_test(every_long_stage_asks_and_stops),
                                     cmocka_unit_test(patch_checks_ask_and_stop)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
