/* Parsed arguments: what stands on the command line, in the environment, in the configuration file, or by default.
 *
 * Values are checked while parsing, so that the getters cannot fail. */
#ifndef BEZ_CLI_ARGS_H
#define BEZ_CLI_ARGS_H

#include "base/arena.h"
#include "bezoar/base.h"
#include "cli/command.h"

/* Ascending strength: a stronger origin replaces what a weaker one said. */
typedef enum bez_origin {
  BEZ_FROM_DEFAULT,
  BEZ_FROM_FILE,         /* the configuration file's top level … */
  BEZ_FROM_FILE_SECTION, /* … and the command's own section in it */
  BEZ_FROM_ENVIRONMENT,
  BEZ_FROM_FLAG
} bez_origin;

typedef struct bez_arg_slot {
  const char **values;
  size_t n, cap;
  bez_origin origin;
} bez_arg_slot;

struct bez_args {
  bez_arena arena;
  const bez_command *command;
  bez_arg_slot *slots; /* one per option of the command */
  const char **positional;
  size_t n_positional;
  bool help; /* -h or --help was given: nothing else is checked */
};

/* argv: what stands behind the command's own words. Release with bez_args_free, also after a failure. */
BEZ_MUST_USE bez_status bez_args_parse(const bez_command *command, int argc, const char *const *argv, bez_args *out,
                                       bez_error *err);
void bez_args_free(bez_args *args);

/* Index of an option by its long name; -1 none. */
int bez_args_option(const bez_command *command, const char *name);
/* Checks one value and adds it. subject ("--label", "BEZOAR_LABEL", "bezoar.yaml") and line (-1 none) place errors. */
BEZ_MUST_USE bez_status bez_args_add(bez_args *args, int option, bez_origin origin, const char *value,
                                     const char *subject, int64_t line, bez_error *err);

/* Getters. A name the command does not have is a bug in the caller and gives "not there". */
bool bez_args_given(const bez_args *args, const char *name);       /* set by anyone but the default */
const char *bez_args_text(const bez_args *args, const char *name); /* last value or default; NULL */
bool bez_args_flag(const bez_args *args, const char *name);        /* FLAG */
uint64_t bez_args_number(const bez_args *args, const char *name);  /* NUMBER, SIZE; 0 where not there */
double bez_args_real(const bez_args *args, const char *name);      /* REAL, TIME; 0 where not there */
size_t bez_args_list(const bez_args *args, const char *name, const char *const **out);
const char *bez_origin_text(bez_origin origin); /* "default", "file", "environment", "flag" */

/* "2G" → bytes, "1h30m" → seconds. */
BEZ_MUST_USE bool bez_args_bytes(const char *text, uint64_t *out);
BEZ_MUST_USE bool bez_args_seconds(const char *text, double *out);

/* The candidate nearest to a mistyped word (edit distance), or NULL when none is near. */
const char *bez_nearest(const char *word, const char *const *candidates, size_t n);

#endif
