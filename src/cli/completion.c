/* Shell completions from the command table: bash, zsh, fish. */
#include <stdio.h>
#include <string.h>

#include "cli/help.h"

/* Bytes of the first k words of a name; 0 where it has fewer. */
static size_t words_len(const char *name, size_t k) {
  const char *p = name;
  for (size_t i = 0; i < k; i++) {
    if (i) p = *p ? p + 1 : p;
    if (!*p) return 0;
    p += strcspn(p, " ");
  }
  return (size_t)(p - name);
}

/* Whether no visible command before this one begins with the same len bytes and ends or goes on with a blank there. */
static bool is_first(size_t command, size_t len) {
  const char *name = bez_commands[command]->name;
  for (size_t i = 0; i < command; i++) {
    const char *other = bez_commands[i]->name;
    if (!bez_commands[i]->hidden && !strncmp(other, name, len) && (!other[len] || other[len] == ' ')) return false;
  }
  return true;
}

/* What may stand behind the words of a group ("": first words), each once: "scan clean … report …", "show diff". */
static void put_next_words(bez_buf *out, const char *group, size_t k) {
  bool any = false;
  for (size_t i = 0; bez_commands[i]; i++) {
    const char *name = bez_commands[i]->name;
    size_t len = words_len(name, k + 1), from = k ? strlen(group) + 1 : 0;
    if (bez_commands[i]->hidden || !len || (k && !bez_command_in_group(bez_commands[i], group))) continue;
    if (!is_first(i, len)) continue;
    if (any) bez_buf_putc(out, ' ');
    bez_buf_write(out, name + from, len - from);
    any = true;
  }
}

/* Calls put for each group ("report", "vault", "vault key") and the number of its words. */
static void each_group(bez_buf *out, void (*put)(bez_buf *out, const char *group, size_t k)) {
  char group[96];
  for (size_t i = 0; bez_commands[i]; i++)
    for (size_t k = 1; k < BEZ_COMMAND_WORDS; k++) {
      const char *name = bez_commands[i]->name;
      size_t len = words_len(name, k);
      if (bez_commands[i]->hidden || !len || !name[len] || !is_first(i, len)) continue;
      snprintf(group, sizeof group, "%.*s", (int)len, name);
      put(out, group, k);
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

static void put_bash_group(bez_buf *out, const char *group, size_t k) {
  bez_buf_printf(out, "      \"%s\") next=\"", group);
  put_next_words(out, group, k);
  bez_buf_puts(out, "\" ;;\n");
}

static void put_bash(bez_buf *out) {
  bez_buf_puts(out, "# bash completion for bezoar; made from the command table by \"bezoar completion bash\".\n"
                    "_bezoar() {\n"
                    "  local cur prev cmd next i\n"
                    "  cur=${COMP_WORDS[COMP_CWORD]}\n"
                    "  prev=${COMP_WORDS[COMP_CWORD-1]}\n"
                    "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n    COMPREPLY=($(compgen -W \"");
  put_next_words(out, "", 0);
  bez_buf_puts(out, " --help --version\" -- \"$cur\"))\n    return\n  fi\n"
                    "  cmd=${COMP_WORDS[1]}\n"
                    "  for i in 2 3; do\n    case \"$cmd\" in\n");
  each_group(out, put_bash_group);
  bez_buf_puts(out, "      *) break ;;\n    esac\n"
                    "    if [ \"$COMP_CWORD\" -eq \"$i\" ]; then\n"
                    "      COMPREPLY=($(compgen -W \"$next\" -- \"$cur\"))\n      return\n    fi\n"
                    "    cmd=\"$cmd ${COMP_WORDS[$i]}\"\n  done\n"
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

static void put_zsh_group(bez_buf *out, const char *group, size_t k) {
  bez_buf_printf(out, "      '%s') next=(", group);
  put_next_words(out, group, k);
  bez_buf_puts(out, ") ;;\n");
}

static void put_zsh(bez_buf *out) {
  bez_buf_puts(out, "#compdef bezoar\n# made from the command table by \"bezoar completion zsh\".\n_bezoar() {\n"
                    "  local cmd\n  local -a next\n  if (( CURRENT == 2 )); then\n    compadd -- ");
  put_next_words(out, "", 0);
  bez_buf_puts(out, "\n    return\n  fi\n  cmd=$words[2]\n  shift words\n  (( CURRENT-- ))\n"
                    "  while true; do\n    case $cmd in\n");
  each_group(out, put_zsh_group);
  bez_buf_puts(out, "      *) break ;;\n    esac\n"
                    "    if (( CURRENT == 2 )); then\n      compadd -- $next\n      return\n    fi\n"
                    "    cmd=\"$cmd $words[2]\"\n    shift words\n    (( CURRENT-- ))\n  done\n  case $cmd in\n");
  for (size_t i = 0; bez_commands[i]; i++)
    if (!bez_commands[i]->hidden) put_zsh_command(out, bez_commands[i]);
  bez_buf_puts(out, "  esac\n}\n_bezoar \"$@\"\n");
}

/* "-n '…'": the words of a command but the last stand on the line already. */
static void put_fish_seen(bez_buf *out, const char *name, size_t k) {
  bez_buf_puts(out, "complete -c bezoar ");
  bez_buf_puts(out, k ? "-n '" : "-n '__fish_use_subcommand");
  for (size_t i = 1; i <= k; i++) {
    size_t from = i > 1 ? words_len(name, i - 1) + 1 : 0;
    bez_buf_printf(out, "%s__fish_seen_subcommand_from %.*s", i > 1 ? "; and " : "", (int)(words_len(name, i) - from),
                   name + from);
  }
  bez_buf_puts(out, "'");
}

static void put_fish_option(bez_buf *out, const bez_option *o) {
  bez_buf_printf(out, " -l %s", o->name);
  if (o->letter) bez_buf_printf(out, " -s %c", o->letter);
  if (o->kind != BEZ_ARG_FLAG) bez_buf_puts(out, o->kind == BEZ_ARG_FILE ? " -r -F" : " -x");
  if (o->choices) bez_buf_printf(out, " -a '%s'", o->choices);
  bez_buf_puts(out, " -d '");
  put_quoted(out, o->help, false);
  bez_buf_puts(out, "'\n");
}

static void put_fish_group(bez_buf *out, const char *group, size_t k) {
  const char *last = strrchr(group, ' ');
  put_fish_seen(out, group, k - 1);
  bez_buf_printf(out, " -f -a %s\n", last ? last + 1 : group);
}

static void put_fish(bez_buf *out) {
  bez_buf_puts(out, "# fish completion for bezoar; made from the command table by \"bezoar completion fish\".\n");
  each_group(out, put_fish_group);
  for (size_t i = 0; bez_commands[i]; i++) {
    const bez_command *c = bez_commands[i];
    const char *last = strrchr(c->name, ' ');
    size_t k = 1;
    if (c->hidden) continue;
    while (words_len(c->name, k + 1)) k++;
    put_fish_seen(out, c->name, k - 1);
    bez_buf_printf(out, " -f -a %s -d '", last ? last + 1 : c->name);
    put_quoted(out, c->summary, false);
    bez_buf_puts(out, "'\n");
    if (c->words) {
      put_fish_seen(out, c->name, k);
      bez_buf_printf(out, " -f -a '%s'\n", c->words);
    }
    for (const bez_option *o = c->options; o->name; o++) {
      put_fish_seen(out, c->name, k);
      put_fish_option(out, o);
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
