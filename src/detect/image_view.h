/* Inside BZ-D030: what people see of pictures, and what loaders make of them. */
#ifndef BEZ_DETECT_IMAGE_VIEW_H
#define BEZ_DETECT_IMAGE_VIEW_H

#include "detect/detector.h"
#include "format/images.h"

/* Findings on what decoders saw besides pixels: alpha, EXIF, frames, trailing bytes, gamma. Nothing without facts. */
BEZ_MUST_USE bez_status bez_view_files(const bez_detect_input *in, bez_report *report, bez_error *err);

/* One finding on those rows, with number evidence "pictures". */
bez_finding *bez_view_finding(const bez_detect_input *in, bez_report *report, bez_severity severity,
                              const uint32_t *rows, uint32_t n, bez_row_hit *room);

/* The first views that were kept of pictures with that oddity. */
void bez_view_show(const bez_detect_input *in, bez_report *report, bez_finding *f, uint32_t odd, const char *person,
                   const char *loader);
/* A picture of the data set beside its own scaled view. */
BEZ_MUST_USE bez_status bez_view_show_scaled(const bez_detect_input *in, bez_report *report, bez_finding *f,
                                             uint32_t row, const bez_scaled_view *view, bez_error *err);

#endif
