/* The table of detectors, expanded from detectors.def, and its public view. */
#include "detect/detector.h"

#include <string.h>

#include "bezoar/detect.h"

const bez_detector *const bez_detectors[] = {
#define BEZ_DETECTOR(symbol) &symbol,
#include "detect/detectors.def"
#undef BEZ_DETECTOR
    NULL};

const bez_detector *bez_detector_find(const char *id_or_name) {
  for (size_t i = 0; bez_detectors[i]; i++)
    if (!strcmp(bez_detectors[i]->rule.id, id_or_name) || !strcmp(bez_detectors[i]->rule.name, id_or_name))
      return bez_detectors[i];
  return NULL;
}

size_t bez_detector_count(void) {
  return sizeof bez_detectors / sizeof *bez_detectors - 1;
}

bez_detector_info bez_detector_get(size_t index) {
  if (index >= bez_detector_count()) return (bez_detector_info){0};
  const bez_detector *d = bez_detectors[index];
  return (bez_detector_info){.id = d->rule.id,
                             .name = d->rule.name,
                             .title = d->rule.title,
                             .summary = d->rule.summary,
                             .remedy = d->rule.remedy,
                             .taxonomy = d->rule.taxonomy,
                             .null_hypothesis = d->null_hypothesis,
                             .calibration = d->calibration,
                             .cost = d->cost,
                             .source = d->source,
                             .needs_label = (d->needs & BEZ_NEED_LABEL) != 0,
                             .needs_text = (d->needs & BEZ_NEED_TEXT) != 0,
                             .needs_source = (d->needs & BEZ_NEED_SOURCE) != 0,
                             .needs_cells = (d->needs & BEZ_NEED_CELLS) != 0,
                             .needs_numbers = (d->needs & BEZ_NEED_NUMBERS) != 0,
                             .needs_images = (d->needs & BEZ_NEED_IMAGES) != 0,
                             .needs_vectors = (d->needs & BEZ_NEED_VECTORS) != 0,
                             .needs_golden = (d->needs & BEZ_NEED_GOLDEN) != 0,
                             .needs_reference = (d->needs & BEZ_NEED_REFERENCE) != 0};
}
