/* A command: one file cmd_*.c that ends in one `const bez_command`, and one row in commands.def. Help, man pages,
 * completions and docs/commands are generated from these tables. The CLI sees include/bezoar/ and base/ only. */
#ifndef BEZ_CLI_COMMAND_H
#define BEZ_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

typedef enum bez_arg_kind {
  BEZ_ARG_FLAG, /* --name, --no-name */
  BEZ_ARG_TEXT,
  BEZ_ARG_NUMBER, /* a whole number ≥ 0 */
  BEZ_ARG_SIZE,   /* bytes: 512M, 2G */
  BEZ_ARG_TIME,   /* seconds: 30s, 5m, 1h30m */
  BEZ_ARG_FILE,
  BEZ_ARG_CHOICE,
  BEZ_ARG_REAL /* a real number ≥ 0 */
} bez_arg_kind;

typedef struct bez_option {
  const char *name; /* "label": --label */
  char letter;      /* 'o': -o; 0 none */
  bez_arg_kind kind;
  bool repeat;          /* may be given more than once */
  bool list;            /* comma separated values */
  const char *value;    /* "COL" in help */
  const char *choices;  /* "error warning note never" for BEZ_ARG_CHOICE */
  const char *fallback; /* default as text, NULL none */
  const char *help;     /* one sentence */
} bez_option;

typedef struct bez_args bez_args; /* parsed: cli/args.h */

typedef struct bez_command {
  const char *name;                   /* "scan"; "report diff", "vault key new" for sub-commands */
  const char *synopsis;               /* "PATH…" */
  const char *summary;                /* one line */
  const char *description;            /* paragraphs separated by blank lines */
  const char *examples;               /* "command — what it does" lines */
  const bez_option *options;          /* ends with a row whose name is NULL */
  int min_positional, max_positional; /* max -1: any number */
  int (*run)(const bez_args *args);   /* exit code */
  const char *words;                  /* what the positional may be, for completion; NULL: files */
  bool hidden;                        /* for the build, not for people */
} bez_command;

#define BEZ_COMMAND(symbol) extern const bez_command symbol;
#include "cli/commands.def"
#undef BEZ_COMMAND

extern const bez_command *const bez_commands[]; /* NULL-terminated */

/* The command of that name ("report diff"); NULL. */
const bez_command *bez_command_find(const char *name);
/* The command that the first words name (as many of them as make one); *used says how many. NULL: none. */
#define BEZ_COMMAND_WORDS 3u
const bez_command *bez_command_words(size_t n, const char *const *words, size_t *used);
void bez_command_join(size_t n, const char *const *words, char *out, size_t cap); /* with blanks */
/* "report" and "vault key" are groups: first words of commands with more. */
bool bez_command_in_group(const bez_command *command, const char *words);
bool bez_command_is_group(const char *words);
/* The command that mistyped words probably mean; NULL. */
const char *bez_command_near(const char *words);

/* Exit codes. */
enum { BEZ_EXIT_OK = 0, BEZ_EXIT_FINDINGS = 1, BEZ_EXIT_USAGE = 2, BEZ_EXIT_UNEXAMINED = 3 };

#endif
