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
  const char *names[64];
  size_t n = 0;
  bez_error err = {.code = BEZ_USAGE, .line = -1, .offset = -1};
  for (size_t i = 0; bez_commands[i] && n < 64; i++)
    if (!bez_commands[i]->hidden) names[n++] = bez_commands[i]->name;
  const char *near = bez_nearest(word, names, n);
  snprintf(err.subject, sizeof err.subject, "%s", word);
  if (near)
    snprintf(err.message, sizeof err.message, "unknown command; did you mean \"%s\"?", near);
  else
    snprintf(err.message, sizeof err.message, "unknown command");
  return bez_say_error(&err, NULL, "bezoar --help lists the commands");
}

/* The command that argv names with one word or two; *words says how many it took. */
static const bez_command *find_command(int argc, const char *const *argv, int *words) {
  char two[64];
  if (argc > 2) {
    snprintf(two, sizeof two, "%s %s", argv[1], argv[2]);
    *words = 2;
    const bez_command *command = bez_command_find(two);
    if (command) return command;
  }
  *words = 1;
  return bez_command_find(argv[1]);
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

/* `bezoar report`: the first word of commands with two. */
static bool is_group(const char *word) {
  size_t len = strlen(word);
  for (size_t i = 0; bez_commands[i]; i++)
    if (!strncmp(bez_commands[i]->name, word, len) && bez_commands[i]->name[len] == ' ') return true;
  return false;
}

static int group_help(const char *word, bool asked) {
  bez_buf out = {0};
  size_t len = strlen(word);
  for (size_t i = 0; bez_commands[i]; i++)
    if (!strncmp(bez_commands[i]->name, word, len) && bez_commands[i]->name[len] == ' ')
      bez_buf_printf(&out, "bezoar %s %s\n    %s\n", bez_commands[i]->name, bez_commands[i]->synopsis,
                     bez_commands[i]->summary);
  return bez_say(&out, asked ? BEZ_EXIT_OK : BEZ_EXIT_USAGE);
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
  int words;
  const bez_command *command = find_command(argc, argv, &words);
  if (command) return run_command(command, argc - 1 - words, argv + 1 + words);
  if (is_group(argv[1])) {
    bool asked = argc > 2 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h"));
    if (asked || argc == 2) return group_help(argv[1], asked);
    char word[96];
    snprintf(word, sizeof word, "%s %s", argv[1], argv[2]);
    return usage_unknown(word);
  }
  return usage_unknown(argv[1]);
}
