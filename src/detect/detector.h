/* A detector: one file that ends in one `const bez_detector`, and one row in detectors.def. */
#ifndef BEZ_DETECT_DETECTOR_H
#define BEZ_DETECT_DETECTOR_H

#include "base/threads.h"
#include "finding/finding.h"
#include "format/table.h"

typedef enum bez_need {
  BEZ_NEED_LABEL = 1u << 0,    /* a label column with 2 … BEZ_MAX_CLASSES classes */
  BEZ_NEED_TEXT = 1u << 1,     /* at least one text column */
  BEZ_NEED_SOURCE = 1u << 2,   /* a source column */
  BEZ_NEED_CELLS = 1u << 3,    /* at least two feature columns that carry codes */
  BEZ_NEED_NUMBERS = 1u << 4,  /* at least one numeric feature column */
  BEZ_NEED_IMAGES = 1u << 5,   /* a picture per row (format/images.h) */
  BEZ_NEED_VECTORS = 1u << 6,  /* an embedding per row: --embeddings */
  BEZ_NEED_GOLDEN = 1u << 7,   /* a golden set: --golden */
  BEZ_NEED_REFERENCE = 1u << 8 /* known-good data to compare with: --reference-data */
} bez_need;

struct bez_shared; /* fits that several detectors use, made once: detect/shared.h */

typedef struct bez_detect_input {
  const bez_table *table;
  const uint32_t *features; /* columns of role feature that carry codes (numeric, categorical, time) */
  uint32_t n_features;
  const uint32_t *texts; /* text columns */
  uint32_t n_texts;
  int label, source;          /* column index, -1 none */
  const bez_table *golden;    /* a small verified set of the same kind; NULL: none */
  const bez_table *reference; /* known-good data of the same kind; NULL: none */
  uint64_t seed;
  unsigned threads;         /* ≥ 1; never changes the result */
  uint32_t cpu;             /* kernel mask (base/cpu.h); never changes the result */
  bez_progress_fn progress; /* may be NULL; false: return BEZ_CANCELLED */
  void *progress_ctx;
  struct bez_shared *shared; /* never NULL */
} bez_detect_input;

/* What long tiles ask (base/threads.h): the progress function of the input. */
static inline bez_watch bez_detect_watch(const bez_detect_input *in, const char *stage, const char *unit) {
  return (bez_watch){.progress = in->progress, .ctx = in->progress_ctx, .stage = stage, .unit = unit};
}

/* bez_parallel on the input's threads, asking whether to go on (--max-time, Ctrl-C). */
BEZ_MUST_USE static inline bez_status bez_detect_parallel(const bez_detect_input *in, const char *stage,
                                                          uint64_t n_tiles, bez_tile_fn fn, void *ctx, bez_error *err) {
  bez_watch watch = bez_detect_watch(in, stage, "tiles");
  return bez_parallel_watched(n_tiles, in->threads, &watch, fn, ctx, err);
}

typedef struct bez_detector {
  bez_rule rule;
  uint32_t needs;              /* bez_need bits: without them the detector is skipped with a note */
  const char *null_hypothesis; /* what "nothing here" means */
  const char *calibration;     /* where the thresholds come from */
  const char *cost;            /* time and memory as a formula */
  const char *source;          /* paper, or "Bezoar" and the page in docs/ */
  /* Adds findings to the report (and bez_report_not_checked for what it left out). The report also holds what the
   * detectors before it in the table found. */
  bez_status (*run)(const bez_detect_input *in, bez_report *report, bez_error *err);
} bez_detector;

#define BEZ_DETECTOR(symbol) extern const bez_detector symbol;
#include "detect/detectors.def"
#undef BEZ_DETECTOR

extern const bez_detector *const bez_detectors[]; /* NULL-terminated, order of detectors.def */

/* The detector of that id ("BZ-D001") or name; NULL. */
const bez_detector *bez_detector_find(const char *id_or_name);

#endif
