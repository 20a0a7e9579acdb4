/* Writing a report: text, JSON, SARIF 2.1.0, HTML, Markdown, JUnit XML, and the listed rows as CSV. */
#ifndef BEZOAR_REPORT_H
#define BEZOAR_REPORT_H

#include "bezoar/finding.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bez_writer_info {
  const char *name, *title, *extensions, *summary;
} bez_writer_info;
BEZ_API size_t bez_writer_count(void);
BEZ_API bez_writer_info bez_writer_get(size_t index);

/* Zero-initialise for the defaults. */
typedef struct bez_write_options {
  bool redact;      /* no value of the data in the output */
  bool color;       /* text: ANSI colours */
  bool ascii;       /* text: no character above U+007E */
  unsigned width;   /* text: columns, 0: 80 */
  bool without_run; /* leave out time, host, threads: what comparisons ignore */
} bez_write_options;

/* Renders into *bytes (malloc'ed, NUL behind it, release with bez_free). format: a writer's name. */
BEZ_API BEZ_MUST_USE bez_status bez_report_render(const bez_report *report, const char *format,
                                                  const bez_write_options *options, char **bytes, size_t *len,
                                                  bez_error *err);
/* Renders to a file that appears whole or not at all ("-": standard output). format NULL: by path's extension. */
BEZ_API BEZ_MUST_USE bez_status bez_report_write(const bez_report *report, const char *path, const char *format,
                                                 const bez_write_options *options, bez_error *err);
BEZ_API void bez_free(void *bytes);

/* Who signs reports: an EC key on P-256, P-384 or P-521. May be used by any number of threads. */
typedef struct bez_attestor bez_attestor;
/* From a PEM file; password NULL: none. BEZ_USAGE where it holds no such key. */
BEZ_API BEZ_MUST_USE bez_status bez_attestor_open(const char *path, const char *password, bez_attestor **out,
                                                  bez_error *err);
BEZ_API void bez_attestor_close(bez_attestor *attestor); /* NULL is fine */
/* Signs the report as an in-toto statement (v1, in a DSSE envelope) over the SHA-256 of every model that was scanned,
 * and writes it to path, whole or not at all ("-": standard output). docs/attestation.md says what it holds. BEZ_USAGE
 * where no file has a digest. */
BEZ_API BEZ_MUST_USE bez_status bez_report_attest(const bez_report *report, const bez_attestor *attestor, bool redact,
                                                  const char *path, bez_error *err);

/* What changed between two reports, as text (width 80) or JSON: new, gone and kept findings by fingerprint.
 * *n_new and *n_gone may be NULL. */
BEZ_API BEZ_MUST_USE bez_status bez_report_diff(const bez_report *old_report, const bez_report *new_report, bool json,
                                                char **bytes, size_t *len, size_t *n_new, size_t *n_gone,
                                                bez_error *err);

#ifdef __cplusplus
}
#endif
#endif
