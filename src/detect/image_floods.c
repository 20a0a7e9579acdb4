/* BZ-D015, floods of pictures: many near copies of one picture, shifted, lighter, noisier or mirrored. Tracks
 * (fit/tracks.h) say which pictures are near each other at all; frames of a film and digits of one hand are, too.
 * Copies are nearer: laid over each other as well as they fit, they correlate by .99 pixel by pixel. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "detect/cells.h"
#include "detect/picture_show.h"
#include "detect/shared.h"

#define SIDE 32u         /* most pixels of a side, after pooling */
#define REACH 2u         /* pixels that pictures are moved against each other */
#define COPIES 6u        /* pictures of a flood, its centre with them, at least */
#define CENTRES 12u      /* pictures of a track that are tried as a centre */
#define TRACK_ROWS 2048u /* pictures of a track that are looked at */
#define COPY 0.99        /* correlation of copies; clean data has 2 such pictures in a track at most */
#define MEMBER 0.98      /* of further rows, once a flood stands */
#define CROPS 4u         /* views of the centre: 0, 1/16, 3/32, 1/8 of the sides cut off */
#define CROPPED 0.97     /* correlation with a cropped view */
#define NEAR_THUMB 0.85  /* cosine of thumbs from which pictures are laid over each other */
#define NEAR_STILL 0.7   /* correlation unmoved from which they are moved */
#define FLOODS 20u       /* shown */

typedef struct work {
  const bez_detect_input *in;
  const bez_images *images;
  const bez_tracks *tracks;
  uint32_t factor, height, width; /* after pooling */
  uint32_t *row, *start;          /* rows by track; start: n_groups + 1 */
  uint32_t *star, *centre;        /* per track: copies found, and of which row */
} work;

/* ---- one picture over another ---- */

/* Pooled luma, mirrored where asked. */
static void load(const work *w, uint32_t row, bool mirror, float *out) {
  const bez_images *im = w->images;
  const uint8_t *picture = bez_image(im, row);
  for (uint32_t y = 0; y < w->height; y++)
    for (uint32_t x = 0; x < w->width; x++) {
      uint32_t sum = 0, from = mirror ? w->width - 1 - x : x;
      for (uint32_t k = 0; k < w->factor * w->factor; k++) {
        const uint8_t *p =
            picture +
            ((size_t)(y * w->factor + k / w->factor) * im->width + from * w->factor + k % w->factor) * im->channels;
        sum += im->channels == 1 ? 1000u * p[0] : 299u * p[0] + 587u * p[1] + 114u * p[2];
      }
      out[y * w->width + x] = (float)sum / (1000.0f * (float)(w->factor * w->factor));
    }
}

/* Correlation of b's inner part with a moved by (dy, dx). */
static double correlation(const work *w, const float *a, const float *b, int dy, int dx) {
  double sa = 0, sb = 0, saa = 0, sbb = 0, sab = 0;
  uint32_t reach_y = w->height > 4 * REACH ? REACH : 0, reach_x = w->width > 4 * REACH ? REACH : 0, n = 0;
  if ((uint32_t)abs(dy) > reach_y || (uint32_t)abs(dx) > reach_x) return -1;
  for (uint32_t y = reach_y; y < w->height - reach_y; y++)
    for (uint32_t x = reach_x; x < w->width - reach_x; x++, n++) {
      double p = (double)a[(uint32_t)((int)y + dy) * w->width + (uint32_t)((int)x + dx)],
             q = (double)b[y * w->width + x];
      sa += p, sb += q, saa += p * p, sbb += q * q, sab += p * q;
    }
  double va = saa - sa * sa / n, vb = sbb - sb * sb / n;
  return va > n && vb > n ? (sab - sa * sb / n) / sqrt(va * vb) : -1; /* a level of contrast at least */
}

static double best_correlation(const work *w, const float *a, const float *b) {
  double best = correlation(w, a, b, 0, 0);
  if (best < NEAR_STILL) return best;
  for (int dy = -(int)REACH; dy <= (int)REACH && best < COPY; dy++)
    for (int dx = -(int)REACH; dx <= (int)REACH && best < COPY; dx++) {
      double r = correlation(w, a, b, dy, dx);
      if (r > best) best = r;
    }
  return best;
}

/* ---- floods ---- */

static bez_status sort_rows(work *w, bez_error *err) {
  const bez_tracks *t = w->tracks;
  w->row = malloc(((size_t)t->n_rows + 1) * sizeof *w->row);
  w->start = calloc((size_t)t->n_groups + 2, sizeof *w->start);
  w->star = calloc((size_t)t->n_groups + 1, sizeof *w->star);
  w->centre = calloc((size_t)t->n_groups + 1, sizeof *w->centre);
  if (!w->row || !w->start || !w->star || !w->centre) return bez_fail_memory(err, (size_t)t->n_rows * sizeof *w->row);
  for (uint32_t g = 0; g < t->n_groups; g++) w->start[g + 2] = w->start[g + 1] + t->size[g];
  for (uint32_t i = 0; i < t->n_rows; i++) w->row[w->start[t->group[i] + 1]++] = i;
  return BEZ_OK;
}

/* The centre with the most copies in a track. */
static bez_status track_tile(void *ctx, uint64_t group, unsigned worker, bez_error *err) {
  (void)worker;
  work *w = ctx;
  uint32_t size = w->tracks->size[group], n = size < TRACK_ROWS ? size : TRACK_ROWS, pixels = w->height * w->width;
  const uint32_t *rows = w->row + w->start[group];
  if (size < COPIES) return BEZ_OK;
  float *picture = calloc((size_t)n * pixels, sizeof *picture);
  if (!picture) return bez_fail_memory(err, (size_t)n * pixels * sizeof *picture);
  for (uint32_t i = 0; i < n; i++) load(w, rows[(uint64_t)i * size / n], false, picture + (size_t)i * pixels);
  uint32_t centres = n < CENTRES ? n : CENTRES;
  for (uint32_t c = 0; c < centres; c++) {
    uint32_t at = (uint32_t)((uint64_t)c * n / centres), copies = 0;
    for (uint32_t i = 0; i < n; i++)
      copies += best_correlation(w, picture + (size_t)at * pixels, picture + (size_t)i * pixels) >= COPY;
    if (copies > w->star[group]) w->star[group] = copies, w->centre[group] = rows[(uint64_t)at * size / n];
  }
  free(picture);
  return BEZ_OK;
}

/* Cosine of a's thumb with b's mirrored one. */
static double mirrored_cosine(const bez_tracks *t, uint32_t a, uint32_t b) {
  const int16_t *x = t->thumb + (size_t)a * BEZ_TRACKS_DIM, *y = t->thumb + (size_t)b * BEZ_TRACKS_DIM;
  int32_t sum = 0;
  for (uint32_t d = 0; d < t->dim; d++)
    sum += (int32_t)x[d] * y[d / t->side_x * t->side_x + t->side_x - 1 - d % t->side_x];
  return (double)sum / ((double)BEZ_TRACKS_UNIT * BEZ_TRACKS_UNIT);
}

typedef struct members {
  const work *w;
  uint32_t centre;
  const float *picture; /* CROPS views of the centre, the first uncropped */
  uint8_t *in;          /* per row */
} members;

/* The middle of a picture, a part cut off all around, drawn out again bilinearly. */
static void crop(const work *w, const float *from, double cut, float *out) {
  for (uint32_t y = 0; y < w->height; y++)
    for (uint32_t x = 0; x < w->width; x++) {
      double py = y * (1 - cut) + cut * (w->height - 1) / 2, px = x * (1 - cut) + cut * (w->width - 1) / 2;
      uint32_t y0 = (uint32_t)py, x0 = (uint32_t)px, y1 = y0 + 1 < w->height ? y0 + 1 : y0,
               x1 = x0 + 1 < w->width ? x0 + 1 : x0;
      float fy = (float)(py - y0), fx = (float)(px - x0);
      out[y * w->width + x] = (1 - fy) * ((1 - fx) * from[y0 * w->width + x0] + fx * from[y0 * w->width + x1]) +
                              fy * ((1 - fx) * from[y1 * w->width + x0] + fx * from[y1 * w->width + x1]);
    }
}

static bool is_member(const members *m, const float *other) {
  size_t pixels = (size_t)m->w->height * m->w->width;
  for (uint32_t k = 0; k < CROPS; k++)
    if (best_correlation(m->w, m->picture + k * pixels, other) >= (k ? CROPPED : MEMBER)) return true;
  return false;
}

#define TILE 1024u
static bez_status member_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  const members *m = ctx;
  const work *w = m->w;
  uint32_t n = w->tracks->n_rows, first = (uint32_t)tile * TILE, end = n - first < TILE ? n : first + TILE;
  float *other = calloc((size_t)w->height * w->width, sizeof *other);
  if (!other) return bez_fail_memory(err, (size_t)w->height * w->width * sizeof *other);
  for (uint32_t i = first; i < end; i++) {
    bool straight = bez_tracks_cosine(w->tracks, m->centre, i) >= NEAR_THUMB;
    bool mirrored = mirrored_cosine(w->tracks, m->centre, i) >= NEAR_THUMB;
    if (straight) load(w, i, false, other);
    if (straight) m->in[i] = is_member(m, other);
    if (mirrored && !m->in[i]) load(w, i, true, other);
    if (mirrored && !m->in[i]) m->in[i] = is_member(m, other);
  }
  free(other);
  return BEZ_OK;
}

/* ---- report ---- */

static bez_status emit(const work *w, bez_report *report, const uint8_t *in, uint32_t centre, bez_error *err) {
  bez_status st = BEZ_OK;
  uint32_t n = 0, *rows = malloc(((size_t)w->tracks->n_rows + 1) * sizeof *rows);
  bez_row_hit *hits = calloc((size_t)w->tracks->n_rows + 1, sizeof *hits);
  if (!rows || !hits) {
    st = bez_fail_memory(err, (size_t)w->tracks->n_rows * sizeof *hits);
    goto cleanup;
  }
  for (uint32_t i = 0; i < w->tracks->n_rows; i++) {
    if (!in[i]) continue;
    hits[n] = (bez_row_hit){.row = bez_global_row(w->in->table, i),
                            .score = bez_tracks_cosine(w->tracks, centre, i),
                            .q = NAN,
                            .label = bez_cells_label(report, w->in, i)};
    rows[n++] = i;
  }
  bez_finding *f = bez_report_add(report, &bez_detector_image_floods.rule, BEZ_SEV_WARNING);
  if (f) f->score = n;
  bez_finding_title(report, f, "%u near copies of one picture", n);
  bez_finding_subject(report, f, "near copies of one picture", hits[0].label); /* no count: it makes the fingerprint */
  bez_finding_number(report, f, "copies", n);
  for (uint32_t i = 1; i < n && i <= BEZ_PICTURES_SHOWN; i++)
    bez_show_pair(report, f, w->in,
                  rows[(uint64_t)i * (n - 1) / (n <= BEZ_PICTURES_SHOWN ? n - 1 : BEZ_PICTURES_SHOWN)], "a near copy",
                  NULL, centre, "the picture they are copies of, or one of them");
  bez_finding_rows(report, f, hits, n);
cleanup:
  free(rows);
  free(hits);
  return st;
}

/* Floods, those with the most copies first; a picture belongs to one. */
static bez_status emit_floods(const work *w, bez_report *report, bez_error *err) {
  bez_status st = BEZ_OK;
  uint32_t n = w->tracks->n_rows;
  uint8_t *in = malloc((size_t)n + 1), *done = calloc((size_t)w->tracks->n_groups + 1, 1);
  size_t pixels = (size_t)w->height * w->width;
  float *picture = calloc(CROPS * pixels, sizeof *picture);
  if (!in || !done || !picture) {
    st = bez_fail_memory(err, n);
    goto cleanup;
  }
  for (uint32_t k = 0; k < FLOODS; k++) {
    uint32_t best = UINT32_MAX;
    for (uint32_t g = 0; g < w->tracks->n_groups; g++)
      if (!done[g] && w->star[g] >= COPIES && (best == UINT32_MAX || w->star[g] > w->star[best])) best = g;
    if (best == UINT32_MAX) break;
    memset(in, 0, n);
    load(w, w->centre[best], false, picture);
    for (uint32_t c = 1; c < CROPS; c++) crop(w, picture, (c + 1) / 32.0, picture + c * pixels);
    members m = {w, w->centre[best], picture, in};
    BEZ_TRY(bez_parallel((n + TILE - 1) / TILE, w->in->threads, member_tile, &m, err));
    done[best] = 1;
    for (uint32_t i = 0; i < n; i++)
      if (in[i] && w->tracks->group[i] != best && in[w->centre[w->tracks->group[i]]]) done[w->tracks->group[i]] = 1;
    BEZ_TRY(emit(w, report, in, w->centre[best], err));
  }
cleanup:
  free(in);
  free(done);
  free(picture);
  return st;
}

static void emit_tracks(const work *w, bez_report *report) {
  uint32_t groups = 0, rows = 0, largest = 0;
  for (uint32_t g = 0; g < w->tracks->n_groups; g++) {
    groups += w->tracks->size[g] > 1;
    rows += w->tracks->size[g] > 1 ? w->tracks->size[g] : 0;
    if (w->tracks->size[g] > largest) largest = w->tracks->size[g];
  }
  if (groups == 0) return;
  bez_finding *f = bez_report_add(report, &bez_detector_image_floods.rule, BEZ_SEV_NOTE);
  if (f) f->score = (double)rows / w->tracks->n_rows;
  bez_finding_title(report, f, "%u pictures form %u groups of near-duplicates; the largest has %u", rows, groups,
                    largest);
  bez_finding_subject(report, f, "near-duplicates", NULL);
  bez_finding_remedy(report, f,
                     "Frames of one film, or pictures that are alike by nature: keep each group on one side "
                     "of a split into training and test data.");
  bez_finding_number(report, f, "pictures", rows);
  bez_finding_number(report, f, "groups", groups);
  bez_finding_number(report, f, "largest group", largest);
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  const bez_images *im = in->table->images;
  work w = {.in = in, .images = im};
  bez_status st;
  if (in->table->n_rows == 0) return bez_report_status(report, err);
  uint32_t longer = im->height > im->width ? im->height : im->width;
  w.factor = (longer + SIDE - 1) / SIDE;
  if (w.factor > im->height) w.factor = im->height;
  if (w.factor > im->width) w.factor = im->width;
  w.height = im->height / w.factor;
  w.width = im->width / w.factor;
  BEZ_TRY(bez_shared_tracks(in, &w.tracks, err));
  BEZ_TRY(sort_rows(&w, err));
  bez_watch watch = bez_detect_watch(in, "floods of pictures", "groups");
  BEZ_TRY(bez_parallel_watched(w.tracks->n_groups, in->threads, &watch, track_tile, &w, err));
  BEZ_TRY(emit_floods(&w, report, err));
  emit_tracks(&w, report);
  st = bez_report_status(report, err);
cleanup:
  free(w.row);
  free(w.start);
  free(w.star);
  free(w.centre);
  return st;
}

const bez_detector bez_detector_image_floods = {
    .rule = {.id = "BZ-D015",
             .name = "image-floods",
             .title = "Floods of pictures",
             .summary = "Six or more near copies of one picture (shifted, lighter, noisier, mirrored), and a note on "
                        "groups of near-duplicates.",
             .remedy = "Keep one of the copies. Copies weigh their label many times; where their labels differ, one of "
                       "them is wrong.",
             .taxonomy = "ATLAS:AML.T0020 NIST:NISTAML.013 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_IMAGES,
    .null_hypothesis = "Pictures that are alike differ in more than place, light and noise.",
    .calibration = "Clean GTSRB-8 (frames of films) and MNIST: two pictures of a track at most correlate by .99; see "
                   "docs/detect/image-floods.md.",
    .cost = "The groups of near-duplicates; then O(pictures in groups x 12 x 25 x 1,024) at most",
    .source = "Bezoar, docs/detect/image-floods.md",
    .run = run,
};
