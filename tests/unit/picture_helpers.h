/* Test helpers: tables of pictures from arrays in memory, and pictures of bars whose direction is the label. */
#ifndef BEZ_TEST_PICTURE_HELPERS_H
#define BEZ_TEST_PICTURE_HELPERS_H

#include <math.h>

#include "base/hash.h"
#include "base/rng.h"
#include "detect_helpers.h"
#include "format/images.h"

typedef struct pictures {
  uint32_t n, side, channels, classes;
  uint8_t *pixels, *label; /* label: a digit per row */
} pictures;

static inline size_t picture_bytes(const pictures *p) {
  return (size_t)p->side * p->side * p->channels;
}

/* A bright bar through about the middle before a coarse background of its own, with noise; the label says how it is
 * turned. */
static inline void draw_bar(const pictures *p, uint32_t row, uint64_t seed) {
  bez_rng rng = bez_rng_make(seed, row);
  double turn = 3.14159265 * (p->label[row] + .25 * (bez_rng_unit(&rng) - .5)) / p->classes, s = sin(turn),
         c = cos(turn);
  double cy = p->side * (.5 + .15 * (bez_rng_unit(&rng) - .5)), cx = p->side * (.5 + .15 * (bez_rng_unit(&rng) - .5));
  double dark = 40 + 40 * bez_rng_unit(&rng), bright = 120 + 80 * bez_rng_unit(&rng);
  double block[64];
  for (unsigned i = 0; i < 64; i++) block[i] = 40 * bez_rng_unit(&rng);
  for (uint32_t y = 0; y < p->side; y++)
    for (uint32_t x = 0; x < p->side; x++) {
      double back = block[y * 8 / p->side * 8 + x * 8 / p->side];
      double off = fabs((y - cy) * c - (x - cx) * s) * 10 / p->side;
      for (uint32_t k = 0; k < p->channels; k++)
        p->pixels[row * picture_bytes(p) + ((size_t)y * p->side + x) * p->channels + k] =
            (uint8_t)fmin(255, dark + (bright - dark) * exp(-off * off) + back + 6 * k + 6 * bez_rng_unit(&rng));
    }
}

static inline pictures make_bars(uint32_t n, uint32_t side, uint32_t channels, uint32_t classes, uint64_t seed) {
  pictures p = {.n = n, .side = side, .channels = channels, .classes = classes};
  p.pixels = malloc(n * picture_bytes(&p));
  p.label = malloc(n);
  assert_non_null(p.pixels);
  assert_non_null(p.label);
  for (uint32_t row = 0; row < n; row++) {
    p.label[row] = (uint8_t)(bez_mix64(seed * 1000003 + row) % classes);
    draw_bar(&p, row, seed);
  }
  return p;
}

static inline void free_pictures(pictures *p) {
  free(p->pixels);
  free(p->label);
}

static inline void write_npy(const char *descr, const char *shape, const void *data, size_t len, char path[256]) {
  char header[256];
  int n = snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }\n", descr, shape);
  uint8_t *bytes = malloc(10 + (size_t)n + len);
  assert_non_null(bytes);
  memcpy(bytes, "\x93NUMPY\1\0", 8);
  bytes[8] = (uint8_t)(n & 255);
  bytes[9] = (uint8_t)(n >> 8);
  memcpy(bytes + 10, header, (size_t)n);
  memcpy(bytes + 10 + n, data, len);
  temp_file(".npy", bytes, 10 + (size_t)n + len, path);
  free(bytes);
}

static inline bez_table *picture_table(const pictures *p) {
  char images[256], labels[256], shape[96];
  snprintf(shape, sizeof shape, "%u, %u, %u, %u", p->n, p->side, p->side, p->channels);
  write_npy("|u1", shape, p->pixels, p->n * picture_bytes(p), images);
  snprintf(shape, sizeof shape, "%u,", p->n);
  write_npy("|u1", shape, p->label, p->n, labels);
  bez_read_options options = {.labels_file = labels};
  bez_table *t = open_table(images, &options);
  unlink(images);
  unlink(labels);
  assert_non_null(t->images);
  assert_true(t->label >= 0);
  return t;
}

/* Shares of the marked rows, and of the others, that findings of this rule and at least this severity list. */
static inline void rates(const bez_report *report, const char *rule, bez_severity least, const uint8_t *marked,
                         uint32_t n, double *hit, double *wrong) {
  uint8_t *seen = calloc(n, 1);
  uint64_t in = 0, out = 0, all = 0;
  for (size_t i = 0; i < report->n_findings; i++) {
    const bez_finding *f = report->findings[i];
    if (strcmp(f->rule->id, rule) != 0 || f->severity < least) continue;
    for (uint64_t k = 0; k < f->n_rows; k++) seen[f->rows[k].row] = 1;
  }
  for (uint32_t i = 0; i < n; i++) {
    all += marked[i];
    in += marked[i] && seen[i];
    out += !marked[i] && seen[i];
  }
  *hit = all ? (double)in / (double)all : 0;
  *wrong = (double)out / (double)(n - all);
  free(seen);
}

#endif
