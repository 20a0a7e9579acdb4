/* Inside the checks for patches (BZ-D010 fixed, BZ-D011 moving): views of the pictures, codes of their windows, spots
 * where one code is too frequent, and the template that a spot is verified with. */
#ifndef BEZ_DETECT_IMAGE_PATCH_H
#define BEZ_DETECT_IMAGE_PATCH_H

#include "base/store.h"
#include "detect/detector.h"
#include "detect/picture_show.h"
#include "detect/shared.h"
#include "format/images.h"

/* The pictures, or their box means: scale × scale pixels become one. */
typedef struct bez_view {
  bez_images images;
  uint32_t scale;
  bez_store store; /* of pooled pixels; unused at scale 1 */
} bez_view;

BEZ_MUST_USE bez_status bez_view_pool(const bez_images *images, uint32_t scale, unsigned threads, bez_view *out,
                                      bez_error *err);
void bez_view_free(bez_view *view);

/* What both checks know about the rows. */
typedef struct bez_patch_data {
  const bez_detect_input *in;
  const bez_tracks *tracks;
  uint32_t n_rows, n_labels;
  uint32_t *label; /* per row: its label code */
  uint32_t *count; /* rows per label code */
} bez_patch_data;

BEZ_MUST_USE bez_status bez_patch_data_make(const bez_detect_input *in, bez_patch_data *out, bez_error *err);
void bez_patch_data_free(bez_patch_data *data);

/* How a window of 3 × 3 pixels becomes a code. FINE tells windows apart that differ by 8 levels anywhere; COARSE looks
 * at the window's luma in nine cosine terms and its mean colour, in bins that noise and JPEG seldom leave. Windows
 * without an edge on most sides have none: areas of one colour are everywhere. */
typedef enum bez_code_family { BEZ_CODES_FINE, BEZ_CODES_COARSE, BEZ_CODE_FAMILIES } bez_code_family;
#define BEZ_CODE_NONE 0u /* a window without an edge */

/* Of the pixels around a box (inside the picture) the share that differs from its nearest pixel by 16 levels or more
 * (mean over channels); 1 where there is none. An area of one colour that goes on beyond the box has no edge. */
float bez_edge_share(const bez_images *images, const uint8_t *picture, uint32_t y, uint32_t x, uint32_t height,
                     uint32_t width);
#define BEZ_EDGE 0.5f /* the share from which a box has an edge */

#define BEZ_WINDOW 3u

/* The codes of all windows whose upper edge is y: width − 2 of them. */
void bez_codes_row(bez_code_family family, const bez_images *images, const uint8_t *picture, uint32_t y, uint32_t *out);

/* A place where many rows of one label show one code. */
typedef struct bez_spot {
  uint32_t y, x, code;
  bez_code_family family;
  uint32_t rows, top_rows, groups, label; /* with the code here; of them with the label; tracks among those */
  double evidence;                        /* −log10 of the chance that the labels fall so, tracks counted once */
  uint32_t ring;                          /* rows of the label with the code at the fullest place 4 … 6 pixels away */
  double ratio;                           /* top_rows / (2 + ring) */
} bez_spot;

typedef struct bez_spots {
  bez_spot *list;
  size_t n;
} bez_spots;

/* All spots of one view and family that are worth a closer look, best first. */
BEZ_MUST_USE bez_status bez_spots_find(const bez_patch_data *data, const bez_view *view, bez_code_family family,
                                       bez_spots *out, bez_error *err);
/* Counts the surroundings of each spot and orders them by what is left. */
BEZ_MUST_USE bez_status bez_spots_weigh(const bez_patch_data *data, const bez_view *view, bez_code_family family,
                                        bez_spots *spots, bez_error *err);

/* −log10 P(at least `hits` of n rows carry a label of share p), shrunk by tracks per row. */
double bez_patch_evidence(uint32_t hits, uint32_t n, double p, uint32_t groups);

/* What the rows of a spot have in common: a box with a mask, the value and the spread of each of its samples. */
typedef enum bez_mask {
  BEZ_MASK_OUT,
  BEZ_MASK_SEAM, /* the same in all matching rows, but no different from the other rows: matched, not shown */
  BEZ_MASK_PATCH
} bez_mask;

typedef struct bez_template {
  uint32_t y, x, height, width, channels;               /* the box that is matched, in the view */
  uint32_t patch_y, patch_x, patch_height, patch_width; /* the box of what differs from other rows */
  uint32_t n_pixels, n_patch;                           /* matched; of them patch */
  uint8_t *mask;                                        /* height × width: bez_mask */
  uint8_t *value;                                       /* height × width × channels */
  float *weight;                                        /* 1 / spread, height × width × channels */
  uint32_t *rows;                                       /* matching rows with the label, ascending */
  float *distance;                                      /* of each: root mean square in spreads */
  uint32_t label;
  uint32_t n_match, n_all, groups; /* rows with an edge: in `rows`, of any label; tracks among those in `rows` */
  uint32_t ring;                   /* matching rows of the label at the fullest place around */
  uint32_t n_wide, n_far;          /* further rows of the label with an edge that match less clearly, and hardly */
  uint32_t n_rows;                 /* in `rows`, when wider matches were taken in */
  double purity, evidence, ratio;
  bool exact;    /* most rows of the spot agree on its window bit by bit */
  double around; /* spread of the matching rows beside the patch, by that of the others: 1 where nothing is shared */
} bez_template;

/* bit_by_bit: rows match only where (nearly) every pixel is the same; else noise is allowed for. */
BEZ_MUST_USE bez_status bez_template_fit(const bez_patch_data *data, const bez_view *view, const bez_spot *spot,
                                         bool bit_by_bit, bez_template *out, bez_error *err);
void bez_template_free(bez_template *t);

/* A patch that was found: its box in pixels of the pictures. */
typedef struct bez_patch {
  bez_template t; /* in a view of that scale */
  uint32_t scale, y, x, height, width;
} bez_patch;
typedef struct bez_patches {
  bez_patch *list;
  size_t n;
} bez_patches;

/* A picture that carries a patch, and where. */
typedef struct bez_patch_spot {
  uint32_t row;
  bez_frame at;
} bez_patch_spot;

/* Each example framed, beside the picture most like it (of any label) that is not among `rows` (ascending). */
void bez_patch_show(const bez_patch_data *data, bez_report *report, bez_finding *f, const uint32_t *rows,
                    uint32_t n_rows, const bez_patch_spot *examples, uint32_t n);

/* The finding, its rows and its exhibits. */
BEZ_MUST_USE bez_status bez_patch_report(const bez_patch_data *data, bez_report *report, const bez_patch *patch,
                                         bez_error *err);

#endif
