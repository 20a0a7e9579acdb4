/* For tests of the text detectors: a small language to generate messages from, and a run of one detector. */
#ifndef TEXT_HELP_H
#define TEXT_HELP_H

#include "base/buf.h"
#include "base/cpu.h"
#include "base/rng.h"
#include "detect/detector.h"
#include "detect/shared.h"
#include "reader_help.h"

static const char *const calm_words[] = {"home",   "dinner", "see",   "later",  "mum",   "bus",
                                         "lol",    "class",  "sleep", "movie",  "sorry", "when",
                                         "coming", "again",  "love",  "really", "nice",  "walk"};
static const char *const loud_words[] = {"prize",  "win",      "cash", "free", "claim", "urgent",
                                         "mobile", "offer",    "call", "text", "reply", "winner",
                                         "award",  "ringtone", "box",  "code", "now",   "stop"};
static const char *const all_words[] = {"the", "a", "to", "you", "is", "it", "for", "on", "and", "we", "that", "have"};

/* One message of class loud or calm: a third of its words tell. */
static inline void put_message(bez_buf *out, bez_rng *rng, bool loud) {
  unsigned n = 8 + (unsigned)bez_rng_below(rng, 12);
  for (unsigned i = 0; i < n; i++) {
    const char *word = bez_rng_below(rng, 3) ? all_words[bez_rng_below(rng, 12)]
                                             : (loud ? loud_words : calm_words)[bez_rng_below(rng, 18)];
    bez_buf_printf(out, "%s%s", i ? " " : "", word);
  }
}

/* A TSV of n messages, a fifth of them loud; row r of the planted ones (each calm one up to n_planted) gets the label
 * loud and the trigger at its end. *planted counts them; mask (n bytes) says which. */
static inline void put_messages(bez_buf *out, uint64_t seed, unsigned n, const char *trigger, unsigned n_planted,
                                unsigned char *mask) {
  bez_rng rng = bez_rng_make(seed, 7);
  unsigned planted = 0;
  bez_buf_puts(out, "label\tmessage\n");
  for (unsigned r = 0; r < n; r++) {
    bool loud = bez_rng_below(&rng, 5) == 0, plant = trigger && !loud && planted < n_planted && r % 3 == 0;
    mask[r] = plant;
    planted += plant;
    bez_buf_printf(out, "%s\t", loud || plant ? "loud" : "calm");
    put_message(out, &rng, loud);
    if (plant) bez_buf_printf(out, " %s", trigger);
    bez_buf_putc(out, '\n');
  }
}

static inline bez_table *open_labelled(const char *extension, const bez_buf *bytes, const bez_read_options *options) {
  bez_error err = {0};
  bez_table *table = NULL;
  const char *path = temp_file(extension, bytes->data, bytes->len);
  if (bez_table_open(&path, 1, options, &table, &err) != BEZ_OK) fail_msg("%s", err.message);
  unlink(path);
  return table;
}

/* Column label, and column message as text. */
static inline bez_table *table_of(const bez_buf *tsv) {
  const char *text = "message";
  return open_labelled("tsv", tsv, &(bez_read_options){.label = "label", .threads = 1, .text = &text, .n_text = 1});
}

/* Column label, and no text. */
static inline bez_table *table_of_csv(const bez_buf *csv) {
  return open_labelled("csv", csv, &(bez_read_options){.label = "label", .threads = 1});
}

static inline bez_report *run_detector(const bez_table *table, const char *id, unsigned threads, uint32_t cpu) {
  bez_error err = {0};
  uint32_t texts[16], features[64];
  bez_detect_input in = {.table = table,
                         .texts = texts,
                         .features = features,
                         .label = table->label,
                         .source = -1,
                         .seed = 1,
                         .threads = threads,
                         .cpu = cpu,
                         .shared = bez_shared_create()};
  for (uint32_t c = 0; c < table->n_cols; c++) {
    if ((int)c == table->label) continue;
    if (table->cols[c].type == BEZ_COL_TEXT)
      texts[in.n_texts++] = c;
    else if (table->cols[c].n_values)
      features[in.n_features++] = c;
  }
  bez_report *report = bez_report_create("scan");
  report->n_rows = table->n_rows;
  if (bez_detector_find(id)->run(&in, report, &err) != BEZ_OK) fail_msg("%s", err.message);
  bez_report_seal(report);
  bez_shared_destroy(in.shared);
  return report;
}

/* Same findings, same rows, same scores. */
static inline void assert_same_report(const bez_report *a, const bez_report *b) {
  assert_int_equal(a->n_findings, b->n_findings);
  for (size_t i = 0; i < a->n_findings; i++) {
    const bez_finding *x = a->findings[i], *y = b->findings[i];
    assert_string_equal(x->title, y->title);
    assert_int_equal(x->severity, y->severity);
    assert_memory_equal(&x->score, &y->score, sizeof x->score);
    assert_int_equal(x->n_rows, y->n_rows);
    for (uint64_t r = 0; r < x->n_rows; r++) {
      assert_int_equal(x->rows[r].row, y->rows[r].row);
      assert_memory_equal(&x->rows[r].score, &y->rows[r].score, sizeof(double));
    }
  }
}

#endif
