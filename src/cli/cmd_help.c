/* The commands about the tool itself: help, version, completion, man, docs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/args.h"
#include "cli/help.h"
#include "cli/say.h"

static const bez_option none[] = {{NULL}};

/* The command that the positional words name; name: they, joined by blanks. */
static const bez_command *named(const bez_args *args, char *name, size_t cap) {
  bez_command_join(args->n_positional, args->positional, name, cap);
  return bez_command_find(name);
}

static int fail_command(const char *name, const char *self) {
  bez_error err = {.code = BEZ_USAGE, .line = -1, .offset = -1};
  const char *near = bez_command_near(name);
  snprintf(err.subject, sizeof err.subject, "%s", name);
  snprintf(err.message, sizeof err.message, "unknown command%s%s%s", near ? "; did you mean \"" : "", near ? near : "",
           near ? "\"?" : "");
  return bez_say_error(&err, self, NULL);
}

static int run_help(const bez_args *args) {
  char name[96];
  bez_buf out = {0};
  if (!args->n_positional) {
    bez_help_overview(&out);
    return bez_say(&out, BEZ_EXIT_OK);
  }
  const bez_command *command = named(args, name, sizeof name);
  if (command) {
    bez_help_command(&out, command);
    return bez_say(&out, BEZ_EXIT_OK);
  }
  bool group = false;
  for (size_t i = 0; bez_commands[i]; i++) {
    if (!bez_command_in_group(bez_commands[i], name)) continue;
    if (group) bez_buf_puts(&out, "\n\n");
    bez_help_command(&out, bez_commands[i]);
    group = true;
  }
  return group ? bez_say(&out, BEZ_EXIT_OK) : fail_command(name, NULL);
}

static int run_version(const bez_args *args) {
  (void)args;
  bez_buf out = {0};
  bez_buf_printf(&out, "bezoar %s\n", bez_version());
  return bez_say(&out, BEZ_EXIT_OK);
}

static int run_completion(const bez_args *args) {
  bez_buf out = {0};
  if (bez_completion(&out, args->positional[0])) return bez_say(&out, BEZ_EXIT_OK);
  bez_buf_free(&out);
  bez_error err = {0};
  (void)bez_fail(&err, BEZ_USAGE, args->positional[0], "unknown shell: bash, zsh or fish");
  return bez_say_error(&err, "completion", NULL);
}

/* "bezoar-report-show.1" */
static void page_name(const bez_command *command, char *out, size_t cap) {
  snprintf(out, cap, "bezoar%s%s.1", command ? "-" : "", command ? command->name : "");
  for (char *p = out; *p; p++)
    if (*p == ' ') *p = '-';
}

static bez_status write_page(const char *folder, const bez_command *command, bez_error *err) {
  char name[128], path[4096];
  bez_buf out = {0};
  page_name(command, name, sizeof name);
  if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
    return bez_fail(err, BEZ_USAGE, folder, "the path is too long");
  bez_man_page(&out, command);
  bez_status st = bez_buf_status(&out, err);
  if (st == BEZ_OK) st = bez_file_write(path, out.data, out.len, err);
  bez_buf_free(&out);
  return st;
}

static int run_man(const bez_args *args) {
  char name[96];
  bez_error err = {0};
  const char *folder = bez_args_text(args, "into");
  if (folder) {
    bez_status st = write_page(folder, NULL, &err);
    for (size_t i = 0; bez_commands[i] && st == BEZ_OK; i++)
      if (!bez_commands[i]->hidden) st = write_page(folder, bez_commands[i], &err);
    return st == BEZ_OK ? BEZ_EXIT_OK : bez_say_error(&err, "man", NULL);
  }
  const bez_command *command = args->n_positional ? named(args, name, sizeof name) : NULL;
  if (args->n_positional && !command) return fail_command(name, "man");
  bez_buf out = {0};
  bez_man_page(&out, command);
  return bez_say(&out, BEZ_EXIT_OK);
}

typedef struct docs_target {
  const char *folder;
  bez_error err;
  bez_status st;
} docs_target;

static bool put_docs(void *ctx, const char *name, const char *text) {
  docs_target *t = ctx;
  char path[4096];
  if (snprintf(path, sizeof path, "%s/%s", t->folder, name) >= (int)sizeof path) {
    t->st = bez_fail(&t->err, BEZ_USAGE, t->folder, "the path is too long");
    return false;
  }
  char *slash = strrchr(path, '/');
  *slash = '\0';
  if (mkdir(path, 0777) != 0 && errno != EEXIST) {
    t->st = bez_fail_errno(&t->err, path, "cannot create");
    return false;
  }
  *slash = '/';
  t->st = bez_file_write(path, text, strlen(text), &t->err);
  return t->st == BEZ_OK;
}

static int run_docs(const bez_args *args) {
  docs_target target = {.folder = args->positional[0]};
  if (bez_docs_pages(put_docs, &target)) return BEZ_EXIT_OK;
  return bez_say_error(&target.err, "docs", NULL);
}

static const bez_option man_options[] = {
    {"into", 0, BEZ_ARG_FILE, .value = "FOLDER", .help = "Write the pages of all commands as files into a folder."},
    {NULL}};

const bez_command bez_command_help = {.name = "help",
                                      .synopsis = "[COMMAND]",
                                      .summary = "Show help on a command.",
                                      .examples = "bezoar help scan — everything about scanning",
                                      .options = none,
                                      .max_positional = BEZ_COMMAND_WORDS,
                                      .run = run_help,
                                      .words = "scan clean poison report vault watch explain list"};

const bez_command bez_command_version = {.name = "version",
                                         .synopsis = "",
                                         .summary = "Show the version.",
                                         .examples = "bezoar --version — the same",
                                         .options = none,
                                         .run = run_version,
                                         .words = ""};

const bez_command bez_command_completion = {.name = "completion",
                                            .synopsis = "bash|zsh|fish",
                                            .summary = "Write a completion script for a shell.",
                                            .examples = "source <(bezoar completion bash) — complete in this shell",
                                            .options = none,
                                            .min_positional = 1,
                                            .max_positional = 1,
                                            .run = run_completion,
                                            .words = "bash zsh fish"};

const bez_command bez_command_man = {.name = "man",
                                     .synopsis = "[COMMAND]",
                                     .summary = "Write a man page in roff.",
                                     .examples = "bezoar man scan | man -l - — read it",
                                     .options = man_options,
                                     .max_positional = BEZ_COMMAND_WORDS,
                                     .run = run_man,
                                     .words = "scan clean poison report vault watch explain list"};

const bez_command bez_command_docs = {.name = "docs",
                                      .synopsis = "FOLDER",
                                      .summary = "Write the reference pages made from the tables.",
                                      .examples = "bezoar docs docs — bring docs/ up to date",
                                      .options = none,
                                      .min_positional = 1,
                                      .max_positional = 1,
                                      .run = run_docs,
                                      .hidden = true};
