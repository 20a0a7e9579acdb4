/* The table of commands, expanded from commands.def. */
#include <stdio.h>
#include <string.h>

#include "cli/args.h"

const bez_command *const bez_commands[] = {
#define BEZ_COMMAND(symbol) &symbol,
#include "cli/commands.def"
#undef BEZ_COMMAND
    NULL};

const bez_command *bez_command_find(const char *name) {
  for (size_t i = 0; bez_commands[i]; i++)
    if (!strcmp(bez_commands[i]->name, name)) return bez_commands[i];
  return NULL;
}

void bez_command_join(size_t n, const char *const *words, char *out, size_t cap) {
  size_t at = 0;
  out[0] = '\0';
  for (size_t i = 0; i < n && at < cap; i++) {
    int put = snprintf(out + at, cap - at, "%s%s", i ? " " : "", words[i]);
    at += put > 0 ? (size_t)put : 0;
  }
}

const bez_command *bez_command_words(size_t n, const char *const *words, size_t *used) {
  char name[96];
  for (size_t k = n < BEZ_COMMAND_WORDS ? n : BEZ_COMMAND_WORDS; k; k--) {
    bez_command_join(k, words, name, sizeof name);
    const bez_command *command = bez_command_find(name);
    *used = k;
    if (command) return command;
  }
  return NULL;
}

bool bez_command_in_group(const bez_command *command, const char *words) {
  size_t len = strlen(words);
  return !strncmp(command->name, words, len) && command->name[len] == ' ';
}

bool bez_command_is_group(const char *words) {
  for (size_t i = 0; bez_commands[i]; i++)
    if (bez_command_in_group(bez_commands[i], words)) return true;
  return false;
}

const char *bez_command_near(const char *words) {
  const char *names[192];
  size_t n = 0;
  for (size_t i = 0; bez_commands[i] && n < sizeof names / sizeof *names; i++)
    if (!bez_commands[i]->hidden) names[n++] = bez_commands[i]->name;
  return bez_nearest(words, names, n);
}
