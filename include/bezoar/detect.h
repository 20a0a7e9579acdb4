/* The catalogue of detectors: what each finds, under which null hypothesis, at what cost. */
#ifndef BEZOAR_DETECT_H
#define BEZOAR_DETECT_H

#include "bezoar/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Static storage throughout. */
typedef struct bez_detector_info {
  const char *id, *name, *title, *summary, *remedy, *taxonomy;
  const char *null_hypothesis, *calibration, *cost, *source;
  bool needs_label, needs_text, needs_source;
} bez_detector_info;
BEZ_API size_t bez_detector_count(void);
BEZ_API bez_detector_info bez_detector_get(size_t index);

#ifdef __cplusplus
}
#endif
#endif
