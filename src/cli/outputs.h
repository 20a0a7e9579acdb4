/* Where reports go: checked before the work starts, written when it is done. */
#ifndef BEZ_CLI_OUTPUTS_H
#define BEZ_CLI_OUTPUTS_H

#include "bezoar/report.h"
#include "cli/args.h"

typedef struct bez_output {
  const char *path;   /* "-": standard output */
  const char *format; /* a writer's name */
} bez_output;

typedef struct bez_outputs {
  bez_output *items; /* files first, standard output last */
  size_t n;
  const char *json; /* path of the first JSON report among the files; NULL */
} bez_outputs;

/* --output, --format, --report, --rows and --sbom of the command, as one list. What cannot work is BEZ_USAGE: an
 * unknown extension, a folder that is not there, the same file twice, a file that is also an input. */
BEZ_MUST_USE bez_status bez_outputs_plan(bez_args *args, const char *const *inputs, size_t n_inputs, bez_outputs *out,
                                         bez_error *err);
BEZ_MUST_USE bez_status bez_outputs_write(const bez_outputs *outputs, const bez_report *report, bool redact,
                                          bez_error *err);

/* A path that may be written: its folder is there and it is none of the inputs. */
BEZ_MUST_USE bez_status bez_outputs_check_path(const char *option, const char *path, const char *const *inputs,
                                               size_t n_inputs, bez_error *err);

#endif
