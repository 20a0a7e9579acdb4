/* The sandboxed helper: what it is given, what it is denied, how it ends. */
#include "reader_help.h"

#include <fcntl.h>

#include "base/spawn.h"

static int run(const char *const *argv, int input, char *out, size_t size) {
  bez_spawn plan = {.program = argv[0], .argv = argv, .input_fd = input};
  bez_child child;
  bez_error err = {0};
  size_t n = 0;
  if (bez_spawn_start(&plan, &child, &err) != BEZ_OK) fail_msg("%s: %s", err.subject, err.message);
  for (bool ended = false; n + 1 < size;) {
    assert_int_equal(bez_child_read(&child, out + n, 1, &ended, &err), BEZ_OK);
    if (ended) break;
    n++;
  }
  out[n] = 0;
  return bez_child_finish(&child, false);
}

static void output_input_and_exit_code(void **state) {
  (void)state;
  char out[256];
  int fd = open("/etc/hostname", O_RDONLY);
  assert_true(fd >= 0);
  const char *echo[] = {"sh", "-c", "echo hello; exit 7", NULL};
  assert_int_equal(run(echo, -1, out, sizeof out), 7);
  assert_string_equal(out, "hello\n");
  const char *list[] = {"sh", "-c", "cd /proc/self/fd && echo *", NULL};
  (void)run(list, fd, out, sizeof out);
  out[9] = 0; /* sh opens the folder as descriptor 5 or later */
  assert_string_equal(out, "0 1 2 3 4");
  const char *killed[] = {"sh", "-c", "kill -9 $$", NULL};
  assert_int_equal(run(killed, -1, out, sizeof out), 128 + 9);
  close(fd);
}

static void privileges_are_gone(void **state) {
  (void)state;
  char out[4096];
  const char *status[] = {"cat", "/proc/self/status", NULL};
  assert_int_equal(run(status, -1, out, sizeof out), 0);
  assert_non_null(strstr(out, "NoNewPrivs:\t1"));
  assert_non_null(strstr(out, "Seccomp:\t2"));
  const char *file[] = {"sh", "-c", "f=$(mktemp); echo x 2>/dev/null >$f; test -s $f && echo written; rm -f $f", NULL};
  (void)run(file, -1, out, sizeof out);
  assert_null(strstr(out, "written"));
}

static void missing_programs_are_said(void **state) {
  (void)state;
  const char *argv[] = {"no-such-program-anywhere", NULL};
  bez_spawn plan = {.program = argv[0], .argv = argv, .input_fd = -1};
  bez_child child;
  bez_error err = {0};
  assert_int_equal(bez_spawn_start(&plan, &child, &err), BEZ_UNSUPPORTED);
  assert_int_equal(bez_child_finish(&child, true), 127);
}

static void a_helper_that_hangs_is_ended(void **state) {
  (void)state;
  const char *argv[] = {"sleep", "1000", NULL};
  bez_spawn plan = {.program = argv[0], .argv = argv, .input_fd = -1};
  bez_child child;
  bez_error err = {0};
  assert_int_equal(bez_spawn_start(&plan, &child, &err), BEZ_OK);
  assert_int_equal(bez_child_finish(&child, true), 128 + 9);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(output_input_and_exit_code),
      cmocka_unit_test(privileges_are_gone),
      cmocka_unit_test(missing_programs_are_said),
      cmocka_unit_test(a_helper_that_hangs_is_ended),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
