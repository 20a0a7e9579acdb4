/* Model cards (model.h): README.md, whose front matter says in YAML what the model is made from, and under which
 * licence. */
#include <string.h>
#include <strings.h>

#include "decode/model.h"
#include "decode/yaml_walk.h"

typedef struct card {
  const bez_model_input *in;
  struct bez_model_out *out;
} card;

static void on_value(void *ctx, const bez_yaml_event *e) {
  static const char *const says[][2] = {
      {"base_model", "base_model"}, {"license", "license"}, {"library_name", "library"}, {"pipeline_tag", "task"}};
  card *c = ctx;
  if (!e->text || !*e->text || e->depth > 2) return;
  for (size_t i = 0; i < sizeof says / sizeof *says; i++)
    if (!strcmp(e->key, says[i][0])) bez_model_says(c->out, c->in->part, says[i][1], e->text, strlen(e->text));
}

/* Behind the line that begins at `at`. */
static size_t next_line(const bez_model_input *in, size_t at) {
  const uint8_t *end = memchr(in->bytes + at, '\n', in->len - at);
  return end ? (size_t)(end - in->bytes) + 1 : in->len;
}

static bool is_rule(const bez_model_input *in, size_t at) {
  size_t end = next_line(in, at);
  while (end > at && strchr(" \t\r\n", in->bytes[end - 1]) && in->bytes[end - 1]) end--;
  return end - at == 3 && memcmp(in->bytes + at, "---", 3) == 0;
}

static int sniff(const bez_model_input *in) {
  const char *dot = strrchr(in->name, '.');
  return dot && !strcasecmp(dot, ".md") ? 30 : 0;
}

static void read_card(const bez_model_input *in, struct bez_model_out *out) {
  card c = {.in = in, .out = out};
  if (!in->len || !is_rule(in, 0)) return;
  const size_t from = next_line(in, 0);
  size_t end = from, where;
  while (end < in->len && !is_rule(in, end)) end = next_line(in, end);
  /* What is malformed says nothing of the model, and runs nothing either. */
  if (end < in->len) (void)bez_yaml_walk((const char *)in->bytes + from, end - from, on_value, &c, &where);
}

const bez_model_reader bez_model_reader_card = {
    .name = "card",
    .title = "model card",
    .summary = "The front matter: base model, licence, library. The text below it is for people, and is not examined.",
    .shares = true,
    .sniff = sniff,
    .read = read_card};
