/* Shell completions from the command table: bash, zsh, fish. */
#include <stdio.h>
#include <string.h>

#include "cli/help.h"

/* First words of all commands, each once: "scan clean … report …". */
static void put_first_words(bez_buf *out) {
  const char *last = "";
  size_t last_len = 0;
  for (size_t i = 0; bez_commands[i]; i++) {
    const char *name = bez_commands[i]->name;
    size_t len = strcspn(name, " ");
    if (bez_commands[i]->hidden || (len == last_len && !memcmp(name, last, len))) continue;
    if (last_len) bez_buf_putc(out, ' ');
    bez_buf_write(out, name, len);
    last = name, last_len = len;
  }
}

static void put_flags(bez_buf *out, const bez_command *c) {
  for (const bez_option *o = c->options; o->name; o++) {
    bez_buf_printf(out, "--%s ", o->name);
    if (o->letter) bez_buf_printf(out, "-%c ", o->letter);
  }
  bez_buf_puts(out, "--help");
}

static void put_bash_choices(bez_buf *out, const bez_command *c) {
  for (const bez_option *o = c->options; o->name; o++)
    if (o->choices)
      bez_buf_printf(out, "    \"%s --%s\") COMPREPLY=($(compgen -W \"%s\" -- \"$cur\")); return ;;\n", c->name,
                     o->name, o->choices);
}

static void put_bash(bez_buf *out) {
  bez_buf_puts(out, "# bash completion for bezoar; made from the command table by \"bezoar completion bash\".\n"
                    "_bezoar() {\n"
                    "  local cur prev cmd\n"
                    "  cur=${COMP_WORDS[COMP_CWORD]}\n"
                    "  prev=${COMP_WORDS[COMP_CWORD-1]}\n"
                    "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    COMPREPLY=($(compgen -W \"");
  put_first_words(out);
  bez_buf_puts(out, " --help --version\" -- \"$cur\"))\n    return\n  fi\n"
                    "  cmd=${COMP_WORDS[1]}\n"
                    "  if [ \"$cmd\" = report ]; then\n"
                    "    if [ \"$COMP_CWORD\" -eq 2 ]; then\n"
                    "      COMPREPLY=($(compgen -W \"show diff\" -- \"$cur\"))\n      return\n    fi\n"
                    "    cmd=\"$cmd ${COMP_WORDS[2]}\"\n  fi\n"
                    "  case \"$cmd $prev\" in\n");
  for (size_t i = 0; bez_commands[i]; i++)
    if (!bez_commands[i]->hidden) put_bash_choices(out, bez_commands[i]);
  bez_buf_puts(out, "  esac\n  case \"$cmd\" in\n");
  for (size_t i = 0; bez_commands[i]; i++) {
    const bez_command *c = bez_commands[i];
    if (c->hidden) continue;
    bez_buf_printf(out, "    \"%s\")\n      case \"$cur\" in\n        -*) COMPREPLY=($(compgen -W \"", c->name);
    put_flags(out, c);
    bez_buf_puts(out, "\" -- \"$cur\")) ;;\n");
    if (c->words)
      bez_buf_printf(out, "        *) COMPREPLY=($(compgen -W \"%s\" -- \"$cur\")) ;;\n", c->words);
    else
      bez_buf_puts(out, "        *) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n");
    bez_buf_puts(out, "      esac ;;\n");
  }
  bez_buf_puts(out, "  esac\n}\ncomplete -o filenames -F _bezoar bezoar\n");
}

/* Text inside single quotes of zsh and fish; brackets and colons end a zsh description early. */
static void put_quoted(bez_buf *out, const char *text, bool zsh) {
  for (const char *p = text; *p; p++) {
    if (*p == '\'')
      bez_buf_puts(out, zsh ? "'\\''" : "\\'");
    else if (*p == '\\' || (zsh && (*p == '[' || *p == ']' || *p == ':')))
      bez_buf_printf(out, "\\%c", *p);
    else
      bez_buf_putc(out, *p);
  }
}

static void put_zsh_command(bez_buf *out, const bez_command *c) {
  bez_buf_printf(out, "    '%s') _arguments", c->name);
  for (const bez_option *o = c->options; o->name; o++) {
    bez_buf_printf(out, " \\\n      '%s--%s%s[", o->repeat ? "*" : "", o->name, o->kind == BEZ_ARG_FLAG ? "" : "=");
    put_quoted(out, o->help, true);
    bez_buf_putc(out, ']');
    if (o->choices)
      bez_buf_printf(out, ":%s:(%s)", o->name, o->choices);
    else if (o->kind == BEZ_ARG_FILE)
      bez_buf_puts(out, ":file:_files");
    else if (o->kind != BEZ_ARG_FLAG)
      bez_buf_printf(out, ":%s:", o->name);
    bez_buf_putc(out, '\'');
  }
  bez_buf_puts(out, " \\\n      '(-h --help)'{-h,--help}'[Show the help]'");
  if (c->words)
    bez_buf_printf(out, " \\\n      '*:argument:(%s)'", c->words);
  else
    bez_buf_puts(out, " \\\n      '*:file:_files'");
  bez_buf_puts(out, " ;;\n");
}

static void put_zsh(bez_buf *out) {
  bez_buf_puts(out, "#compdef bezoar\n# made from the command table by \"bezoar completion zsh\".\n_bezoar() {\n"
                    "  local cmd\n  if (( CURRENT == 2 )); then\n    compadd -- ");
  put_first_words(out);
  bez_buf_puts(out, "\n    return\n  fi\n  cmd=$words[2]\n  shift words\n  (( CURRENT-- ))\n"
                    "  if [[ $cmd == report ]]; then\n"
                    "    if (( CURRENT == 2 )); then\n      compadd -- show diff\n      return\n    fi\n"
                    "    cmd=\"$cmd $words[2]\"\n    shift words\n    (( CURRENT-- ))\n  fi\n  case $cmd in\n");
  for (size_t i = 0; bez_commands[i]; i++)
    if (!bez_commands[i]->hidden) put_zsh_command(out, bez_commands[i]);
  bez_buf_puts(out, "  esac\n}\n_bezoar \"$@\"\n");
}

static void put_fish(bez_buf *out) {
  bez_buf_puts(out, "# fish completion for bezoar; made from the command table by \"bezoar completion fish\".\n");
  for (size_t i = 0; bez_commands[i]; i++) {
    const bez_command *c = bez_commands[i];
    if (c->hidden) continue;
    size_t len = strcspn(c->name, " ");
    const char *second = c->name[len] ? c->name + len + 1 : NULL;
    char first[32];
    snprintf(first, sizeof first, "%.*s", (int)len, c->name);
    if (second)
      bez_buf_printf(out,
                     "complete -c bezoar -f -n '__fish_use_subcommand' -a %s\n"
                     "complete -c bezoar -f -n '__fish_seen_subcommand_from %s' -a %s -d '",
                     first, first, second);
    else
      bez_buf_printf(out, "complete -c bezoar -f -n '__fish_use_subcommand' -a %s -d '", first);
    put_quoted(out, c->summary, false);
    bez_buf_puts(out, "'\n");
    if (c->words)
      bez_buf_printf(out, "complete -c bezoar -f -n '__fish_seen_subcommand_from %s' -a '%s'\n", first, c->words);
    for (const bez_option *o = c->options; o->name; o++) {
      bez_buf_printf(out, "complete -c bezoar -n '__fish_seen_subcommand_from %s' -l %s", second ? second : first,
                     o->name);
      if (o->letter) bez_buf_printf(out, " -s %c", o->letter);
      if (o->kind != BEZ_ARG_FLAG) bez_buf_puts(out, o->kind == BEZ_ARG_FILE ? " -r -F" : " -x");
      if (o->choices) bez_buf_printf(out, " -a '%s'", o->choices);
      bez_buf_puts(out, " -d '");
      put_quoted(out, o->help, false);
      bez_buf_puts(out, "'\n");
    }
  }
}

bool bez_completion(bez_buf *out, const char *shell) {
  if (!strcmp(shell, "bash"))
    put_bash(out);
  else if (!strcmp(shell, "zsh"))
    put_zsh(out);
  else if (!strcmp(shell, "fish"))
    put_fish(out);
  else
    return false;
  return true;
}
