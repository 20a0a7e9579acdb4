/* The table of commands, expanded from commands.def. */
#include <string.h>

#include "cli/command.h"

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
