/* Errors, filled text, and checked standard output. */
#include "cli/say.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/utf8.h"
#include "cli/command.h"

/* Bytes of the next character, and whether it may reach a terminal as it is: no control character, nothing that
 * turns the direction of text, no byte that is not UTF-8. */
static size_t next_character(const char *text, size_t len, bool *harmless) {
  uint32_t cp;
  bool ok = true;
  size_t used = bez_utf8_decode(text, len, &cp, &ok);
  bool control = cp < 0x20 || (cp >= 0x7f && cp < 0xa0);
  bool bidi = (cp >= 0x200e && cp <= 0x200f) || (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
  *harmless = ok && !control && !bidi;
  return used;
}

static void put_character(bez_buf *out, const char *text, size_t used, bool harmless) {
  if (harmless) bez_buf_write(out, text, used);
  for (size_t i = 0; !harmless && i < used; i++) bez_buf_printf(out, "\\x%02x", (unsigned char)text[i]);
}

void bez_say_safe(bez_buf *out, const char *text) {
  bool harmless;
  for (size_t left = strlen(text), used; left; text += used, left -= used) {
    used = next_character(text, left, &harmless);
    put_character(out, text, used, harmless);
  }
}

static bool all_harmless(const char *text) {
  bool harmless = true;
  for (size_t left = strlen(text), used; left && harmless; text += used, left -= used)
    used = next_character(text, left, &harmless);
  return harmless;
}

/* Plain where it can be, else in single quotes, else as bash and zsh write odd bytes: $'\\x1b'. */
void bez_say_quoted(bez_buf *out, const char *word) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=:,@%+";
  if (*word && strspn(word, plain) == strlen(word)) {
    bez_buf_puts(out, word);
    return;
  }
  bool odd = !all_harmless(word), harmless;
  bez_buf_puts(out, odd ? "$'" : "'");
  for (size_t left = strlen(word), used; left; word += used, left -= used) {
    used = next_character(word, left, &harmless);
    if (*word == '\'')
      bez_buf_puts(out, odd ? "\\'" : "'\\''");
    else if (odd && *word == '\\')
      bez_buf_puts(out, "\\\\");
    else
      put_character(out, word, used, harmless);
  }
  bez_buf_putc(out, '\'');
}

size_t bez_say_columns(const char *text) {
  size_t n = 0;
  for (const char *p = text; *p; p++) n += ((unsigned char)*p & 0xc0) != 0x80;
  return n;
}

static void put_indent(bez_buf *out, unsigned indent) {
  for (unsigned i = 0; i < indent; i++) bez_buf_putc(out, ' ');
}

/* One line of source text, broken between words. */
static void fill_line(bez_buf *out, const char *line, size_t len, unsigned indent, unsigned width) {
  size_t column = 0;
  for (size_t i = 0; i < len;) {
    size_t end = i;
    while (end < len && line[end] != ' ') end++;
    size_t columns = 0;
    for (size_t k = i; k < end; k++) columns += ((unsigned char)line[k] & 0xc0) != 0x80;
    if (column && indent + column + 1 + columns > width) {
      bez_buf_putc(out, '\n');
      column = 0;
    }
    if (column)
      bez_buf_putc(out, ' ');
    else
      put_indent(out, indent);
    bez_buf_write(out, line + i, end - i);
    column += columns + (column > 0);
    i = end;
    while (i < len && line[i] == ' ') i++;
  }
  bez_buf_putc(out, '\n');
}

void bez_say_filled(bez_buf *out, const char *text, unsigned indent, unsigned width) {
  for (const char *p = text; *p;) {
    size_t len = strcspn(p, "\n");
    if (!len) {
      bez_buf_putc(out, '\n');
    } else if (*p == ' ') {
      put_indent(out, indent);
      bez_buf_write(out, p, len);
      bez_buf_putc(out, '\n');
    } else {
      fill_line(out, p, len, indent, width);
    }
    p += len + (p[len] == '\n');
  }
}

static const char *usual_hint(bez_status code) {
  switch (code) {
    case BEZ_MEMORY: return "try a smaller --memory, or fewer rows with --sample N";
    case BEZ_INTERNAL: return "this is a bug in Bezoar: please report it with the command line";
    default: return NULL;
  }
}

int bez_say_error(const bez_error *err, const char *command, const char *hint) {
  bez_buf out = {0};
  bez_buf_puts(&out, "bezoar: ");
  if (err->subject[0]) {
    bez_say_safe(&out, err->subject);
    if (err->line > 0) bez_buf_printf(&out, ":%lld", (long long)err->line);
    bez_buf_puts(&out, ": ");
  }
  bez_say_safe(&out, err->message[0] ? err->message : bez_status_text(err->code));
  if (err->line <= 0 && err->offset > 0) bez_buf_printf(&out, " (at byte %lld)", (long long)err->offset);
  bez_buf_putc(&out, '\n');
  if (!hint) hint = usual_hint(err->code);
  if (hint)
    bez_buf_printf(&out, "hint: %s\n", hint);
  else if (err->code == BEZ_USAGE)
    bez_buf_printf(&out, "hint: bezoar help%s%s\n", command ? " " : "", command ? command : "");
  if (out.data) (void)!write(STDERR_FILENO, out.data, out.len);
  bez_buf_free(&out);
  return err->code == BEZ_USAGE ? BEZ_EXIT_USAGE : BEZ_EXIT_UNEXAMINED;
}

int bez_say(bez_buf *text, int exit_code) {
  const char *p = text->data;
  bool failed = text->failed != BEZ_OK;
  errno = ENOMEM;
  for (size_t left = failed ? 0 : text->len; left;) {
    ssize_t put = write(STDOUT_FILENO, p, left);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EPIPE) break;
    if (put < 0) {
      failed = true;
      break;
    }
    p += put;
    left -= (size_t)put;
  }
  bez_buf_free(text);
  if (!failed) return exit_code;
  fprintf(stderr, "bezoar: standard output: cannot write: %s\n", strerror(errno));
  return BEZ_EXIT_UNEXAMINED;
}

bool bez_color_wanted(int fd) {
  const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
  return isatty(fd) && !(no && *no) && !(term && !strcmp(term, "dumb"));
}

bool bez_ascii_wanted(int fd) {
  static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
  if (!isatty(fd)) return false;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    const char *value = getenv(names[i]);
    if (value && *value) return !strcasestr(value, "utf-8") && !strcasestr(value, "utf8");
  }
  return false;
}
