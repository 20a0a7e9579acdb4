/* What every unit test includes: cmocka in the order it demands, and the shared data's whereabouts. */
#ifndef BEZ_TEST_H
#define BEZ_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"

#define SHARED_DATA BEZ_SOURCE_DIR "/../shared/data/"

/* Fails with the error's own words. Needs `bez_error err` in scope. */
#define assert_ok(call)                                                                                                \
  do {                                                                                                                 \
    bez_status st_ = (call);                                                                                           \
    if (st_ != BEZ_OK) fail_msg("%s: %s: %s (%s)", #call, err.subject, err.message, bez_status_text(st_));             \
  } while (0)

/* Skips the running test with a reason when shared data is absent. */
#define need_shared(path)                                                                                              \
  do {                                                                                                                 \
    if (access(path, R_OK) != 0) {                                                                                     \
      print_message("SKIP: %s is not there\n", path);                                                                  \
      skip();                                                                                                          \
    }                                                                                                                  \
  } while (0)

#endif
