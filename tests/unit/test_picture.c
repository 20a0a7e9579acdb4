/* The decoders, called without the helper around them: every form of a picture, and files that lie. The pictures are
 * the fuzzer's corpus: 8 × 6 pixels, the pixel (x, y) is (30·x, 40·y, 15·(x + y)). */
#include "reader_help.h"

#include "base/buf.h"
#include "base/file.h"
#include "decode/picture.h"

static bez_picture decode(const char *name, bool *good) {
  char path[256];
  bez_buf bytes = {0};
  bez_error err = {0};
  bez_picture p = {0};
  snprintf(path, sizeof path, "fuzz/corpus/picture/%s", name);
  if (bez_file_read(path, 1 << 20, &bytes, &err) != BEZ_OK) fail_msg("%s: %s", path, err.message);
  *good = bez_picture_decode((const uint8_t *)bytes.data, bytes.len, false, &p);
  assert_int_equal(*good, p.why[0] == 0);
  bez_buf_free(&bytes);
  return p;
}

static bez_picture must(const char *name) {
  bool good;
  bez_picture p = decode(name, &good);
  if (!good) fail_msg("%s: %s", name, p.why);
  return p;
}

static void close_to(const bez_picture *p, const char *name, int most) {
  assert_int_equal(p->facts.width, 8);
  assert_int_equal(p->facts.height, 6);
  for (int y = 0; y < 6; y++)
    for (int x = 0; x < 8; x++) {
      int rgb[3] = {x * 30, y * 40, (x + y) * 15}, grey = (rgb[0] * 299 + rgb[1] * 587 + rgb[2] * 114) / 1000;
      for (int k = 0; k < p->facts.channels; k++) {
        int got = p->pixels[(y * 8 + x) * p->facts.channels + k], want = p->facts.channels == 3 ? rgb[k] : grey;
        if (abs(got - want) > most) fail_msg("%s: pixel %d, %d, %d is %d, not %d", name, x, y, k, got, want);
      }
    }
}

static void every_form_gives_the_same_pixels(void **state) {
  (void)state;
  const struct {
    const char *name;
    int most, channels, bits;
  } cases[] = {
      {"rgb.png", 0, 3, 8},       {"rgba.png", 0, 3, 8},   {"rgb16.png", 0, 3, 16},       {"interlaced.png", 0, 3, 8},
      {"grey.png", 1, 1, 8},      {"la.png", 1, 1, 8},     {"lossless.webp", 0, 3, 8},    {"alpha.webp", 0, 3, 8},
      {"animated.webp", 0, 3, 8}, {"p5.pgm", 1, 1, 8},     {"p6.ppm", 0, 3, 8},           {"p6_16.ppm", 0, 3, 16},
      {"p3.ppm", 0, 3, 8},        {"rgb.jpg", 40, 3, 8},   {"progressive.jpg", 60, 3, 8}, {"grey.jpg", 12, 1, 8},
      {"lossy.webp", 80, 3, 8},   {"turned.png", 0, 3, 8}, {"trailing.png", 0, 3, 8},     {"frames.png", 0, 3, 8}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bez_picture p = must(cases[i].name);
    assert_int_equal(p.facts.channels, cases[i].channels);
    assert_int_equal(p.facts.bits, cases[i].bits);
    assert_int_equal(p.facts.damaged, 0);
    close_to(&p, cases[i].name, cases[i].most);
    bez_picture_free(&p);
  }
}

static void small_forms(void **state) {
  (void)state;
  const uint8_t p1[] = {0, 255, 0, 255, 0, 255}, p2[] = {0, 85, 170, 255};
  bez_picture p = must("p1.pbm");
  assert_memory_equal(p.pixels, p1, 6);
  bez_picture_free(&p);
  p = must("p2.pgm");
  assert_memory_equal(p.pixels, p2, 4);
  bez_picture_free(&p);
  p = must("p4.pbm");
  assert_int_equal(p.facts.width, 10);
  assert_int_equal(p.pixels[0], 0);
  assert_int_equal(p.pixels[1], 255);
  bez_picture_free(&p);
  p = must("bits.png");
  assert_int_equal(p.facts.bits, 1);
  bez_picture_free(&p);
  p = must("grey16.png");
  assert_int_equal(p.pixels[47], (47 * 1300 * 255 + 32767) / 65535);
  bez_picture_free(&p);
}

/* PIL wrote the CMYK file as 255 less each colour, no black. */
static void cmyk_becomes_rgb(void **state) {
  (void)state;
  bez_picture p = must("cmyk.jpg");
  assert_int_equal(p.facts.channels, 3);
  close_to(&p, "cmyk.jpg", 60);
  bez_picture_free(&p);
}

static void facts_beside_the_pixels(void **state) {
  (void)state;
  const struct {
    const char *name;
    int orientation, frames, trailing, alpha;
  } cases[] = {{"rgb.png", 0, 1, 0, 0},       {"turned.png", 6, 1, 0, 0},   {"turned.jpg", 6, 1, 0, 0},
               {"turned.webp", 6, 1, 0, 0},   {"frames.png", 0, 2, 0, 0},   {"animated.webp", 0, 2, 0, 0},
               {"trailing.png", 0, 1, 13, 0}, {"trailing.jpg", 0, 1, 5, 0}, {"trailing.webp", 0, 1, 4, 0},
               {"rgba.png", 0, 1, 0, 1},      {"alpha.webp", 0, 1, 0, 1},   {"palette_clear.png", 0, 1, 0, 1},
               {"p6.ppm", 0, 1, 0, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bez_picture p = must(cases[i].name);
    if (p.facts.orientation != cases[i].orientation || (int)p.facts.frames != cases[i].frames ||
        (int)p.facts.trailing != cases[i].trailing || p.facts.alpha != cases[i].alpha)
      fail_msg("%s: orientation %u, %u frames, %llu trailing, alpha %u", cases[i].name, p.facts.orientation,
               p.facts.frames, (unsigned long long)p.facts.trailing, p.facts.alpha);
    bez_picture_free(&p);
  }
  bez_picture p = must("two.jpg");
  assert_int_equal(p.facts.frames, 2);
  assert_true(p.facts.trailing > 100);
  bez_picture_free(&p);
}

/* The right half of rgba.png is there and not shown: on black it becomes 0, on white 255. */
static void alpha_hides_what_is_there(void **state) {
  (void)state;
  bez_picture p = must("rgba.png"), plain = must("rgb.png");
  double black = 0, white = 0;
  for (int y = 0; y < 6; y++)
    for (int x = 4; x < 8; x++) {
      int sum = x * 30 + y * 40 + (x + y) * 15;
      black += sum;
      white += 3 * 255 - sum;
    }
  assert_true(p.facts.see_through == .5f);
  assert_true(abs((int)(p.facts.on_black * 144) - (int)black) <= 1);
  assert_true(abs((int)(p.facts.on_white * 144) - (int)white) <= 1);
  assert_true(plain.facts.on_white == 0 && plain.facts.see_through == 0);
  bez_picture_free(&p);
  bez_picture_free(&plain);
}

static void hostile_files_are_refused(void **state) {
  (void)state;
  const struct {
    const char *name, *say;
    bool limit;
  } cases[] = {{"bomb.png", "60000 \xC3\x97 60000 pixels are too large", true},
               {"bomb.jpg", "too large", true},
               {"bomb.pgm", "ends too early", false},
               {"truncated.png", "ends too early", false},
               {"truncated.jpg", "ends too early", false},
               {"truncated.webp", "WebP", false},
               {"crc.png", "CRC", false},
               {"empty.png", "ends too early", false},
               {"none", "no PNG", false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    bool good;
    bez_picture p = decode(cases[i].name, &good);
    if (good || !strstr(p.why, cases[i].say) || p.limit != cases[i].limit) fail_msg("%s: \"%s\"", cases[i].name, p.why);
    bez_picture_free(&p);
  }
}

static void area_average_is_exact(void **state) {
  (void)state;
  const uint8_t in[] = {0, 10, 20, 30, 100, 110, 120, 130}, six[] = {0, 30, 60, 90, 120, 150};
  uint8_t out[16];
  assert_true(bez_picture_area(in, 2, 4, 1, out, 1, 2));
  assert_int_equal(out[0], 55);
  assert_int_equal(out[1], 75);
  assert_true(bez_picture_area(six, 1, 6, 1, out, 1, 4)); /* each covers a pixel and a half */
  assert_int_equal(out[0], 10);
  assert_int_equal(out[1], 50);
  assert_int_equal(out[3], 140);
  assert_true(bez_picture_area(in, 1, 2, 1, out, 2, 4));
  const uint8_t twice[] = {0, 0, 10, 10, 0, 0, 10, 10};
  assert_memory_equal(out, twice, 8);
  assert_true(bez_picture_area(in, 1, 2, 3, out, 1, 1));
  const uint8_t mean[] = {15, 55, 65};
  assert_memory_equal(out, mean, 3);
}

/* A picture of 64 × 64 whose every second pixel, counted from the first, is black on white: sampled at 32 it is black.
 */
static void a_resonating_pattern_is_no_other_picture(void **state) {
  (void)state;
  bez_picture p = {.facts = {.width = 64, .height = 64, .channels = 1}};
  uint8_t out[64 * 64 * 3];
  p.pixels = malloc(64 * 64);
  assert_non_null(p.pixels);
  memset(p.pixels, 255, 64 * 64);
  for (int y = 0; y < 64; y += 2)
    for (int x = 0; x < 64; x += 2) p.pixels[y * 64 + x] = 0;
  assert_true(bez_picture_fit(&p, 64, 64, 3, out));
  assert_false(bez_scaled_may_be_other(&p.facts.scaled)); /* a pattern, and no picture */
  assert_int_equal(p.facts.resampled, 0);
  assert_int_equal(out[3], 255);
  bez_picture_free(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_form_gives_the_same_pixels),
      cmocka_unit_test(small_forms),
      cmocka_unit_test(cmyk_becomes_rgb),
      cmocka_unit_test(facts_beside_the_pixels),
      cmocka_unit_test(alpha_hides_what_is_there),
      cmocka_unit_test(hostile_files_are_refused),
      cmocka_unit_test(area_average_is_exact),
      cmocka_unit_test(a_resonating_pattern_is_no_other_picture),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
