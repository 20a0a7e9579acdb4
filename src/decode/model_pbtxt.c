/* TensorFlow's graphs as text (.pbtxt), which loaders take as well: the operators that they name. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "decode/model_savedmodel.h"

#define MOST_BYTES (256u << 20)

static int sniff(const bez_model_input *in) {
  const char *dot = strrchr(in->name, '.');
  const bool named = dot && (!strcasecmp(dot, ".pbtxt") || !strcasecmp(dot, ".prototxt"));
  return named && in->len && !memchr(in->bytes, 0, in->len < 4096 ? in->len : 4096) ? 60 : 0;
}

static unsigned octal(const bez_model_input *in, size_t *i) {
  unsigned value = 0;
  for (unsigned digits = 0; digits < 3 && *i < in->len && in->bytes[*i] >= '0' && in->bytes[*i] <= '7'; digits++)
    value = 8 * value + (in->bytes[(*i)++] - '0');
  return value;
}

/* A quoted string from byte i on, its escapes resolved; strings behind each other are one. Returns where it ends. */
static size_t take_string(const bez_model_input *in, size_t i, char *out, size_t room) {
  size_t n = 0;
  while (i < in->len && (in->bytes[i] == '"' || in->bytes[i] == '\'')) {
    const uint8_t quote = in->bytes[i++];
    while (i < in->len && in->bytes[i] != quote) {
      unsigned c = in->bytes[i++];
      if (c == '\\' && i < in->len) {
        if (in->bytes[i] >= '0' && in->bytes[i] <= '7')
          c = octal(in, &i);
        else if (in->bytes[i] == 'x' && i + 2 < in->len && isxdigit(in->bytes[i + 1]) && isxdigit(in->bytes[i + 2])) {
          const char hex[3] = {(char)in->bytes[i + 1], (char)in->bytes[i + 2], 0};
          c = (unsigned)strtoul(hex, NULL, 16);
          i += 3;
        } else {
          c = in->bytes[i++];
        }
      }
      if (n + 1 < room) out[n++] = (char)c;
    }
    if (i < in->len) i++;
    while (i < in->len && isspace(in->bytes[i])) i++;
  }
  out[n] = 0;
  return i;
}

static bool is_word(uint8_t c) {
  return isalnum(c) || c == '_' || c == '.';
}

static size_t skip_word(const bez_model_input *in, size_t i) {
  while (i < in->len && is_word(in->bytes[i])) i++;
  return i;
}

static size_t skip_comment(const bez_model_input *in, size_t i) {
  while (i < in->len && in->bytes[i] != '\n') i++;
  return i;
}

/* "op", a colon, a string; space and comments may stand between them. */
static void read_text(const bez_model_input *in, struct bez_model_out *out) {
  const bez_tf tf = {.in = in, .out = out};
  char op[256];
  bool due = false; /* "op" was the last word */
  if (in->len > MOST_BYTES) {
    bez_model_unread(out, in->part, "a text of more than %u MiB", MOST_BYTES >> 20);
    return;
  }
  for (size_t i = 0, from; i < in->len;) {
    const uint8_t c = in->bytes[i];
    from = i;
    if (is_word(c)) {
      i = skip_word(in, i);
      due = i - from == 2 && memcmp(in->bytes + from, "op", 2) == 0;
    } else if (c == '"' || c == '\'') {
      i = take_string(in, i, op, sizeof op);
      if (due) (void)bez_tf_effect(&tf, from, op);
      due = false;
    } else if (c == '#') {
      i = skip_comment(in, i);
    } else {
      due = due && (isspace(c) || c == ':');
      i++;
    }
  }
}

const bez_model_reader bez_model_reader_pbtxt = {
    .name = "pbtxt",
    .title = "TensorFlow graph as text",
    .summary = ".pbtxt files, which loaders take in place of .pb: operators that call Python or reach files.",
    .sniff = sniff,
    .read = read_text};
