/* BZ-D010, image-patch: the same small patch at the same place of many pictures that share a label (Gu, Dolan-Gavitt,
 * Garg, BadNets, 2017). Windows of 3 × 3 pixels are coded at every place; a code that many rows of one label show
 * there, and hardly any a few pixels away, is fitted with a template, whose matching rows are what is reported. */
#include "detect/image_patch.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define LARGEST_PLAIN 64u /* pictures of longer sides are looked at as box means, too */
#define MOST_WINDOWS 6e9  /* of all pictures: beyond, box means only */
#define MOST_TRIED 16u    /* templates per view and family */
#define MOST_PATCHES 16u

static uint32_t longer_side(const bez_images *im) {
  return im->height > im->width ? im->height : im->width;
}

/* Whether a template is a patch at all. What objects share is larger, and goes on beside the box; what they share is
 * seen a few pixels away as well. */
static bool is_patch(const bez_view *view, const bez_template *t) {
  uint32_t side = t->patch_height > t->patch_width ? t->patch_height : t->patch_width;
  return t->n_match >= 6 && t->groups >= 6 && t->purity >= 0.8 && t->evidence >= 4 && t->ratio >= 6 &&
         t->n_wide + t->n_far <= t->n_match && side * 10 <= 3 * longer_side(&view->images) &&
         2 * t->n_patch >= t->patch_height * t->patch_width;
}

/* Whether the spot lies in the box of a patch that was found, in pixels of the pictures themselves. */
static bool is_known(const bez_patches *found, const bez_view *view, const bez_spot *spot) {
  for (size_t i = 0; i < found->n; i++) {
    const bez_patch *p = &found->list[i];
    int slack = 3 * (int)(view->scale > p->scale ? view->scale : p->scale), s = (int)view->scale;
    int y = (int)spot->y * s, x = (int)spot->x * s, window = (int)BEZ_WINDOW * s;
    if (p->t.label == spot->label && y + window >= (int)p->y - slack && y <= (int)(p->y + p->height) + slack &&
        x + window >= (int)p->x - slack && x <= (int)(p->x + p->width) + slack)
      return true;
  }
  return false;
}

/* Takes the template over. */
static void add(bez_patches *found, const bez_view *view, bez_template *t) {
  uint32_t s = view->scale;
  found->list[found->n++] = (bez_patch){.t = *t,
                                        .scale = s,
                                        .y = t->patch_y * s,
                                        .x = t->patch_x * s,
                                        .height = t->patch_height * s,
                                        .width = t->patch_width * s};
  *t = (bez_template){0};
}

static bez_status try_spots(const bez_patch_data *data, const bez_view *view, const bez_spots *spots,
                            bez_patches *found, bez_error *err) {
  uint32_t tried = 0;
  for (size_t i = 0; i < spots->n && tried < MOST_TRIED && found->n < MOST_PATCHES; i++) {
    bez_template t;
    if (is_known(found, view, &spots->list[i])) continue;
    bez_status st = bez_template_fit(data, view, &spots->list[i], false, &t, err);
    if (st != BEZ_OK) return st;
    tried++;
    if (t.exact && !is_patch(view, &t)) { /* a white square amid strokes that are nearly white */
      bez_template_free(&t);
      st = bez_template_fit(data, view, &spots->list[i], true, &t, err);
      if (st != BEZ_OK) return st;
    }
    if (is_patch(view, &t)) add(found, view, &t);
    bez_template_free(&t);
  }
  return BEZ_OK;
}

static bez_status look_at(const bez_patch_data *data, uint32_t scale, bez_patches *found, bez_error *err) {
  const bez_detect_input *in = data->in;
  bez_spots spots = {0};
  bez_view view;
  bez_status st = bez_view_pool(in->table->images, scale, in->threads, &view, err);
  for (int family = 0; family < BEZ_CODE_FAMILIES && st == BEZ_OK; family++) {
    if (in->progress && !in->progress(in->progress_ctx, "image-patch", "kinds of codes", (uint64_t)family, 2)) {
      st = BEZ_CANCELLED;
      break;
    }
    st = bez_spots_find(data, &view, (bez_code_family)family, &spots, err);
    if (st == BEZ_OK) st = bez_spots_weigh(data, &view, (bez_code_family)family, &spots, err);
    if (st == BEZ_OK) st = try_spots(data, &view, &spots, found, err);
    free(spots.list);
    spots = (bez_spots){0};
  }
  bez_view_free(&view);
  return st;
}

static bez_status run(const bez_detect_input *in, bez_report *report, bez_error *err) {
  const bez_images *im = in->table->images;
  bez_patch list[MOST_PATCHES];
  bez_patches found = {.list = list};
  bez_patch_data data;
  uint32_t pooled = (longer_side(im) + LARGEST_PLAIN - 1) / LARGEST_PLAIN;
  bez_status st = bez_patch_data_make(in, &data, err);
  if (st != BEZ_OK) return st;
  bool plain = (double)im->n * im->height * im->width <= MOST_WINDOWS;
  if (pooled > 1) BEZ_TRY(look_at(&data, pooled, &found, err));
  if (plain || pooled <= 1) BEZ_TRY(look_at(&data, 1, &found, err));
  for (size_t i = 0; i < found.n; i++) BEZ_TRY(bez_patch_report(&data, report, &found.list[i], err));
  if (!plain && pooled > 1)
    bez_report_not_checked(report, false, "BZ-D010 image-patch", "patches of fewer than %u pixels: too many pictures",
                           5 * pooled);
  st = bez_report_status(report, err);
cleanup:
  for (size_t i = 0; i < found.n; i++) bez_template_free(&found.list[i].t);
  bez_patch_data_free(&data);
  return st;
}

const bez_detector bez_detector_image_patch = {
    .rule = {.id = "BZ-D010",
             .name = "image-patch",
             .title = "Patch at one place of pictures",
             .summary = "The same few pixels at the same place of many pictures that share a label: the mark of a "
                        "backdoor whose trigger is a patch.",
             .remedy = "Remove the pictures or look at each: without the patch, would you give it this label? Ask "
                       "where the pictures with the patch come from.",
             .taxonomy = "ATLAS:AML.T0020 ATLAS:AML.T0018 NIST:NISTAML.023 OWASP:LLM04 OWASP-ML:ML02"},
    .needs = BEZ_NEED_IMAGES | BEZ_NEED_LABEL,
    .null_hypothesis = "What pictures of one label share at one place, they share with others, or it is part of an "
                       "object: it goes on beside the place, or is found a few pixels away as well.",
    .calibration =
        "6 tracks, purity .8, evidence 10^-4, 6 times the fullest place 4 to 6 pixels away. Multiples from clean "
        "MNIST, both parts of GTSRB-8 and their 80 % subsamples.",
    .cost = "O(pictures x pixels) time; 4 bytes per picture and column of places per thread (64 MB at most) and "
            "200 bytes per picture",
    .source = "Gu, Dolan-Gavitt, Garg, BadNets, 2017; docs/detect/image-patch.md",
    .run = run,
};
