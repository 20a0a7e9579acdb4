/* Sentences that several writers share. */
#ifndef BEZ_REPORT_WORDS_H
#define BEZ_REPORT_WORDS_H

#include "base/buf.h"
#include "finding/finding.h"

typedef struct bez_tally {
  size_t errors, warnings, notes; /* that count */
  size_t suppressed, known;       /* held back: by a suppression, as known from the baseline */
  size_t not_checked, requested;  /* requested: part of not_checked */
} bez_tally;
bez_tally bez_tally_of(const bez_report *report);

/* "32,561" */
void bez_put_count(bez_buf *out, uint64_t n);
/* "1 row", "32,561 rows" */
void bez_put_counted(bez_buf *out, uint64_t n, const char *noun);
/* "Likely poisoned", "Needs review", "No sign of poison" (where something asked for was not examined: "… in what was
 * examined"), "Nothing was examined" */
const char *bez_verdict(const bez_report *report, const bez_tally *tally);
/* "1 error, 2 warnings, 3 notes; 1 suppressed" */
void bez_put_tally(bez_buf *out, const bez_tally *tally);
/* "Not checked: nothing" or "Not checked: 2 items, 1 of them requested" */
void bez_put_not_checked(bez_buf *out, const bez_tally *tally);
/* The same, and in brackets what: "(no embeddings, data/part-7.csv, …; details at the end)". `where` NULL: nothing is
 * said of where the details are. Raw text, to be escaped by the caller. */
void bez_put_not_checked_names(bez_buf *out, const bez_report *report, const bez_tally *tally, const char *where);
/* Of items of one reason the first stands for all: whether this one does, and then all of them by name. */
bool bez_put_not_checked_alike(bez_buf *out, const bez_report *report, const bez_not_checked *item);
/* "1,000 rows, 4 columns, 2 files" */
void bez_put_extent(bez_buf *out, const bez_report *report);
/* "1.387e-13", "92.4", "20000": four digits, whole numbers below a million in full; the same in every locale. */
void bez_short_number(double value, char out[32]);
/* A key of evidence for people: "target_rows" → "target rows". */
void bez_put_key(bez_buf *out, const char *key);
/* Its value: whole numbers from 10,000 on with separators. */
void bez_put_value(bez_buf *out, const bez_evidence *evidence);
/* "score 41.25, p 1e-12, q 2.5e-09, support 3"; raw text, to be escaped by the caller. */
void bez_put_evidence(bez_buf *out, const bez_finding *f);
/* "data/a.csv: 5–7, 19, … (40 more)": at most max_items ranges, file names only where there are several files. */
void bez_put_rows(bez_buf *out, const bez_report *report, const bez_finding *f, size_t max_items, bool ascii);
const char *bez_remedy_of(const bez_finding *f);
/* What it was that was found, NULL where the pattern is no more than the name of a column (some ranked lists). */
const char *bez_shown_pattern(const bez_report *report, const bez_finding *f);
/* The label column's name, NULL where there is none; *guessed says whether nobody named it. */
const char *bez_label_column(const bez_report *report, bool *guessed);

#endif
