/* A scatter plot as inline SVG. Coordinates are whole numbers in a large view box, so that the same numbers give the
 * same bytes in every locale. */
#include <math.h>

#include "report/html.h"
#include "report/words.h"

enum { WIDTH = 7600, HEIGHT = 2600, LEFT = 760, RIGHT = 320, TOP = 240, BOTTOM = 480, MAX_TICKS = 8 };

typedef struct bez_axis {
  double low, high, step;
} bez_axis;

/* An axis from a round number below `low` to one above `high`, with steps of 1, 2 or 5 times a power of ten. */
static bez_axis round_axis(double low, double high) {
  if (!(high > low)) {
    double room = fabs(low) > 1 ? fabs(low) * 0.1 : 1;
    low -= room;
    high += room;
  }
  double rough = (high - low) / 5, power = 1;
  if (!isfinite(rough)) return (bez_axis){-1, 1, 1};
  while (power * 10 <= rough) power *= 10;
  while (power > rough) power /= 10;
  double step = rough / power > 5 ? 10 * power : rough / power > 2 ? 5 * power : rough / power > 1 ? 2 * power : power;
  return (bez_axis){floor(low / step) * step, ceil(high / step) * step, step};
}

static int place(bez_axis axis, double value, int from, int to) {
  double share = (value - axis.low) / (axis.high - axis.low);
  if (!(share >= 0)) share = 0;
  if (share > 1) share = 1;
  return from + (int)lround(share * (to - from));
}

static void put_tick(bez_buf *out, double value) {
  char text[32];
  bez_short_number(fabs(value) < 1e-300 ? 0 : value, text);
  bez_html_puts(out, text);
}

static void put_axes(bez_buf *out, bez_axis x, bez_axis y) {
  for (int i = 0; i <= MAX_TICKS && y.low + i * y.step <= y.high + y.step / 2; i++) {
    int at = place(y, y.low + i * y.step, HEIGHT - BOTTOM, TOP);
    bez_buf_printf(out, "<path class=\"axis\" d=\"M%d %dH%d\"/><text x=\"%d\" y=\"%d\" text-anchor=\"end\">", LEFT, at,
                   WIDTH - RIGHT, LEFT - 70, at + 40);
    put_tick(out, y.low + i * y.step);
    bez_buf_puts(out, "</text>");
  }
  for (int i = 0; i <= MAX_TICKS && x.low + i * x.step <= x.high + x.step / 2; i++) {
    int at = place(x, x.low + i * x.step, LEFT, WIDTH - RIGHT);
    bez_buf_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", at, HEIGHT - BOTTOM + 150);
    put_tick(out, x.low + i * x.step);
    bez_buf_puts(out, "</text>");
  }
}

/* Points as zero-length strokes with round ends: one path for all. Returns how many were drawn. */
static uint32_t put_points(bez_buf *out, const bez_exhibit *s, bez_axis x, bez_axis y, bool marked) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < s->n_points; i++) {
    if ((s->marked && s->marked[i]) != marked || !isfinite(s->x[i]) || !isfinite(s->y[i])) continue;
    if (!n++) bez_buf_printf(out, "<path class=\"%s\" d=\"", marked ? "hits" : "dots");
    bez_buf_printf(out, "M%d %dh0", place(x, s->x[i], LEFT, WIDTH - RIGHT), place(y, s->y[i], HEIGHT - BOTTOM, TOP));
  }
  if (n) bez_buf_puts(out, "\"/>");
  return n;
}

static void put_legend(bez_buf *out, uint32_t n_marked, uint32_t n_other) {
  if (n_marked)
    bez_buf_printf(out, "<path class=\"hits\" d=\"M%d 110h0\"/><text class=\"key\" x=\"%d\" y=\"150\">flagged</text>",
                   LEFT + 50, LEFT + 140);
  if (n_marked && n_other)
    bez_buf_printf(out, "<path class=\"dots\" d=\"M%d 110h0\"/><text class=\"key\" x=\"%d\" y=\"150\">others</text>",
                   LEFT + 800, LEFT + 880);
}

void bez_html_plot(bez_buf *out, const bez_exhibit *s) {
  double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
  for (uint32_t i = 0; i < s->n_points; i++) {
    if (!isfinite(s->x[i]) || !isfinite(s->y[i])) continue;
    low[0] = fmin(low[0], s->x[i]);
    high[0] = fmax(high[0], s->x[i]);
    low[1] = fmin(low[1], s->y[i]);
    high[1] = fmax(high[1], s->y[i]);
  }
  if (low[0] > high[0]) {
    bez_buf_puts(out, "<p class=\"dim\">No points to plot.</p>");
    return;
  }
  bez_axis x = round_axis(low[0], high[0]), y = round_axis(low[1], high[1]);
  bez_buf_printf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\"><title>", WIDTH, HEIGHT);
  bez_html_puts(out, s->caption);
  bez_buf_puts(out, "</title><desc>");
  bez_html_puts(out, s->y_label);
  bez_buf_puts(out, " over ");
  bez_html_puts(out, s->x_label);
  bez_buf_printf(out, ", %u points</desc>", s->n_points);
  put_axes(out, x, y);
  uint32_t n_other = put_points(out, s, x, y, false), n_marked = put_points(out, s, x, y, true);
  put_legend(out, n_marked, n_other);
  bez_buf_printf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 80);
  bez_html_short(out, s->x_label, 80);
  bez_buf_printf(out, "</text><text transform=\"translate(130 %d) rotate(-90)\" text-anchor=\"middle\">",
                 (TOP + HEIGHT - BOTTOM) / 2);
  bez_html_short(out, s->y_label, 40);
  bez_buf_puts(out, "</text></svg>");
}
