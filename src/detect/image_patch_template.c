/* The template of a spot: from the rows that share a code to the median picture of what they share, its extent, and
 * all rows that match it within the noise. Codes nominate; the template decides. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/threads.h"
#include "detect/image_patch.h"

#define LEAST_SPREAD 2.0f
#define MOST_SPREAD 24.0f
#define BIT_BY_BIT 0.2f  /* least spread where nothing but the very same values match: each other one is clipped */
#define CLIP 25.0f       /* squared spreads that one sample counts at most: a few spoilt ones do not spoil the match */
#define MATCH 4.0f       /* mean squared spreads of a match */
#define WIDE 9.0f        /* of rows that are listed where nothing else comes so near */
#define FAR 16.0f        /* objects match ever more rows with the distance; noise leaves a gap */
#define ROUNDS 3u        /* of matching and taking medians again */
#define SAMPLE 1000u     /* rows that medians are taken over */
#define LEAST_OTHERS 20u /* rows of the label, to say what the label shows */
#define NEARLY_ALL 0.85f /* of the matching rows */
#define NEARLY_ALL_SPREADS 1.4395f /* standard deviations that so many keep to */
#define LARGEST_LEAP 7u            /* pixels of a grown side that a core may be kept instead of */
#define TILE 512u

/* Rows that medians are taken over, and where. */
typedef struct medians {
  const bez_images *im;
  const uint32_t *rows;
  uint32_t n;
} medians;

/* wide (may be NULL): the spread that NEARLY_ALL rows keep to, on the scale of the other. */
static void median_and_spread(const uint32_t histogram[256], uint32_t n, uint8_t *median, float *spread, float *wide) {
  uint32_t deviation[256] = {0}, sum = 0, m = 0, d = 0;
  while (sum + histogram[m] <= (n - 1) / 2) sum += histogram[m++];
  for (uint32_t v = 0; v < 256; v++) deviation[v > m ? v - m : m - v] += histogram[v];
  for (sum = 0; sum + deviation[d] <= (n - 1) / 2; d++) sum += deviation[d];
  *median = (uint8_t)m;
  *spread = 1.4826f * (float)d;
  if (!wide) return;
  for (d = 0, sum = 0; sum + deviation[d] <= (n - 1) * NEARLY_ALL; d++) sum += deviation[d];
  *wide = (float)d / NEARLY_ALL_SPREADS;
}

/* Median and spread (scaled median absolute deviation) of each sample of a box. */
static void box_medians(const medians *m, const bez_template *box, uint8_t *median, float *spread, float *wide) {
  size_t stride = (size_t)m->im->width * box->channels, line = (size_t)box->width * box->channels;
  uint32_t step = m->n / SAMPLE + 1;
  for (uint32_t y = 0; y < box->height; y++)
    for (size_t k = 0; k < line; k++) {
      uint32_t histogram[256] = {0}, n = 0;
      size_t at = (box->y + y) * stride + (size_t)box->x * box->channels + k;
      for (uint32_t i = 0; i < m->n; i += step, n++) histogram[bez_image(m->im, m->rows[i])[at]]++;
      median_and_spread(histogram, n, &median[y * line + k], &spread[y * line + k], wide ? &wide[y * line + k] : NULL);
    }
}

static float pixel_mean(const float *values, uint32_t channels) {
  float sum = 0;
  for (uint32_t k = 0; k < channels; k++) sum += values[k];
  return sum / (float)channels;
}

/* Mean squared deviation in spreads of a picture, the box moved by (dy, dx); stops early beyond `farthest`. */
static float deviation(const bez_template *t, const bez_images *im, const uint8_t *picture, int dy, int dx,
                       float farthest) {
  size_t stride = (size_t)im->width * t->channels, at = 0;
  float sum = 0, most = farthest * (float)(t->n_pixels * t->channels);
  const uint8_t *row = picture + (size_t)((int)t->y + dy) * stride + (size_t)((int)t->x + dx) * t->channels;
  for (uint32_t y = 0; y < t->height && sum <= most; y++, row += stride)
    for (uint32_t x = 0; x < t->width; x++)
      for (uint32_t k = 0; k < t->channels; k++, at++) {
        if (!t->mask[y * t->width + x]) continue;
        float z = ((float)row[x * t->channels + k] - (float)t->value[at]) * t->weight[at];
        sum += z * z < CLIP ? z * z : CLIP;
      }
  return sum / (float)(t->n_pixels * t->channels);
}

/* ---- matching ---- */

typedef struct matching {
  const bez_patch_data *data;
  const bez_images *im;
  const bez_template *t;
  float *deviation; /* per row */
  float least;      /* spread of a sample */
  int dy, dx;
  bool around; /* beside the place: only clear matches of the label count there */
} matching;

static bez_status match_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  (void)err;
  const matching *m = ctx;
  uint32_t n = m->data->n_rows, first = (uint32_t)tile * TILE, end = n - first < TILE ? n : first + TILE;
  for (uint32_t i = first; i < end; i++) {
    if (m->around && m->data->label[i] != m->t->label)
      m->deviation[i] = FLT_MAX;
    else
      m->deviation[i] = deviation(m->t, m->im, bez_image(m->im, i), m->dy, m->dx, m->around ? MATCH : FAR);
  }
  return BEZ_OK;
}

static bez_status match_all(const matching *m, bez_error *err) {
  bez_watch watch = bez_detect_watch(m->data->in, "image-patch", "tiles");
  return bez_parallel_watched((m->data->n_rows + TILE - 1) / TILE, m->data->in->threads, &watch, match_tile, (void *)m,
                              err);
}

static void matched_rows(const matching *m, bez_template *t) {
  t->n_match = t->n_all = 0;
  for (uint32_t i = 0; i < m->data->n_rows; i++) {
    if (m->deviation[i] > MATCH) continue;
    t->n_all++;
    if (m->data->label[i] != t->label) continue;
    t->rows[t->n_match] = i;
    t->distance[t->n_match++] = sqrtf(m->deviation[i]);
  }
}

/* ---- from a code to a core ---- */

static bez_status spot_rows(const bez_patch_data *data, const bez_view *view, const bez_spot *spot, bez_template *t,
                            bez_error *err) {
  const bez_images *im = &view->images;
  uint32_t *line = calloc(im->width, sizeof *line);
  if (!line) return bez_fail_memory(err, im->width * sizeof *line);
  t->n_match = 0;
  for (uint32_t i = 0; i < data->n_rows; i++) {
    if (data->label[i] != spot->label) continue;
    bez_codes_row(spot->family, im, bez_image(im, i), spot->y, line);
    if (line[spot->x] == spot->code) t->rows[t->n_match++] = i;
  }
  free(line);
  return BEZ_OK;
}

/* Takes medians over the matching rows again; noise may widen the spreads, within limits. */
static void refit(const matching *m, bez_template *t) {
  size_t n = (size_t)t->height * t->width * t->channels;
  box_medians(&(medians){m->im, t->rows, t->n_match}, t, t->value, t->weight, NULL);
  for (size_t i = 0; i < n; i++) t->weight[i] = 1.0f / fminf(fmaxf(t->weight[i], m->least), MOST_SPREAD);
}

/* Whether at least half of the rows show the very median at each sample. */
static bool agrees_exactly(const matching *m, const bez_template *t) {
  float spread[BEZ_WINDOW * BEZ_WINDOW * 3] = {0};
  uint8_t value[BEZ_WINDOW * BEZ_WINDOW * 3];
  box_medians(&(medians){m->im, t->rows, t->n_match}, t, value, spread, NULL);
  for (size_t i = 0; i < (size_t)t->height * t->width * t->channels; i++)
    if (spread[i] > 0) return false;
  return true;
}

static bez_status fit_core(matching *m, bez_template *t, bez_error *err) {
  bez_status st = BEZ_OK;
  memset(t->mask, BEZ_MASK_PATCH, (size_t)t->height * t->width);
  t->n_pixels = t->height * t->width;
  for (uint32_t round = 0; round < ROUNDS && t->n_match && st == BEZ_OK; round++) {
    refit(m, t);
    st = match_all(m, err);
    if (st == BEZ_OK) matched_rows(m, t);
  }
  return st;
}

/* ---- how far it reaches ---- */

typedef struct field {
  bez_template box; /* the surroundings of the core */
  uint8_t *value, *other, *mark;
  float *spread, *wide, *other_spread;
  bool core_only;
} field;

/* A pixel belongs to the patch where nearly all matching rows agree (half of them may stand on white paper) and the
 * others either do not, or on something else. */
static bez_mask judge_pixel(const field *f, size_t pixel, float core) {
  uint32_t c = f->box.channels;
  float own = pixel_mean(f->wide + pixel * c, c), others = pixel_mean(f->other_spread + pixel * c, c), step = 0;
  for (uint32_t k = 0; k < c; k++) step += fabsf((float)f->value[pixel * c + k] - (float)f->other[pixel * c + k]);
  step /= (float)c;
  if (own > fmaxf(3.0f, 2.5f * core)) return BEZ_MASK_OUT;
  if ((others >= 8 && own <= 0.35f * others) || (step >= 24 && step >= 2 * others + 3 * own)) return BEZ_MASK_PATCH;
  return BEZ_MASK_SEAM;
}

/* Marks what hangs together with the core, by repeated sweeps; then its seam, one pixel wide. */
static void spread_mask(field *f, const bez_template *core) {
  uint32_t h = f->box.height, w = f->box.width;
  uint32_t cy = core->y - f->box.y, cx = core->x - f->box.x;
  uint8_t *in = f->mark + (size_t)h * w; /* second half: what was reached */
  memset(in, 0, (size_t)h * w);
  for (uint32_t y = cy; y < cy + core->height; y++)
    for (uint32_t x = cx; x < cx + core->width; x++)
      if (f->mark[y * w + x] == BEZ_MASK_PATCH) in[y * w + x] = BEZ_MASK_PATCH;
  for (bool grown = !f->core_only; grown;) {
    grown = false;
    for (uint32_t i = 0, y = 0, x = 0; i < h * w; i++, x = x + 1 < w ? x + 1 : 0, y += !x) {
      if (in[i] || f->mark[i] != BEZ_MASK_PATCH) continue;
      if ((y && in[i - w]) || (y + 1 < h && in[i + w]) || (x && in[i - 1]) || (x + 1 < w && in[i + 1]))
        in[i] = BEZ_MASK_PATCH, grown = true;
    }
  }
  for (uint32_t i = 0, y = 0, x = 0; i < h * w; i++, x = x + 1 < w ? x + 1 : 0, y += !x) {
    bool near = y >= cy && y < cy + core->height && x >= cx && x < cx + core->width;
    for (int dy = -1; dy <= 1 && !near && !f->core_only; dy++)
      for (int dx = -1; dx <= 1 && !near; dx++) {
        int yy = (int)y + dy, xx = (int)x + dx;
        near =
            yy >= 0 && xx >= 0 && yy < (int)h && xx < (int)w && in[(uint32_t)yy * w + (uint32_t)xx] == BEZ_MASK_PATCH;
      }
    f->mark[i] = in[i] == BEZ_MASK_PATCH ? BEZ_MASK_PATCH : near && f->mark[i] == BEZ_MASK_SEAM ? BEZ_MASK_SEAM : 0;
  }
}

static bez_status field_make(const bez_images *im, const bez_template *core, field *f, bez_error *err) {
  uint32_t side = im->height < im->width ? im->height : im->width, reach = side / 4 > 3 ? side / 4 : 3;
  f->box = *core;
  f->box.y = core->y > reach ? core->y - reach : 0;
  f->box.x = core->x > reach ? core->x - reach : 0;
  uint32_t y1 = core->y + core->height + reach, x1 = core->x + core->width + reach;
  f->box.height = (y1 < im->height ? y1 : im->height) - f->box.y;
  f->box.width = (x1 < im->width ? x1 : im->width) - f->box.x;
  size_t pixels = (size_t)f->box.height * f->box.width, n = pixels * core->channels;
  f->value = malloc(n);
  f->other = malloc(n);
  f->mark = malloc(2 * pixels);
  f->spread = malloc(n * sizeof *f->spread);
  f->wide = malloc(n * sizeof *f->wide);
  f->other_spread = malloc(n * sizeof *f->other_spread);
  if (f->value && f->other && f->mark && f->spread && f->wide && f->other_spread) return BEZ_OK;
  return bez_fail_memory(err, n * 16);
}

static void field_free(field *f) {
  free(f->value);
  free(f->other);
  free(f->mark);
  free(f->spread);
  free(f->wide);
  free(f->other_spread);
}

/* Rows that do not match, evenly spread, at most SAMPLE; of the template's label only, or of any. */
static uint32_t other_rows(const matching *m, bool own_label, uint32_t *rows) {
  uint32_t n = 0, total = own_label ? m->data->count[m->t->label] : m->data->n_rows, step = total / SAMPLE + 1, met = 0;
  for (uint32_t i = 0; i < m->data->n_rows && n < SAMPLE; i++) {
    if (own_label && m->data->label[i] != m->t->label) continue;
    if (met++ % step == 0 && m->deviation[i] > MATCH) rows[n++] = i;
  }
  return n;
}

/* What the other rows show in the field: medians of all, and the smaller of the spreads of all and of those with the
 * label, so that what a label's pictures have in common is not taken for the patch. */
static bez_status look_at_others(const matching *m, field *f, uint32_t *n, bez_error *err) {
  size_t samples = (size_t)f->box.height * f->box.width * f->box.channels;
  uint32_t *rows = malloc(SAMPLE * sizeof *rows);
  uint8_t *value = malloc(samples);
  float *spread = malloc(samples * sizeof *spread);
  bez_status st = rows && value && spread ? BEZ_OK : bez_fail_memory(err, samples * sizeof *spread);
  if (st == BEZ_OK) {
    *n = other_rows(m, false, rows);
    if (*n) box_medians(&(medians){m->im, rows, *n}, &f->box, f->other, f->other_spread, NULL);
    uint32_t same = other_rows(m, true, rows);
    if (same >= LEAST_OTHERS) {
      box_medians(&(medians){m->im, rows, same}, &f->box, value, spread, NULL);
      for (size_t i = 0; i < samples; i++) f->other_spread[i] = fminf(f->other_spread[i], spread[i]);
    }
  }
  free(rows);
  free(value);
  free(spread);
  return st;
}

/* The smallest box around marks of at least this kind; false: none. */
static bool bounds(const field *f, bez_mask least, uint32_t *y, uint32_t *x, uint32_t *height, uint32_t *width) {
  uint32_t y0 = UINT32_MAX, x0 = UINT32_MAX, y1 = 0, x1 = 0;
  for (uint32_t i = 0; i < f->box.height * f->box.width; i++) {
    if (f->mark[i] < least) continue;
    uint32_t py = i / f->box.width, px = i % f->box.width;
    if (py < y0) y0 = py;
    if (px < x0) x0 = px;
    if (py >= y1) y1 = py + 1;
    if (px >= x1) x1 = px + 1;
  }
  if (y0 == UINT32_MAX) return false;
  *y = f->box.y + y0;
  *x = f->box.x + x0;
  *height = y1 - y0;
  *width = x1 - x0;
  return true;
}

/* Cuts the template's box out of the field. */
static bez_status adopt(const field *f, bez_template *t, bez_error *err) {
  if (!bounds(f, BEZ_MASK_SEAM, &t->y, &t->x, &t->height, &t->width) ||
      !bounds(f, BEZ_MASK_PATCH, &t->patch_y, &t->patch_x, &t->patch_height, &t->patch_width)) {
    t->n_match = 0;
    return BEZ_OK;
  }
  size_t pixels = (size_t)t->height * t->width;
  free(t->mask);
  free(t->value);
  free(t->weight);
  t->mask = malloc(pixels);
  t->value = malloc(pixels * t->channels);
  t->weight = malloc(pixels * t->channels * sizeof *t->weight);
  if (!t->mask || !t->value || !t->weight) return bez_fail_memory(err, pixels * t->channels * 5);
  t->n_pixels = t->n_patch = 0;
  for (size_t i = 0; i < pixels; i++) {
    t->mask[i] = f->mark[(t->y - f->box.y + i / t->width) * f->box.width + (t->x - f->box.x) + i % t->width];
    t->n_pixels += t->mask[i] != BEZ_MASK_OUT;
    t->n_patch += t->mask[i] == BEZ_MASK_PATCH;
  }
  return BEZ_OK;
}

/* How much the matching rows share two and three pixels beside the patch. 1 where the others show nothing there. */
static double surroundings(const field *f, const bez_template *t) {
  uint32_t c = f->box.channels;
  double own = 0, others = 0;
  for (uint32_t i = 0; i < f->box.height * f->box.width; i++) {
    uint32_t y = f->box.y + i / f->box.width, x = f->box.x + i % f->box.width;
    uint32_t dy = y < t->patch_y                      ? t->patch_y - y
                  : y >= t->patch_y + t->patch_height ? y - t->patch_y - t->patch_height + 1
                                                      : 0;
    uint32_t dx = x < t->patch_x                     ? t->patch_x - x
                  : x >= t->patch_x + t->patch_width ? x - t->patch_x - t->patch_width + 1
                                                     : 0;
    uint32_t d = dy > dx ? dy : dx;
    if (d != 2 && d != 3) continue;
    own += pixel_mean(f->spread + (size_t)i * c, c);
    others += pixel_mean(f->other_spread + (size_t)i * c, c);
  }
  return others > 0 ? own / others : 1;
}

static bez_status grow(const matching *m, bez_template *t, bool core_only, bez_error *err) {
  bez_status st = BEZ_OK;
  field f = {.core_only = core_only};
  uint32_t n = 0;
  float core = 0;
  for (size_t i = 0; i < (size_t)t->n_pixels * t->channels; i++) core += 1.0f / t->weight[i];
  core /= (float)(t->n_pixels * t->channels);
  BEZ_TRY(field_make(m->im, t, &f, err));
  box_medians(&(medians){m->im, t->rows, t->n_match}, &f.box, f.value, f.spread, f.wide);
  BEZ_TRY(look_at_others(m, &f, &n, err));
  for (size_t i = 0; i < (size_t)f.box.height * f.box.width; i++)
    f.mark[i] = n ? (uint8_t)judge_pixel(&f, i, core) : BEZ_MASK_OUT;
  spread_mask(&f, t);
  BEZ_TRY(adopt(&f, t, err));
  if (t->n_match) {
    t->around = surroundings(&f, t);
    refit(m, t);
  }
cleanup:
  field_free(&f);
  return st;
}

/* ---- what it is worth ---- */

static float edge_of(const matching *m, uint32_t row) {
  const bez_template *t = m->t;
  return bez_edge_share(m->im, bez_image(m->im, row), t->patch_y + (uint32_t)m->dy, t->patch_x + (uint32_t)m->dx,
                        t->patch_height, t->patch_width);
}

/* The most rows of the label that match anywhere 4 … 6 pixels away. */
static bez_status count_ring(matching *m, bez_template *t, bez_error *err) {
  static const int step[8][2] = {{-1, -1}, {-1, 0}, {-1, 1}, {0, -1}, {0, 1}, {1, -1}, {1, 0}, {1, 1}};
  t->ring = 0;
  m->around = true;
  for (int i = 0; i < 24; i++) {
    m->dy = step[i / 3][0] * (4 + i % 3);
    m->dx = step[i / 3][1] * (4 + i % 3);
    if ((int)t->y + m->dy < 0 || (int)t->x + m->dx < 0 || (int)(t->y + t->height) + m->dy > (int)m->im->height ||
        (int)(t->x + t->width) + m->dx > (int)m->im->width)
      continue;
    bez_status st = match_all(m, err);
    if (st != BEZ_OK) return st;
    uint32_t n = 0;
    for (uint32_t r = 0; r < m->data->n_rows; r++)
      n += m->deviation[r] <= MATCH && m->data->label[r] == t->label && edge_of(m, r) >= BEZ_EDGE;
    if (n > t->ring) t->ring = n;
  }
  m->dy = m->dx = 0;
  m->around = false;
  return BEZ_OK;
}

static bez_status count_groups(const bez_patch_data *data, bez_template *t, bez_error *err) {
  uint8_t *seen = calloc((size_t)data->tracks->n_groups + 1, 1);
  if (!seen) return bez_fail_memory(err, data->tracks->n_groups);
  t->groups = 0;
  for (uint32_t i = 0; i < t->n_match; i++) {
    uint8_t *s = &seen[data->tracks->group[t->rows[i]]];
    t->groups += !*s;
    *s = 1;
  }
  free(seen);
  return BEZ_OK;
}

/* Rows by how well they match: [0] clearly and with an edge, [1] wider, with an edge, [2] clearly, with part of an
 * edge, [3] clearly, without an edge, [4] hardly, with an edge. Those of the first kind are the evidence; [1] to [3]
 * are listed where few rows of other labels are like them. */
#define KINDS 5u
static unsigned kind_of(const matching *m, uint32_t row) {
  if (m->deviation[row] > FAR) return KINDS;
  float edge = edge_of(m, row);
  if (m->deviation[row] > MATCH) return edge < BEZ_EDGE ? KINDS : m->deviation[row] > WIDE ? 4 : 1;
  return edge >= BEZ_EDGE ? 0 : edge >= BEZ_EDGE / 2 ? 2 : 3;
}

static void take_rows(const matching *m, bez_template *t, uint32_t count[KINDS][2]) {
  const bez_patch_data *d = m->data;
  double share = (double)d->count[t->label] / (double)(d->n_rows - d->count[t->label] + 1);
  bool listed[KINDS + 1] = {true};
  for (unsigned k = 1; k <= 3; k++) listed[k] = count[k][1] * share * 5 <= count[k][0];
  t->n_rows = 0;
  for (uint32_t i = 0; i < d->n_rows; i++) {
    if (d->label[i] != t->label || !listed[kind_of(m, i)]) continue;
    t->rows[t->n_rows] = i;
    t->distance[t->n_rows++] = sqrtf(m->deviation[i]);
  }
}

static bez_status weigh(matching *m, bez_template *t, bez_error *err) {
  uint32_t count[KINDS][2] = {{0}};
  const bez_patch_data *d = m->data;
  bez_status st = match_all(m, err);
  if (st != BEZ_OK) return st;
  t->n_match = 0;
  for (uint32_t i = 0; i < d->n_rows; i++) {
    unsigned kind = kind_of(m, i);
    if (kind == KINDS) continue;
    count[kind][d->label[i] != t->label]++;
    if (kind == 0 && d->label[i] == t->label) t->rows[t->n_match++] = i;
  }
  t->n_all = count[0][0] + count[0][1];
  t->n_wide = count[1][0];
  t->n_far = count[4][0];
  if (!t->n_match) return BEZ_OK;
  t->purity = (double)t->n_match / t->n_all;
  st = count_groups(d, t, err);
  take_rows(m, t, count);
  if (st != BEZ_OK) return st;
  t->evidence = bez_patch_evidence(t->n_match, t->n_all, (double)d->count[t->label] / d->n_rows, t->groups);
  st = count_ring(m, t, err);
  t->ratio = t->n_match / (2.0 + t->ring);
  return st;
}

void bez_template_free(bez_template *t) {
  free(t->mask);
  free(t->value);
  free(t->weight);
  free(t->rows);
  free(t->distance);
  *t = (bez_template){0};
}

typedef struct fit_manner {
  bool core_only, bit_by_bit;
} fit_manner;

static bez_status fit(const bez_patch_data *data, const bez_view *view, const bez_spot *spot, fit_manner how,
                      bez_template *out, uint32_t *core_match, bez_error *err) {
  bez_status st = BEZ_OK;
  uint32_t c = view->images.channels, most = data->count[spot->label] + 1;
  *out = (bez_template){.y = spot->y, .x = spot->x, .height = BEZ_WINDOW, .width = BEZ_WINDOW, .channels = c};
  out->label = spot->label;
  matching m = {.data = data, .im = &view->images, .t = out, .least = how.bit_by_bit ? BIT_BY_BIT : LEAST_SPREAD};
  m.deviation = malloc(((size_t)data->n_rows + 1) * sizeof *m.deviation);
  out->mask = malloc(BEZ_WINDOW * BEZ_WINDOW);
  out->value = malloc(BEZ_WINDOW * BEZ_WINDOW * c);
  out->weight = calloc((size_t)BEZ_WINDOW * BEZ_WINDOW * c, sizeof *out->weight);
  out->rows = malloc(most * sizeof *out->rows);
  out->distance = malloc(most * sizeof *out->distance);
  if (!m.deviation || !out->mask || !out->value || !out->weight || !out->rows || !out->distance) {
    st = bez_fail_memory(err, data->n_rows * sizeof *m.deviation);
    goto cleanup;
  }
  BEZ_TRY(spot_rows(data, view, spot, out, err));
  out->exact = out->n_match && agrees_exactly(&m, out);
  BEZ_TRY(fit_core(&m, out, err));
  *core_match = out->n_match;
  if (out->n_match) BEZ_TRY(grow(&m, out, how.core_only, err));
  if (out->n_match) BEZ_TRY(weigh(&m, out, err));
cleanup:
  free(m.deviation);
  if (st != BEZ_OK) bez_template_free(out);
  return st;
}

bez_status bez_template_fit(const bez_patch_data *data, const bez_view *view, const bez_spot *spot, bool bit_by_bit,
                            bez_template *out, bez_error *err) {
  uint32_t core = 0, most = LARGEST_LEAP;
  fit_manner how = {.bit_by_bit = bit_by_bit};
  bez_status st = fit(data, view, spot, how, out, &core, err);
  /* JPEG smears a patch over its neighbours, each picture's in its own way: where a small step beyond the core loses
   * the rows, the core alone is what they share. */
  if (st != BEZ_OK || 10 * out->n_match >= 6 * core || out->patch_height > most || out->patch_width > most) return st;
  bez_template_free(out);
  how.core_only = true;
  return fit(data, view, spot, how, out, &core, err);
}
