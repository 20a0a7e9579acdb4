/* The one piece of process-wide state: which signal asked us to stop. */
#include <signal.h>
#include <string.h>

#include "cli/say.h"

static volatile sig_atomic_t asked;

static void on_signal(int number) {
  asked = number;
}

void bez_signals_watch(void) {
  static const int watched[] = {SIGINT, SIGTERM, SIGHUP};
  struct sigaction action, old;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  action.sa_flags = (int)(SA_RESETHAND | SA_RESTART);
  for (size_t i = 0; i < sizeof watched / sizeof *watched; i++) {
    /* nohup and background jobs ignore some of them: that stays so */
    if (sigaction(watched[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN) continue;
    sigaction(watched[i], &action, NULL);
  }
}

bool bez_signals_stop(void) {
  return asked != 0;
}

void bez_signals_finish(void) {
  if (!asked) return;
  signal(asked, SIG_DFL);
  raise(asked);
}
