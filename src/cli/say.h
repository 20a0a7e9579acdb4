/* Speaking to people: errors with a hint, standard output that is checked, signals. */
#ifndef BEZ_CLI_SAY_H
#define BEZ_CLI_SAY_H

#include "base/buf.h"
#include "bezoar/base.h"

/* `bezoar: SUBJECT:LINE: message`, and the hint on a line of its own (NULL: one that fits the code, if any).
 * Returns the exit code the error stands for: 2 for usage, 3 otherwise. command may be NULL. */
int bez_say_error(const bez_error *err, const char *command, const char *hint);

/* Writes the buffer to standard output and frees it: exit_code, or 3 when it could not be written. A reader that
 * went away (a closed pipe) is no error. */
int bez_say(bez_buf *text, int exit_code);

/* Appends text so that no byte of it can act on a terminal: controls, bidi controls and bytes that are not UTF-8
 * become \xNN. */
void bez_say_safe(bez_buf *out, const char *text);
/* Appends a word as a shell needs it, harmless on a terminal. */
void bez_say_quoted(bez_buf *out, const char *word);
/* Appends paragraphs (separated by blank lines) filled to `width` columns behind `indent` blanks; lines that begin
 * with a blank stand as they are. */
void bez_say_filled(bez_buf *out, const char *text, unsigned indent, unsigned width);
/* Columns of a UTF-8 text, every code point counted as one. */
size_t bez_say_columns(const char *text);

bool bez_color_wanted(int fd); /* a terminal, and neither NO_COLOR nor TERM=dumb */
bool bez_ascii_wanted(int fd); /* a terminal whose locale is not UTF-8 */

/* SIGINT, SIGTERM and SIGHUP ask the running work to stop (a second one stops the process at once). */
void bez_signals_watch(void);
bool bez_signals_stop(void);
/* After clean-up: ends the process by the signal that asked, so that the shell sees it; else returns. */
void bez_signals_finish(void);

#endif
