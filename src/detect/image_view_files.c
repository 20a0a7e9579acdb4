/* The part of BZ-D030 that is about files: what a viewer does with a picture that a loader does not. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "detect/cells.h"
#include "detect/image_view.h"

typedef struct kind {
  uint32_t odd;
  uint8_t tail; /* of BEZ_ODD_POLYGLOT; 0: any */
  bez_severity severity;
  const char *pattern, *title; /* title behind "N pictures " */
  const char *remedy;
  const char *person, *loader; /* captions; NULL: nothing to show */
} kind;

static const kind kinds[] = {
    {BEZ_ODD_ALPHA, 0, BEZ_SEV_ERROR, "another picture under alpha",
     "with another picture under alpha: loaders that drop alpha see it, people do not",
     "Remove the pictures, or ask who made them: a drawing program leaves no second picture under half clear pixels. "
     "Lay pictures on one background colour before training.",
     "on white, as a person sees it", "without alpha, as a loader sees it"},
    {BEZ_ODD_POLYGLOT, BEZ_TAIL_PROGRAM, BEZ_SEV_WARNING, "a program behind the picture",
     "with a program behind the end", NULL, NULL, NULL},
    {BEZ_ODD_POLYGLOT, BEZ_TAIL_ZIP, BEZ_SEV_WARNING, "a ZIP archive behind the picture",
     "with a ZIP archive behind the end", NULL, NULL, NULL},
    {BEZ_ODD_POLYGLOT, BEZ_TAIL_ARCHIVE, BEZ_SEV_WARNING, "an archive behind the picture",
     "with a compressed archive behind the end", NULL, NULL, NULL},
    {BEZ_ODD_POLYGLOT, BEZ_TAIL_PDF, BEZ_SEV_WARNING, "a PDF document behind the picture",
     "with a PDF document behind the end", NULL, NULL, NULL},
    {BEZ_ODD_POLYGLOT, BEZ_TAIL_MARKUP, BEZ_SEV_WARNING, "markup or script behind the picture",
     "with HTML or script behind the end", NULL, NULL, NULL},
    {BEZ_ODD_UNSHOWN, 0, BEZ_SEV_WARNING, "a picture outside of its animation",
     "with an animation that does not play what loaders take", NULL, NULL, NULL},
    {BEZ_ODD_GAMMA, 0, BEZ_SEV_WARNING, "extreme gamma",
     "with a gamma by which viewers change a lot; loaders take what is stored", NULL, NULL, NULL},
    {BEZ_ODD_GAMMA_SLIGHT, 0, BEZ_SEV_NOTE, "unusual gamma",
     "with an unusual gamma: viewers show other brightness than loaders take", NULL, NULL, NULL},
    {BEZ_ODD_TURNED, 0, BEZ_SEV_NOTE, "turned by EXIF",
     "turned or mirrored by EXIF in viewers; most loaders take what is stored",
     "Turn the pixels, or let the loader apply EXIF (in Pillow ImageOps.exif_transpose), in training and later alike.",
     "turned, as a person sees it", "as stored, as a loader sees it"},
    {BEZ_ODD_FRAMES, 0, BEZ_SEV_NOTE, "several pictures in a file",
     "with further pictures in the file; loaders take the first", NULL, NULL, NULL},
    {BEZ_ODD_CLEAR, 0, BEZ_SEV_NOTE, "see-through pictures",
     "with see-through parts: without alpha the colours are others than on white",
     "Lay them on one background colour before training: what stands under clear pixels is what a drawing program left "
     "there.",
     NULL, NULL},
    {BEZ_ODD_TAIL, 0, BEZ_SEV_NOTE, "further bytes behind the picture", "with further bytes behind the end", NULL, NULL,
     NULL},
};

#define POLYGLOT_REMEDY                                                                                                \
  "Store the pictures anew, from their pixels. Ask where the files come from: the same bytes are a picture to one "    \
  "program and something else to another."

bez_finding *bez_view_finding(const bez_detect_input *in, bez_report *report, bez_severity severity,
                              const uint32_t *rows, uint32_t n, bez_row_hit *room) {
  bez_finding *f = bez_report_add(report, &bez_detector_image_view.rule, severity);
  for (uint32_t i = 0; i < n; i++)
    room[i] = (bez_row_hit){.row = bez_global_row(in->table, rows[i]),
                            .score = NAN,
                            .q = NAN,
                            .label = in->label >= 0 ? bez_cells_label(report, in, rows[i]) : NULL};
  if (f) f->score = n;
  bez_finding_rows(report, f, room, n);
  bez_finding_number(report, f, "pictures", n);
  return f;
}

static bool is_kind(const kind *k, const bez_image_facts *facts) {
  return (bez_image_odd(facts) & k->odd) && (!k->tail || k->tail == facts->tail);
}

static void add_evidence(bez_report *report, bez_finding *f, const kind *k, const bez_image_facts *facts,
                         const uint32_t *rows, uint32_t n) {
  double bytes = 0, frames = 0, differ = 0;
  for (uint32_t i = 0; i < n; i++) {
    bytes = fmax(bytes, (double)facts[rows[i]].trailing);
    frames = fmax(frames, facts[rows[i]].frames);
    differ += facts[rows[i]].on_white / n;
  }
  if (k->odd & (BEZ_ODD_POLYGLOT | BEZ_ODD_TAIL)) bez_finding_number(report, f, "bytes behind, at most", bytes);
  if (k->odd & (BEZ_ODD_FRAMES | BEZ_ODD_UNSHOWN)) bez_finding_number(report, f, "pictures in a file, at most", frames);
  if (k->odd & (BEZ_ODD_ALPHA | BEZ_ODD_CLEAR)) bez_finding_number(report, f, "grey levels off on white", differ);
}

bez_status bez_view_files(const bez_detect_input *in, bez_report *report, bez_error *err) {
  const bez_images *im = in->table->images;
  if (!im->facts) return BEZ_OK;
  uint32_t *rows = malloc((im->n + 1) * sizeof *rows);
  bez_row_hit *room = calloc(im->n + 1, sizeof *room);
  bez_status st = rows && room ? BEZ_OK : bez_fail_memory(err, im->n * sizeof *room);
  for (size_t i = 0; st == BEZ_OK && i < sizeof kinds / sizeof *kinds; i++) {
    const kind *k = &kinds[i];
    uint32_t n = 0;
    for (uint32_t row = 0; row < im->n; row++)
      if (is_kind(k, &im->facts[row])) rows[n++] = row;
    if (!n) continue;
    bez_finding *f = bez_view_finding(in, report, k->severity, rows, n, room);
    bez_finding_title(report, f, "%u picture%s %s", n, n == 1 ? "" : "s", k->title);
    bez_finding_subject(report, f, k->pattern, NULL);
    if (k->remedy || (k->odd & (BEZ_ODD_POLYGLOT | BEZ_ODD_TAIL)))
      bez_finding_remedy(report, f, "%s", k->remedy ? k->remedy : POLYGLOT_REMEDY);
    add_evidence(report, f, k, im->facts, rows, n);
    if (k->person) bez_view_show(in, report, f, k->odd, k->person, k->loader);
  }
  free(rows);
  free(room);
  return st;
}
