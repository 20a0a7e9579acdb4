/* BZ-D011, image-patch-moving: the same small patch in many pictures of one label, at a place of its own in each.
 * Windows that recur bit by bit and wander are grown to the patch; then every picture is searched for it. What the
 * patch stands against says how sure a match is: a square with an edge all around is rarer than one inside an area of
 * its colour. */
#include "detect/image_patch_moving.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/threads.h"
#include "detect/cells.h"

#define MOST_TRIED 24u
#define MOST_PATCHES 8u
#define MOST_SIDE 40u /* of a patch that is grown; shares of the picture's side bound it, too */
#define TILE 128u
#define EDGES 8u /* kinds of matches, by the share of their outline that is an edge */
static const float edge_at[EDGES] = {0.9f, 0.8f, 0.7f, 0.65f, 0.55f, 0.4f, 0.2f, 0.0f};
#define COINCIDENCE 0.1     /* of the listed rows may be coincidences */
#define COINCIDENCES 0.0004 /* of all rows */

typedef struct wanderer {
  const bez_patch_data *data;
  uint32_t label, height, width, window_y, window_x; /* where the window lies in the patch */
  uint8_t *pixels;                                   /* height × width × channels */
  uint8_t *kind;                                     /* per row: best kind of match, EDGES: none */
  uint16_t *y, *x;                                   /* per row: where */
  uint32_t count[EDGES][2];                          /* rows with the label, others */
  bool listed[EDGES];
  uint32_t n, groups; /* listed rows with the label, tracks among them */
  double purity, evidence;
} wanderer;

/* ---- growing ---- */

/* The value that most pictures show at an offset from their window, where at least four in five of them agree. */
static bool agreed(const bez_patch_data *data, const bez_sighting *s, const bez_recurrence *r, int dy, int dx,
                   uint8_t out[3]) {
  const bez_images *im = data->in->table->images;
  uint32_t inside = 0;
  for (uint32_t k = 0; k < im->channels; k++) {
    uint32_t histogram[256] = {0}, best = 0;
    inside = 0;
    for (uint32_t i = 0; i < r->n; i++) {
      int y = s[i].y + dy, x = s[i].x + dx;
      if (y < 0 || x < 0 || y >= (int)im->height || x >= (int)im->width) continue;
      inside++;
      histogram[bez_image(im, s[i].row)[((size_t)y * im->width + (size_t)x) * im->channels + k]]++;
    }
    for (uint32_t v = 1; v < 256; v++)
      if (histogram[v] > histogram[best]) best = v;
    if (!inside || histogram[best] * 5 < inside * 4) return false;
    out[k] = (uint8_t)best;
  }
  return inside * 2 >= r->n;
}

/* Whether a value is what pictures show anyway: half of all their pixels and more. */
static bool is_background(const bez_patch_data *data, const uint8_t *value) {
  const bez_images *im = data->in->table->images;
  uint64_t n = 0, same = 0, step = im->n / 500 + 1;
  for (uint64_t row = 0; row < im->n; row += step) {
    const uint8_t *p = bez_image(im, row);
    for (uint64_t i = 0; i < (uint64_t)im->height * im->width; i++, n++)
      same += memcmp(p + i * im->channels, value, im->channels) == 0;
  }
  return 2 * same >= n;
}

/* Whether a whole line beside the box agrees on something that is no background. */
static bool line_agrees(const bez_patch_data *data, const bez_sighting *s, const bez_recurrence *r, const int box[4],
                        int side) {
  bool down = side < 2; /* 0 above, 1 below, 2 left, 3 right */
  int at = side == 0 ? box[0] - 1 : side == 1 ? box[1] : side == 2 ? box[2] - 1 : box[3];
  bool plain = true;
  uint8_t value[3];
  for (int i = down ? box[2] : box[0]; i < (down ? box[3] : box[1]); i++) {
    if (!agreed(data, s, r, down ? at : i, down ? i : at, value)) return false;
    plain = plain && is_background(data, value);
  }
  return !plain;
}

/* Takes off lines of background that the window brought along. */
static void trim(const bez_patch_data *data, const bez_sighting *s, const bez_recurrence *r, int box[4]) {
  for (int side = 0; side < 4; side++) {
    int inner[4] = {box[0], box[1], box[2], box[3]};
    for (;;) {
      inner[side] += side & 1 ? -1 : 1;
      if (inner[0] >= inner[1] || inner[2] >= inner[3] || line_agrees(data, s, r, inner, side)) break;
      memcpy(box, inner, sizeof inner);
    }
  }
}

/* The patch around a recurring window. */
static bez_status grow(const bez_patch_data *data, const bez_sighting *s, const bez_recurrence *r, wanderer *w,
                       bez_error *err) {
  const bez_images *im = data->in->table->images;
  uint32_t shorter = im->height < im->width ? im->height : im->width;
  int most = (int)(shorter * 3 / 10 < MOST_SIDE ? shorter * 3 / 10 : MOST_SIDE),
      box[4] = {0, BEZ_WINDOW, 0, BEZ_WINDOW};
  for (bool grown = true; grown;) {
    grown = false;
    for (int side = 0; side < 4; side++) {
      if (box[side < 2 ? 1 : 3] - box[side < 2 ? 0 : 2] >= most || !line_agrees(data, s, r, box, side)) continue;
      box[side] += side & 1 ? 1 : -1;
      grown = true;
    }
  }
  trim(data, s, r, box);
  w->height = (uint32_t)(box[1] - box[0]);
  w->width = (uint32_t)(box[3] - box[2]);
  w->pixels = calloc((size_t)w->height * w->width, 3);
  if (!w->pixels) return bez_fail_memory(err, (size_t)w->height * w->width * 3);
  for (uint32_t i = 0; i < w->height * w->width; i++)
    (void)agreed(data, s, r, box[0] + (int)(i / w->width), box[2] + (int)(i % w->width), w->pixels + i * im->channels);
  return BEZ_OK;
}

/* ---- searching ---- */

static bool stands_at(const wanderer *w, const bez_images *im, const uint8_t *picture, uint32_t y, uint32_t x) {
  size_t line = (size_t)w->width * im->channels;
  for (uint32_t dy = 0; dy < w->height; dy++)
    if (memcmp(picture + ((size_t)(y + dy) * im->width + x) * im->channels, w->pixels + dy * line, line) != 0)
      return false;
  return true;
}

static void search_one(wanderer *w, uint32_t row) {
  const bez_images *im = w->data->in->table->images;
  const uint8_t *picture = bez_image(im, row);
  w->kind[row] = EDGES;
  for (uint32_t y = 0; y + w->height <= im->height; y++)
    for (uint32_t x = 0; x + w->width <= im->width; x++) {
      uint8_t kind = 0;
      if (!stands_at(w, im, picture, y, x)) continue;
      float edge = bez_edge_share(im, picture, y, x, w->height, w->width);
      while (edge < edge_at[kind]) kind++;
      if (kind < w->kind[row]) {
        w->kind[row] = kind;
        w->y[row] = (uint16_t)y;
        w->x[row] = (uint16_t)x;
      }
    }
}

static bez_status search_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  (void)worker;
  (void)err;
  wanderer *w = ctx;
  uint32_t n = w->data->n_rows, first = (uint32_t)tile * TILE, end = n - first < TILE ? n : first + TILE;
  for (uint32_t row = first; row < end; row++) search_one(w, row);
  return BEZ_OK;
}

/* Kinds of matches are listed from the surest on, as long as the coincidences among them, told from the rows of other
 * labels, stay few. */
static void choose_kinds(wanderer *w) {
  const bez_patch_data *d = w->data;
  double share = (double)d->count[w->label] / (double)(d->n_rows - d->count[w->label] + 1);
  for (uint32_t i = 0; i < d->n_rows; i++)
    if (w->kind[i] < EDGES) w->count[w->kind[i]][d->label[i] != w->label]++;
  uint32_t with = 0, others = 0;
  for (unsigned k = 0; k < EDGES; k++) {
    with += w->count[k][0];
    others += w->count[k][1];
    if (others * share > COINCIDENCE * with || others * share > COINCIDENCES * d->n_rows) break;
    w->listed[k] = true;
    w->n = with;
  }
}

static bez_status weigh(wanderer *w, bez_error *err) {
  const bez_patch_data *d = w->data;
  uint8_t *seen = calloc((size_t)d->tracks->n_groups + 1, 1);
  if (!seen) return bez_fail_memory(err, d->tracks->n_groups);
  for (uint32_t i = 0; i < d->n_rows; i++) {
    if (w->kind[i] == EDGES || !w->listed[w->kind[i]] || d->label[i] != w->label) continue;
    w->groups += !seen[d->tracks->group[i]];
    seen[d->tracks->group[i]] = 1;
  }
  free(seen);
  uint32_t with = 0, others = 0; /* the kinds that tell most are the evidence */
  for (unsigned k = 0; k < EDGES && w->listed[k]; k++) {
    with += w->count[k][0];
    others += w->count[k][1];
    double evidence = bez_patch_evidence(with, with + others, (double)d->count[w->label] / d->n_rows,
                                         (uint32_t)((uint64_t)with * w->groups / (w->n + !w->n)));
    if (evidence <= w->evidence) continue;
    w->evidence = evidence;
    w->purity = (double)with / (with + others);
  }
  return BEZ_OK;
}

static void wanderer_free(wanderer *w) {
  free(w->pixels);
  free(w->kind);
  free(w->y);
  free(w->x);
  *w = (wanderer){0};
}

static bez_status fit(const bez_patch_data *data, const bez_sighting *s, const bez_recurrence *r, wanderer *w,
                      bez_error *err) {
  size_t n = (size_t)data->n_rows + 1;
  *w = (wanderer){.data = data, .label = r->label};
  w->kind = malloc(n);
  w->y = calloc(n, sizeof *w->y);
  w->x = calloc(n, sizeof *w->x);
  bez_status st = w->kind && w->y && w->x ? BEZ_OK : bez_fail_memory(err, n * 5);
  if (st == BEZ_OK) st = grow(data, s, r, w, err);
  bez_watch watch = bez_detect_watch(data->in, "image-patch-moving", "tiles");
  if (st == BEZ_OK)
    st = bez_parallel_watched((data->n_rows + TILE - 1) / TILE, data->in->threads, &watch, search_tile, w, err);
  if (st == BEZ_OK) choose_kinds(w);
  if (st == BEZ_OK) st = weigh(w, err);
  if (st != BEZ_OK) wanderer_free(w);
  return st;
}

/* ---- reporting ---- */

static void show(const wanderer *w, bez_report *report, bez_finding *f, const uint32_t *rows) {
  bez_patch_spot at[BEZ_PICTURES_SHOWN];
  uint32_t n = w->n < BEZ_PICTURES_SHOWN ? w->n : BEZ_PICTURES_SHOWN;
  bez_show_enlarged(report, f, "The patch, enlarged", w->pixels, w->height, w->width,
                    w->data->in->table->images->channels);
  for (uint32_t i = 0; i < n; i++) {
    uint32_t row = rows[(uint64_t)i * (w->n - 1) / (BEZ_PICTURES_SHOWN - 1)];
    at[i] = (bez_patch_spot){row, {w->y[row], w->x[row], w->height, w->width}};
  }
  bez_patch_show(w->data, report, f, rows, w->n, at, n);
}

static void put_evidence(const wanderer *w, bez_report *report, bez_finding *f, const char *label) {
  bez_finding_text(report, f, "size", "%u × %u", w->width, w->height);
  bez_finding_text(report, f, "label", "%s", label);
  bez_finding_number(report, f, "support", w->n);
  bez_finding_number(report, f, "purity", w->purity);
  bez_finding_number(report, f, "tracks", w->groups);
  bez_finding_number(report, f, "evidence in powers of ten", w->evidence);
}

/* A name for the patch that does not depend on rows: its size and pixels. */
static void pattern_of(const wanderer *w, char out[96]) {
  uint64_t hash = 1469598103934665603ull;
  for (size_t i = 0; i < (size_t)w->height * w->width * w->data->in->table->images->channels; i++)
    hash = (hash ^ w->pixels[i]) * 1099511628211ull;
  (void)snprintf(out, 96, "%u × %u patch %016llx anywhere", w->width, w->height, (unsigned long long)hash);
}

static bez_status report_one(const wanderer *w, bez_report *report, bez_error *err) {
  const bez_patch_data *d = w->data;
  bool clear = w->purity >= 0.9 && w->evidence >= 6 && w->n >= 10;
  bez_finding *f =
      bez_report_add(report, &bez_detector_image_patch_moving.rule, clear ? BEZ_SEV_ERROR : BEZ_SEV_WARNING);
  if (!f) return bez_report_status(report, err);
  char pattern[96];
  const char *label = bez_cells_value(report, &d->in->table->cols[d->in->label], w->label);
  const char **names = bez_cells_labels(report, d->in);
  bez_row_hit *hits = malloc((size_t)(w->n + 1) * sizeof *hits);
  uint32_t *rows = calloc((size_t)w->n + 1, sizeof *rows), n = 0;
  bez_status st = hits && rows ? BEZ_OK : bez_fail_memory(err, w->n * sizeof *hits);
  for (uint32_t i = 0; st == BEZ_OK && i < d->n_rows; i++) {
    if (w->kind[i] == EDGES || !w->listed[w->kind[i]] || d->label[i] != w->label) continue;
    hits[n] = (bez_row_hit){.row = bez_global_row(d->in->table, i),
                            .score = (double)edge_at[w->kind[i]],
                            .q = NAN,
                            .label = names ? names[w->label] : NULL};
    rows[n++] = i;
  }
  if (st == BEZ_OK) {
    pattern_of(w, pattern);
    bez_finding_title(report, f, "%u pictures carry the same %u × %u patch at changing places and the label %s", n,
                      w->width, w->height, label);
    bez_finding_subject(report, f, pattern, label);
    f->score = w->evidence;
    put_evidence(w, report, f, label);
    bez_finding_rows(report, f, hits, n);
    show(w, report, f, rows);
  }
  free(hits);
  free(rows);
  return st;
}

/* Whether most pictures of a window were found with another one already. */
static bool is_known(const wanderer *found, uint32_t n, const bez_sighting *s, const bez_recurrence *r) {
  for (uint32_t k = 0; k < n; k++) {
    uint32_t common = 0;
    for (uint32_t i = 0; i < r->n; i++) common += found[k].kind[s[i].row] < EDGES;
    if (found[k].label == r->label && 2 * common >= r->n) return true;
  }
  return false;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  wanderer found[MOST_PATCHES];
  bez_recurrences r = {0};
  bez_patch_data data;
  uint32_t n = 0;
  bez_status st = bez_patch_data_make(in, &data, err);
  if (st != BEZ_OK) return st;
  BEZ_TRY(bez_recurrences_find(&data, &r, err));
  if (!r.complete)
    bez_report_not_checked(report, false, "BZ-D011 image-patch-moving", "more than 25 million windows recur");
  for (size_t i = 0, tried = 0; i < r.n && tried < MOST_TRIED && n < MOST_PATCHES; i++) {
    const bez_sighting *s = r.sightings + r.list[i].begin;
    if (is_known(found, n, s, &r.list[i])) continue;
    BEZ_TRY(fit(&data, s, &r.list[i], &found[n], err));
    tried++;
    if (found[n].n < 6 || found[n].groups < 6 || found[n].purity < 0.9 || found[n].evidence < 4) {
      wanderer_free(&found[n]);
      continue;
    }
    n++;
    BEZ_TRY(report_one(&found[n - 1], report, err));
  }
  st = bez_report_status(report, err);
cleanup:
  for (uint32_t i = 0; i < n; i++) wanderer_free(&found[i]);
  bez_recurrences_free(&r);
  bez_patch_data_free(&data);
  return st;
}

const bez_detector bez_detector_image_patch_moving = {
    .rule = {.id = "BZ-D011",
             .name = "image-patch-moving",
             .title = "Patch at changing places of pictures",
             .summary =
                 "The same few pixels, bit by bit, in many pictures that share a label, at a place of its own in "
                 "each: the mark of a backdoor whose trigger is a patch that moves.",
             .remedy =
                 "Remove the pictures or look at each: without the patch, would you give it this label? Ask where "
                 "the pictures with the patch come from.",
             .taxonomy = "ATLAS:AML.T0020 ATLAS:AML.T0018 NIST:NISTAML.023 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_IMAGES | BEZ_NEED_LABEL,
    .null_hypothesis =
        "Small windows that recur bit by bit in pictures of one label recur in others, too, or stay about "
        "one place, as parts of objects do.",
    .calibration = "6 tracks, purity .9, evidence 10^-4, places spread as .19 of the side at least; clean MNIST and "
                   "GTSRB-8.",
    .cost = "O(pictures x pixels) time; 64 MB, and 16 bytes per window that recurs (384 MB at most)",
    .source = "Gu, Dolan-Gavitt, Garg, BadNets, 2017; docs/detect/image-patch-moving.md",
    .run = run,
};
