/* bezoar COMMAND …: finds the command in the table, parses, runs. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/error.h"
#include "cli/args.h"
#include "cli/config.h"
#include "cli/help.h"
#include "cli/say.h"

/* A closed standard stream would be handed out again as the number of the next file: hold its place with something
 * that cannot be written to. */
static void hold_standard_streams(void) {
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl(fd, F_GETFD) == -1) (void)!open("/dev/null", O_RDONLY);
}

static int usage_unknown(const char *word) {
  bez_error err = {.code = BEZ_USAGE, .line = -1, .offset = -1};
  const char *near = bez_command_near(word);
  snprintf(err.subject, sizeof err.subject, "%s", word);
  if (near)
    snprintf(err.message, sizeof err.message, "unknown command; did you mean \"%s\"?", near);
  else
    snprintf(err.message, sizeof err.message, "unknown command");
  return bez_say_error(&err, NULL, "bezoar --help lists the commands");
}

static int run_command(const bez_command *command, int argc, const char *const *argv) {
  bez_args args = {0};
  bez_error err = {0};
  bez_status st = bez_args_parse(command, argc, argv, &args, &err);
  if (st == BEZ_OK && !args.help) st = bez_cpu_check(&err);
  if (st == BEZ_OK && !args.help) st = bez_config_apply(&args, &err);
  int code;
  if (st != BEZ_OK) {
    code = bez_say_error(&err, command->name, NULL);
    if (st != BEZ_MEMORY) code = BEZ_EXIT_USAGE;
  } else if (args.help) {
    bez_buf out = {0};
    bez_help_command(&out, command);
    code = bez_say(&out, BEZ_EXIT_OK);
  } else {
    code = command->run(&args);
  }
  bez_args_free(&args);
  return code;
}

static int group_help(const char *words, bool asked) {
  bez_buf out = {0};
  for (size_t i = 0; bez_commands[i]; i++)
    if (bez_command_in_group(bez_commands[i], words))
      bez_buf_printf(&out, "bezoar %s%s%s\n    %s\n", bez_commands[i]->name, *bez_commands[i]->synopsis ? " " : "",
                     bez_commands[i]->synopsis, bez_commands[i]->summary);
  return bez_say(&out, asked ? BEZ_EXIT_OK : BEZ_EXIT_USAGE);
}

/* `bezoar report`, `bezoar vault key --help`, `bezoar vault kei new`: no command, but perhaps words of some. */
static int incomplete(size_t n, const char *const *words) {
  char name[96];
  size_t k = 0;
  do {
    bez_command_join(++k, words, name, sizeof name);
  } while (k < n && k < BEZ_COMMAND_WORDS && bez_command_is_group(name));
  if (bez_command_is_group(name)) return group_help(name, false);
  if (k == 1) return usage_unknown(name);
  bool asked = !strcmp(words[k - 1], "--help") || !strcmp(words[k - 1], "-h");
  if (!asked) return usage_unknown(name);
  bez_command_join(k - 1, words, name, sizeof name);
  return group_help(name, true);
}

int main(int argc, char **argv_in) {
  const char *const *argv = (const char *const *)argv_in;
  hold_standard_streams();
  signal(SIGPIPE, SIG_IGN);
  if (argc < 2) {
    bez_buf out = {0};
    bez_help_overview(&out);
    return bez_say(&out, BEZ_EXIT_USAGE);
  }
  if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) return run_command(bez_command_find("help"), 0, argv);
  if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) return run_command(bez_command_find("version"), 0, argv);
  size_t used = 0, n = (size_t)argc - 1;
  const bez_command *command = bez_command_words(n, argv + 1, &used);
  if (command) return run_command(command, (int)(n - used), argv + 1 + used);
  return incomplete(n, argv + 1);
}
