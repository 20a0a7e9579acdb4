/* The finding and the report as plain data: what detectors fill and writers read.
 *
 * Everything hangs on the report's arena. Builders return NULL when memory is out and remember it in the report
 * (bez_report_status), so that a detector needs one check at its end. */
#ifndef BEZ_FINDING_FINDING_H
#define BEZ_FINDING_FINDING_H

#include "base/arena.h"
#include "bezoar/finding.h"

#define BEZ_RULESET_VERSION 1u

/* What a rule is: metadata written once, next to the code that emits it. */
typedef struct bez_rule {
  const char *id;       /* "BZ-D001", never reused */
  const char *name;     /* "label-contradiction", kebab case */
  const char *title;    /* "Label contradiction of a pattern" */
  const char *summary;  /* one or two sentences: what it finds */
  const char *remedy;   /* what to do about it, in general */
  const char *taxonomy; /* space separated: "ATLAS:AML.T0020 NIST:NISTAML.013 OWASP:LLM04 OWASP-ML:ML02" */
  const char *example;  /* of a check of models: the title of a finding, as tests/golden-bad/audit provokes it */
} bez_rule;

typedef struct bez_evidence {
  const char *key;  /* "support", "purity", … */
  const char *text; /* printed form, always there */
  double number;    /* NaN where it is no number */
  struct bez_evidence *next;
} bez_evidence;

typedef enum bez_exhibit_kind {
  BEZ_EXHIBIT_CELLS, /* a small table with highlighted cells */
  BEZ_EXHIBIT_TEXT,  /* a text with highlighted byte spans */
  BEZ_EXHIBIT_TILE,  /* a small RGB picture */
  BEZ_EXHIBIT_SERIES /* numbers to plot */
} bez_exhibit_kind;

typedef struct bez_span {
  uint32_t begin, end; /* bytes of the text, end exclusive */
} bez_span;

/* Stands alone: a writer never needs the data. Fields of other kinds are zero. */
typedef struct bez_exhibit {
  bez_exhibit_kind kind;
  const char *caption;
  bool sensitive; /* holds values of the data: left out under --redact */
  /* CELLS: cells[r * n_cols + c]; role[r] says what the row is ("flagged", "nearest clean", …) */
  uint32_t n_rows, n_cols;
  const char **header, **cells, **role;
  const uint8_t *highlight; /* n_rows × n_cols, 1 = highlighted */
  /* TEXT */
  const char *text; /* valid UTF-8 */
  uint32_t n_spans;
  const bez_span *spans;
  /* TILE: height × width × 3 */
  uint32_t width, height;
  const uint8_t *rgb;
  /* SERIES */
  uint32_t n_points;
  const double *x, *y;
  const uint8_t *marked; /* n_points, 1 = a flagged point; may be NULL */
  const char *x_label, *y_label;
  struct bez_exhibit *next;
} bez_exhibit;

/* One row that a finding lists. */
typedef struct bez_row_hit {
  uint64_t row;          /* global row of the data set: files in order, 0-based */
  double score;          /* NaN where there is none */
  double q;              /* q-value, NaN where there is none */
  const char *label;     /* given label, NULL where there is none */
  const char *suggested; /* suggested label, NULL where there is none */
} bez_row_hit;

/* Where in a file that has no rows: a model. */
typedef struct bez_file_place {
  const char *file; /* NULL: the rows say where */
  const char *part; /* what is packed in it: "archive/data.pkl"; "" the file itself */
  uint64_t byte;    /* of the part */
} bez_file_place;

typedef struct bez_finding {
  const bez_rule *rule;
  bez_severity severity;
  const char
      *title; /* one line, what was found: "60 rows with workclass=\"Never-worked\" and race=\"Other\" carry <=50K" */
  const char
      *pattern; /* the trigger alone, canonical: "workclass=Never-worked & race=Other"; NULL where there is none */
  const char *target;             /* the label it pushes towards; NULL */
  const char *remedy;             /* NULL: the rule's */
  double score, p_value, q_value; /* NaN where there is none */
  bez_evidence *evidence, *evidence_last;
  bez_exhibit *exhibit, *exhibit_last;
  bez_file_place place;
  const bez_row_hit *rows; /* ascending by row */
  uint64_t n_rows;
  bool ranked_list; /* the rows are a list to review, not rows said to be poisoned: they found no incident */
  const char
      *fingerprint;  /* 64 hex; from rule, pattern, target (bez_report_seal computes it), never from row numbers */
  uint32_t incident; /* 1-based; 0: none */
  bool suppressed;
  const char *suppressed_by;
  bool is_new; /* not in the baseline; true without a baseline */
} bez_finding;

/* What was not examined. */
typedef struct bez_not_checked {
  const char *what;   /* "BZ-D006 nearest neighbours", "data/part-7.csv" */
  const char *reason; /* "more than 200,000 rows: sampled 20,000" */
  bool requested;     /* the user asked for it: exit code 3 */
  struct bez_not_checked *next;
} bez_not_checked;

typedef struct bez_kv {
  const char *key, *value;
} bez_kv;

typedef struct bez_report_file {
  const char *path;
  uint64_t first_row, n_rows; /* global rows [first_row, first_row + n_rows) */
  uint64_t bytes;
  const char *format;
  const char *digest;  /* tells the content from another of the same size; NULL or "" where unknown */
  const char *sha256;  /* of a model's bytes, 64 hex digits; NULL or "" where there is none */
  const bez_kv *about; /* what a model says of itself: architecture, base_model, license …; keys may come again */
  size_t n_about;
} bez_report_file;

typedef struct bez_report_column {
  const char *name, *type,
      *role; /* type "numeric" …, role "label" | "text" | "source" | "id" | "feature" | "ignored" */
  uint64_t distinct, missing;
  bool type_given, role_given;
} bez_report_column;

typedef struct bez_incident {
  uint32_t id; /* 1-based */
  bez_severity severity;
  const char *title;
  uint64_t n_rows;
} bez_incident;

/* One suppression as applied (owner, justification, expiry shown in every report). */
typedef struct bez_suppression {
  const char *rule, *fingerprint, *owner, *justification, *expires; /* expires: YYYY-MM-DD */
  bool expired, used;
} bez_suppression;

struct bez_report {
  bez_arena arena;
  bool out_of_memory;
  bool redacted;            /* values of the data were taken out (bez_report_redact) */
  const char *tool_version; /* that made it; NULL: this one */
  const char *command;      /* "scan" */
  uint32_t ruleset;         /* version in force */
  bez_report_file *files;
  size_t n_files;
  bez_report_column *columns;
  size_t n_columns;
  uint64_t n_rows;
  bez_finding **findings;
  size_t n_findings, cap_findings;
  bez_incident *incidents;
  size_t n_incidents;
  bez_not_checked *not_checked, *not_checked_last;
  const bez_rule **rules_run; /* checks that ran to their end */
  size_t n_rules_run, cap_rules_run;
  bez_kv *options; /* the effective set */
  size_t n_options;
  bez_suppression *suppressions;
  size_t n_suppressions;
  bool has_baseline, new_only;
  bez_kv *run; /* time, host, threads, version: what comparisons leave out */
  size_t n_run;
  struct bez_row_index *row_index; /* made on first demand by the public row accessor; finding room only */
};

/* Findings that count: not suppressed and, where a baseline with new_only was applied, new. */
static inline bool bez_finding_active(const bez_report *report, const bez_finding *f) {
  return !f->suppressed && (!report->new_only || f->is_new);
}

bez_report *bez_report_create(const char *command); /* NULL: out of memory */
BEZ_MUST_USE bez_status bez_report_status(const bez_report *report, bez_error *err);

/* A new finding with NaN scores, appended. NULL when memory is out (then the builders below accept NULL). */
bez_finding *bez_report_add(bez_report *report, const bez_rule *rule, bez_severity severity);
/* As above: a note whose rows are a list to review in its order (ranked_list). */
bez_finding *bez_report_add_list(bez_report *report, const bez_rule *rule, double score);
void bez_finding_title(bez_report *report, bez_finding *f, const char *fmt, ...) BEZ_PRINTF(3, 4);
void bez_finding_remedy(bez_report *report, bez_finding *f, const char *fmt, ...) BEZ_PRINTF(3, 4);
/* pattern and target are copied. */
void bez_finding_subject(bez_report *report, bez_finding *f, const char *pattern, const char *target);
/* Copied. */
void bez_finding_place(bez_report *report, bez_finding *f, const char *file, const char *part, uint64_t byte);
/* Keys are constants of the rule. A number stays under --redact: counts, shares and scores are numbers, a value of
 * the data (5013, "SE") is text. */
void bez_finding_number(bez_report *report, bez_finding *f, const char *key, double value);
void bez_finding_text(bez_report *report, bez_finding *f, const char *key, const char *fmt, ...) BEZ_PRINTF(4, 5);
/* Copies the rows and sorts them ascending; label strings are copied too. */
void bez_finding_rows(bez_report *report, bez_finding *f, const bez_row_hit *rows, uint64_t n);

/* Exhibits: storage is made, the caller fills it through the non-const return. Cells and excerpts come out
 * sensitive, series not (set it where an axis shows values of the data; an axis named like a column counts so anyway).
 * Cells, excerpts and series beyond what a report should hold are cut (src/finding/exhibit.c states the sizes); cells
 * outside are ignored. */
bez_exhibit *bez_finding_cells(bez_report *report, bez_finding *f, const char *caption, uint32_t n_rows,
                               uint32_t n_cols);
void bez_exhibit_header(bez_report *report, bez_exhibit *x, uint32_t col, const char *text);
void bez_exhibit_cell(bez_report *report, bez_exhibit *x, uint32_t row, uint32_t col, const char *text, size_t len,
                      bool highlight);
void bez_exhibit_role(bez_report *report, bez_exhibit *x, uint32_t row, const char *role);
/* Invalid UTF-8 is replaced; spans count bytes of `text` as given and are mapped. Long texts are cut around the
 * first span. */
bez_exhibit *bez_finding_excerpt(bez_report *report, bez_finding *f, const char *caption, const char *text, size_t len,
                                 const bez_span *spans, uint32_t n_spans);
bez_exhibit *bez_finding_series(bez_report *report, bez_finding *f, const char *caption, const char *x_label,
                                const char *y_label, const double *x, const double *y, const uint8_t *marked,
                                uint32_t n_points);

/* A picture of at most 512 × 512 pixels (scale larger ones before). Returns room for height × width × 3 bytes, zeroed,
 * to be filled by the caller; NULL when memory is out or a side is larger. Comes out sensitive. */
uint8_t *bez_finding_tile(bez_report *report, bez_finding *f, const char *caption, uint32_t width, uint32_t height);

void bez_report_not_checked(bez_report *report, bool requested, const char *what, const char *fmt, ...)
    BEZ_PRINTF(4, 5);
void bez_report_ran(bez_report *report, const bez_rule *rule);
/* A key given again is joined with ", ". */
void bez_report_option(bez_report *report, const char *key, const char *value);
/* A key given again replaces the value. */
void bez_report_run_info(bez_report *report, const char *key, const char *value);
/* Computes fingerprints, orders findings (severity, then score, then rule, then fingerprint) and caps them at
 * BEZ_MAX_FINDINGS per rule (what is cut is said among what was not checked). May be called again. */
void bez_report_seal(bez_report *report);

/* Whether the file was examined as a model, or beside one: it has no rows. */
bool bez_file_is_model(const bez_report_file *file);
/* Why some of it was not examined: the first reason there is; NULL where nothing is said. */
const char *bez_file_unchecked(const bez_report *report, const bez_report_file *file);

/* Which file a global row lies in; *local is its 0-based row there. NULL when outside. */
const bez_report_file *bez_report_locate(const bez_report *report, uint64_t row, uint64_t *local);

#endif
