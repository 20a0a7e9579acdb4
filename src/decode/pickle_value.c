/* Values of the abstract pickle machine as Python would write them (pickle_value.h). */
#include "decode/pickle_value.h"

#include <string.h>

#define DEPTH 8u
#define STRING_SHOWN 160u

void bez_pickle_push(bez_pickle_node *node, bez_pickle_value item) {
  node->count++;
  if (node->kept < node->room) node->items[node->kept++] = item;
}

static bool full(const bez_buf *out) {
  return out->len >= BEZ_PICKLE_TEXT;
}

static void write_quoted(bez_buf *out, const bez_pickle_value *v) {
  uint32_t shown = v->n < STRING_SHOWN ? v->n : STRING_SHOWN;
  bez_buf_putc(out, '\'');
  for (uint32_t i = 0; i < shown; i++) {
    uint8_t c = v->as.s[i];
    if (c == '\'' || c == '\\')
      bez_buf_printf(out, "\\%c", c);
    else if (c >= 0x20 && c < 0x7f)
      bez_buf_putc(out, (char)c);
    else
      bez_buf_printf(out, c == '\n' ? "\\n" : "\\x%02x", c);
  }
  bez_buf_puts(out, shown < v->n ? "…'" : "'");
}

/* Names are shown as they are, but for what is not printable. */
static void write_name(bez_buf *out, const bez_pickle_value *v) {
  if (v->kind != BEZ_PV_STR) {
    bez_buf_puts(out, "<computed>");
    return;
  }
  for (uint32_t i = 0; i < v->n && i < STRING_SHOWN; i++)
    bez_buf_putc(out, v->as.s[i] > 0x20 && v->as.s[i] < 0x7f ? (char)v->as.s[i] : '?');
}

static void write_items(bez_buf *out, const bez_pickle_node *node, uint32_t from, unsigned depth) {
  for (uint32_t i = from; i < node->kept && !full(out); i++) {
    if (i > from) bez_buf_puts(out, ", ");
    bez_pickle_write(out, &node->items[i], depth);
  }
  if (node->count > node->kept || full(out)) bez_buf_puts(out, ", …");
}

static void write_dict(bez_buf *out, const bez_pickle_node *node, unsigned depth) {
  bez_buf_putc(out, '{');
  for (uint32_t i = 0; i + 1 < node->kept && !full(out); i += 2) {
    if (i) bez_buf_puts(out, ", ");
    bez_pickle_write(out, &node->items[i], depth);
    bez_buf_puts(out, ": ");
    bez_pickle_write(out, &node->items[i + 1], depth);
  }
  bez_buf_puts(out, node->count > node->kept || full(out) ? ", …}" : "}");
}

void bez_pickle_write_call(bez_buf *out, const bez_pickle_node *call, unsigned depth) {
  bez_pickle_write(out, &call->items[0], depth);
  bez_buf_putc(out, '(');
  write_items(out, call, 1, depth);
  bez_buf_putc(out, ')');
}

static void write_node(bez_buf *out, const bez_pickle_value *v, unsigned depth) {
  const bez_pickle_node *node = v->as.node;
  if (!node->kept && v->kind >= BEZ_PV_GLOBAL) { /* one of too many */
    bez_buf_puts(out, "…");
    return;
  }
  switch (v->kind) {
    case BEZ_PV_TUPLE:
      bez_buf_putc(out, '(');
      write_items(out, node, 0, depth);
      bez_buf_puts(out, node->count == 1 ? ",)" : ")");
      break;
    case BEZ_PV_LIST:
      bez_buf_putc(out, '[');
      write_items(out, node, 0, depth);
      bez_buf_putc(out, ']');
      break;
    case BEZ_PV_SET:
      bez_buf_puts(out, node->count ? "{" : "set(");
      write_items(out, node, 0, depth);
      bez_buf_puts(out, node->count ? "}" : ")");
      break;
    case BEZ_PV_DICT: write_dict(out, node, depth); break;
    case BEZ_PV_GLOBAL:
      write_name(out, &node->items[0]);
      bez_buf_putc(out, '.');
      write_name(out, &node->items[1]);
      break;
    case BEZ_PV_MODULE: write_name(out, &node->items[0]); break;
    case BEZ_PV_PERSISTENT:
      bez_buf_puts(out, "persistent(");
      bez_pickle_write(out, &node->items[0], depth);
      bez_buf_putc(out, ')');
      break;
    default: bez_pickle_write_call(out, node, depth);
  }
}

void bez_pickle_write(bez_buf *out, const bez_pickle_value *v, unsigned depth) {
  if (full(out) || depth > DEPTH) {
    bez_buf_puts(out, "…");
    return;
  }
  if (bez_pickle_has_node(v)) {
    write_node(out, v, depth + 1);
    return;
  }
  switch (v->kind) {
    case BEZ_PV_NONE: bez_buf_puts(out, "None"); break;
    case BEZ_PV_BOOL: bez_buf_puts(out, v->as.i ? "True" : "False"); break;
    case BEZ_PV_INT: bez_buf_printf(out, "%lld", (long long)v->as.i); break;
    case BEZ_PV_FLOAT: bez_buf_printf(out, "%.9g", v->as.f); break;
    case BEZ_PV_BYTES:
      bez_buf_putc(out, 'b');
      write_quoted(out, v);
      break;
    case BEZ_PV_STR: write_quoted(out, v); break;
    case BEZ_PV_EXTENSION: bez_buf_printf(out, "extension(%lld)", (long long)v->as.i); break;
    default: bez_buf_puts(out, "…"); /* a long number, a buffer out of band */
  }
}

void bez_pickle_write_event(bez_buf *out, const bez_pickle_event *event) {
  bez_pickle_write(out, event->target, 0);
  if (!event->arguments) return;
  switch (event->what) {
    case BEZ_PICKLE_CALL:
      bez_buf_putc(out, '(');
      write_items(out, event->arguments->as.node, 0, 0);
      bez_buf_putc(out, ')');
      break;
    case BEZ_PICKLE_STATE:
      bez_buf_puts(out, " ← ");
      bez_pickle_write(out, event->arguments, 0);
      break;
    default: break;
  }
}

const char *bez_pickle_first_string(const bez_pickle_event *event, size_t *len) {
  const bez_pickle_value *a = event->arguments;
  if (event->what != BEZ_PICKLE_CALL || !a || !a->as.node->kept || a->as.node->items[0].kind != BEZ_PV_STR) return NULL;
  *len = a->as.node->items[0].n;
  return (const char *)a->as.node->items[0].as.s;
}
