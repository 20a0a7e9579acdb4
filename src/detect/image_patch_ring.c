/* The surroundings of spots: how often the same code stands 4 … 6 pixels away. What objects show moves with them from
 * picture to picture; a patch that was pasted at one place does not. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/threads.h"
#include "detect/image_patch.h"

#define NEAREST 4u
#define FARTHEST 6u
#define SIEVE_BITS 16u

typedef struct ring_work {
  const bez_patch_data *data;
  const bez_view *view;
  bez_code_family family;
  const bez_spots *spots; /* sorted by code */
  uint64_t *sieve;        /* one bit per hashed code */
  uint32_t *most;         /* workers × spots: the fullest place seen */
} ring_work;

static uint32_t sieve_at(uint32_t code) {
  return (uint32_t)(((uint64_t)code * 0x9e3779b97f4a7c15ull) >> (64 - SIEVE_BITS)) & ((1u << SIEVE_BITS) - 1);
}

static uint32_t apart(uint32_t a, uint32_t b) {
  return a > b ? a - b : b - a;
}

/* The first spot of that code, or n. */
static size_t find(const bez_spots *spots, uint32_t code) {
  size_t lo = 0, hi = spots->n;
  while (lo < hi) {
    size_t mid = lo + (hi - lo) / 2;
    if (spots->list[mid].code < code)
      lo = mid + 1;
    else
      hi = mid;
  }
  return lo;
}

/* Whether the row of places y touches any spot's ring. */
static bool of_interest(const bez_spots *spots, uint32_t y) {
  for (size_t s = 0; s < spots->n; s++)
    if (apart(spots->list[s].y, y) <= FARTHEST) return true;
  return false;
}

static bez_status ring_row(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  const ring_work *w = ctx;
  const bez_images *im = &w->view->images;
  const bez_spots *spots = w->spots;
  uint32_t y = (uint32_t)tile, places = im->width - BEZ_WINDOW + 1;
  if (!of_interest(spots, y)) return BEZ_OK;
  uint32_t *line = malloc(places * sizeof *line), *here = calloc(spots->n * places, sizeof *here);
  if (!line || !here) {
    free(line);
    free(here);
    return bez_fail_memory(err, spots->n * places * sizeof *here);
  }
  for (uint32_t i = 0; i < w->data->n_rows; i++) {
    bez_codes_row(w->family, im, bez_image(im, i), y, line);
    for (uint32_t x = 0; x < places; x++) {
      uint32_t bit = sieve_at(line[x]);
      if (!(w->sieve[bit / 64] >> (bit % 64) & 1)) continue;
      for (size_t s = find(spots, line[x]); s < spots->n && spots->list[s].code == line[x]; s++)
        here[s * places + x] += w->data->label[i] == spots->list[s].label;
    }
  }
  uint32_t *most = w->most + worker * spots->n;
  for (size_t s = 0; s < spots->n; s++)
    for (uint32_t x = 0; x < places; x++) {
      uint32_t dy = apart(spots->list[s].y, y), dx = apart(spots->list[s].x, x), d = dy > dx ? dy : dx;
      if (d >= NEAREST && d <= FARTHEST && here[s * places + x] > most[s]) most[s] = here[s * places + x];
    }
  free(line);
  free(here);
  return BEZ_OK;
}

static int by_code(const void *a, const void *b) {
  const bez_spot *p = a, *q = b;
  if (p->code != q->code) return p->code < q->code ? -1 : 1;
  if (p->y != q->y) return p->y < q->y ? -1 : 1;
  return (p->x > q->x) - (p->x < q->x);
}

static int by_weight(const void *a, const void *b) {
  const bez_spot *p = a, *q = b;
  double wp = fmin(p->evidence, 60) * fmin(p->ratio, 30), wq = fmin(q->evidence, 60) * fmin(q->ratio, 30);
  if (wp != wq) return wp > wq ? -1 : 1;
  if (p->rows != q->rows) return p->rows > q->rows ? -1 : 1;
  return by_code(a, b);
}

bez_status bez_spots_weigh(const bez_patch_data *data, const bez_view *view, bez_code_family family, bez_spots *spots,
                           bez_error *err) {
  bez_status st = BEZ_OK;
  unsigned workers = data->in->threads;
  bez_watch watch = bez_detect_watch(data->in, "image-patch", "rows of places");
  if (!spots->n) return BEZ_OK;
  qsort(spots->list, spots->n, sizeof *spots->list, by_code);
  ring_work w = {.data = data, .view = view, .family = family, .spots = spots};
  w.sieve = calloc((1u << SIEVE_BITS) / 64, sizeof *w.sieve);
  w.most = calloc(workers * spots->n, sizeof *w.most);
  if (!w.sieve || !w.most) {
    st = bez_fail_memory(err, workers * spots->n * sizeof *w.most);
    goto cleanup;
  }
  for (size_t s = 0; s < spots->n; s++) {
    uint32_t bit = sieve_at(spots->list[s].code);
    w.sieve[bit / 64] |= 1ull << (bit % 64);
  }
  BEZ_TRY(bez_parallel_watched(view->images.height - BEZ_WINDOW + 1, workers, &watch, ring_row, &w, err));
  for (size_t s = 0; s < spots->n; s++) {
    bez_spot *spot = &spots->list[s];
    for (unsigned k = 0; k < workers; k++)
      if (w.most[k * spots->n + s] > spot->ring) spot->ring = w.most[k * spots->n + s];
    spot->ratio = (double)spot->top_rows / (2.0 + spot->ring);
  }
  qsort(spots->list, spots->n, sizeof *spots->list, by_weight);
cleanup:
  free(w.sieve);
  free(w.most);
  return st;
}
