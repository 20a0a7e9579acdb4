/* Between the sweep over texts (character_tricks.c) and its findings (character_tricks_report.c). */
#ifndef BEZ_DETECT_CHARACTER_TRICKS_H
#define BEZ_DETECT_CHARACTER_TRICKS_H

#include "detect/character_scan.h"
#include "detect/detector.h"

/* A row holds a trick. One per row, trick and key. */
typedef struct bez_mark {
  uint64_t row;
  uint32_t trick; /* bez_trick */
  uint32_t key;   /* the code point where findings are told apart by it, else 0 */
  uint32_t cp;    /* the first odd code point */
  uint32_t inside;
} bez_mark;

uint32_t bez_mark_key(const bez_trick_hit *hit);

/* Findings from the marks of one text column (reordered in place). */
BEZ_MUST_USE bez_status bez_tricks_report_texts(const bez_detect_input *in, bez_report *report, uint32_t col,
                                                bez_mark *marks, size_t n, bez_error *err);
/* Scans the dictionary of one categorical column. */
BEZ_MUST_USE bez_status bez_tricks_values(const bez_detect_input *in, bez_report *report, uint32_t col, bez_error *err);

#endif
