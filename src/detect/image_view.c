/* BZ-D030, human view: what a person sees of a picture is not what the loader sees. Pictures that become others when a
 * scaler without smoothing makes them smaller (Xiao, Chen, Shen, Chen, Li, 2019; Quiring, Klein, Arp, Johns, Rieck,
 * 2020) are found here, by math/scaled_view.h; what files hide elsewhere, in image_view_files.c. */
#include "detect/image_view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "detect/cells.h"
#include "detect/detector.h"

#define TILE 64u
#define GROUPS 16u         /* sizes that are reported on their own */
#define ALONE 6.0f         /* ratio from which a single picture is an error */
#define ALONE_WARNING 4.0f /* and from which it is said at all: checkerboards reach 3.4 */

typedef struct scaled {
  const bez_detect_input *in;
  bez_scaled_view *view; /* per row */
  uint32_t *flagged;     /* rows whose picture becomes another, by size */
  uint32_t n_flagged;
  uint32_t *rows; /* of one finding */
  bez_row_hit *room;
} scaled;

/* A run of flagged rows with one size. */
typedef struct group {
  uint32_t first, n;
} group;

static bez_status look_tile(void *ctx, uint64_t tile, unsigned worker, bez_error *err) {
  const scaled *s = ctx;
  const bez_images *im = s->in->table->images;
  uint64_t end = (tile + 1) * TILE < im->n ? (tile + 1) * TILE : im->n;
  bez_status st = BEZ_OK;
  (void)worker;
  for (uint64_t row = tile * TILE; st == BEZ_OK && row < end; row++) {
    if (im->facts)
      s->view[row] = im->facts[row].scaled;
    else
      st = bez_scaled_view_find(bez_image(im, row), im->height, im->width, im->channels, &s->view[row], err);
  }
  return st;
}

static uint64_t size_key(const bez_scaled_view *v) {
  return (uint64_t)v->height << 32 | v->width;
}

static int by_size(const void *a, const void *b, void *ctx) {
  const scaled *s = ctx;
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  uint64_t p = size_key(&s->view[x]), q = size_key(&s->view[y]);
  return p != q ? (p > q) - (p < q) : (x > y) - (x < y);
}

/* The next run of flagged rows behind `at`. */
static group next_group(const scaled *s, uint32_t at) {
  group g = {at, 1};
  while (at + g.n < s->n_flagged && size_key(&s->view[s->flagged[at]]) == size_key(&s->view[s->flagged[at + g.n]]))
    g.n++;
  return g;
}

/* The largest groups, in order of size; the number of others. */
static uint32_t largest_groups(const scaled *s, group out[GROUPS], uint32_t *n_out) {
  uint32_t n = 0, left_out = 0;
  for (uint32_t at = 0; at < s->n_flagged;) {
    group g = next_group(s, at);
    uint32_t to = n < GROUPS ? n++ : GROUPS;
    at += g.n;
    if (to == GROUPS) {
      left_out++;
      if (out[GROUPS - 1].n >= g.n) continue;
      to = GROUPS - 1;
    }
    for (; to > 0 && out[to - 1].n < g.n; to--) out[to] = out[to - 1];
    out[to] = g;
  }
  *n_out = n;
  return left_out;
}

static const char *sampler_text(uint8_t sampler) {
  switch (sampler) {
    case BEZ_SAMPLE_FLOOR: return "nearest";
    case BEZ_SAMPLE_CENTRE: return "nearest to the middle";
    case BEZ_SAMPLE_ROUND: return "nearest, rounded";
    case BEZ_SAMPLE_CORNERS: return "nearest, corners aligned";
    default: return "bilinear without smoothing";
  }
}

/* Rows of the size: those flagged, and those that nearly are. Returns how many; *ratio: the largest. */
static uint32_t rows_of(const scaled *s, const bez_scaled_view *like, float *ratio) {
  uint32_t n = 0;
  *ratio = 0;
  for (uint32_t row = 0; row < s->in->table->images->n; row++) {
    const bez_scaled_view *v = &s->view[row];
    if (size_key(v) != size_key(like) || !bez_scaled_may_be_other(v)) continue;
    s->rows[n++] = row;
    *ratio = fmaxf(*ratio, bez_scaled_ratio(v));
  }
  return n;
}

static bez_status emit(const scaled *s, bez_report *report, group g, bez_error *err) {
  const bez_scaled_view *like = &s->view[s->flagged[g.first]];
  const bez_images *im = s->in->table->images;
  bez_status st = BEZ_OK;
  char pattern[64];
  float ratio;
  uint32_t n = rows_of(s, like, &ratio);
  if (g.n == 1 && ratio < ALONE_WARNING) return BEZ_OK;
  bez_severity severity = g.n > 1 || ratio >= ALONE ? BEZ_SEV_ERROR : BEZ_SEV_WARNING;
  bez_finding *f = bez_view_finding(s->in, report, severity, s->rows, n, s->room);
  if (f) f->score = ratio;
  bez_finding_title(report, f, "%u picture%s another when scaled to %u \xC3\x97 %u pixels without smoothing", n,
                    n == 1 ? " becomes" : "s become", like->width, like->height);
  snprintf(pattern, sizeof pattern, "another picture at %u \xC3\x97 %u", like->width, like->height);
  bez_finding_subject(report, f, pattern, NULL);
  bez_finding_text(report, f, "scaler", "%s", sampler_text(like->down));
  bez_finding_number(report, f, "grey levels off", like->gap);
  bez_finding_number(report, f, "times its neighbours, at most", ratio);
  if (im->facts)
    bez_view_show(s->in, report, f, BEZ_ODD_SCALED, "as a person sees it", "as a loader that makes it smaller sees it");
  for (uint32_t i = 0; !im->facts && st == BEZ_OK && i < g.n && i < BEZ_VIEWS_KEPT; i++)
    st = bez_view_show_scaled(s->in, report, f, s->flagged[g.first + i], &s->view[s->flagged[g.first + i]], err);
  return st;
}

static bez_status scaled_pictures(scaled *s, bez_report *report, bez_error *err) {
  const bez_images *im = s->in->table->images;
  bez_watch watch = bez_detect_watch(s->in, "human view", "pictures");
  group groups[GROUPS];
  uint32_t n = 0;
  bez_status st = bez_parallel_watched((im->n + TILE - 1) / TILE, s->in->threads, &watch, look_tile, s, err);
  if (st != BEZ_OK) return st;
  for (uint32_t row = 0; row < im->n; row++)
    if (bez_scaled_is_other(&s->view[row])) s->flagged[s->n_flagged++] = row;
  qsort_r(s->flagged, s->n_flagged, sizeof *s->flagged, by_size, s);
  uint32_t left_out = largest_groups(s, groups, &n);
  for (uint32_t i = 0; st == BEZ_OK && i < n; i++) st = emit(s, report, groups[i], err);
  if (left_out)
    bez_report_not_checked(report, false, "BZ-D030 human-view", "%u further sizes at which pictures become others",
                           left_out);
  return st;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  size_t n = (size_t)in->table->images->n;
  bez_status st = BEZ_OK;
  scaled s = {.in = in,
              .view = calloc(n + 1, sizeof *s.view),
              .flagged = calloc(n + 1, sizeof *s.flagged),
              .rows = calloc(n + 1, sizeof *s.rows),
              .room = calloc(n + 1, sizeof *s.room)};
  if (!s.view || !s.flagged || !s.rows || !s.room) {
    st = bez_fail_memory(err, n * sizeof *s.view);
    goto cleanup;
  }
  BEZ_TRY(scaled_pictures(&s, report, err));
  BEZ_TRY(bez_view_files(in, report, err));
  st = bez_report_status(report, err);
cleanup:
  free(s.view);
  free(s.flagged);
  free(s.rows);
  free(s.room);
  return st;
}

const bez_detector bez_detector_image_view = {
    .rule = {.id = "BZ-D030",
             .name = "human-view",
             .title = "People and loaders see different pictures",
             .summary = "Pictures that become others when a loader makes them smaller, that hide another under alpha, "
                        "that viewers turn or change, and files that are something else besides a picture.",
             .remedy = "Look at what your loader gets, at the size it gets it. Scale with smoothing (area average, "
                       "antialiasing), which ends this attack, and ask where the pictures come from.",
             .taxonomy = "ATLAS:AML.T0020 ATLAS:AML.T0043 NIST:NISTAML.013 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_IMAGES,
    .null_hypothesis = "The pixels that a scaler skips to are like the pixels beside them; what stands behind a "
                       "picture or under its alpha is nothing.",
    .calibration = "6,000 clean icons, drawings and photographs, both parts of GTSRB-8, MNIST: no error; thresholds "
                   "are twice what they reach. docs/detect/human-view.md has resonating patterns.",
    .cost = "O(pictures x (pixels + height^2 + width^2)) time, 80 bytes per picture",
    .source = "Xiao, Chen, Shen, Chen, Li, Seeing is Not Believing, USENIX Security 2019; Quiring, Klein, Arp, Johns, "
              "Rieck, Adversarial Preprocessing, USENIX Security 2020",
    .run = run,
};
