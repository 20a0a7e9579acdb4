/* The state of the abstract pickle machine, and what its opcodes are made of. Inside format/pickle*.c only. */
#ifndef BEZ_DECODE_PICKLE_MACHINE_H
#define BEZ_DECODE_PICKLE_MACHINE_H

#include "base/arena.h"
#include "base/cursor.h"
#include "decode/pickle_value.h"

typedef struct bez_pickle_machine {
  bez_cursor in;
  size_t op_at;
  const char *opcode; /* the one at work */
  bez_arena arena;
  bez_pickle_value *stack;
  size_t n, room;
  bez_pickle_value *memo; /* MARK: unset */
  size_t memo_room, memo_used;
  struct {
    uint64_t index;
    bez_pickle_value value;
  } far_memo[64]; /* indices that no honest writer would have come to yet */
  uint32_t n_far;
  bez_pickle_node crowded; /* stands for every container once there are too many */
  size_t frame_end;
  bool joblib, done;
  bez_pickle_fn fn;
  void *ctx;
  bez_pickle_end *end;
} bez_pickle_machine;

/* Each opcode is one of these; false: the stream cannot be followed further, end->why says why. */
typedef bool (*bez_pickle_op_fn)(bez_pickle_machine *m);

/* The first reason is kept. Macros with the value false, so that the compiler knows. */
void bez_pickle_why(bez_pickle_machine *m, bool limit, const char *fmt, ...) BEZ_PRINTF(3, 4);
#define bez_pickle_fail(m, ...) (bez_pickle_why(m, false, __VA_ARGS__), false)
#define bez_pickle_fail_limit(m, what) (bez_pickle_why(m, true, "%s", what), false)

/* ---- stack and memo ---- */
bool bez_pickle_put(bez_pickle_machine *m, bez_pickle_value value);
bool bez_pickle_take(bez_pickle_machine *m, bez_pickle_value *out); /* not a mark */
bez_pickle_value *bez_pickle_top(bez_pickle_machine *m);            /* NULL with a failure: empty, or a mark */
/* Index behind the topmost mark. */
bool bez_pickle_mark(bez_pickle_machine *m, size_t *first);
bool bez_pickle_memo_put(bez_pickle_machine *m, uint64_t index, bez_pickle_value value);
bool bez_pickle_memo_get(bez_pickle_machine *m, uint64_t index);

/* ---- values ---- */
/* A container with room for `room` items (at most BEZ_PICKLE_KEPT); as.node NULL with a failure. */
bez_pickle_value bez_pickle_container(bez_pickle_machine *m, bez_pickle_kind kind, size_t room);
/* The same of stack[first …], which leave the stack. */
bool bez_pickle_gather(bez_pickle_machine *m, bez_pickle_kind kind, size_t first);
bez_pickle_value bez_pickle_string(bez_pickle_kind kind, const void *bytes, uint64_t len);
bool bez_pickle_line(bez_pickle_machine *m, const uint8_t **text, size_t *len); /* up to a newline, without it */

/* A line of text whose escapes are undone, as a string; raw: only those of Unicode. */
bool bez_pickle_put_escaped(bez_pickle_machine *m, const uint8_t *text, size_t len, bool raw);
/* Everything on the stack above `first` goes into what lies at `below`: a container takes it, anything else has it done
 * to it. pairs: keys and values in turn. */
bool bez_pickle_pour(bez_pickle_machine *m, size_t first, size_t below, bool pairs);
/* A list or dictionary of everything from the mark on, whose place it takes. */
bool bez_pickle_fill(bez_pickle_machine *m, bez_pickle_kind kind);

/* ---- what it would do ---- */
/* A global is looked up: tells, and gives the value. */
bool bez_pickle_import(bez_pickle_machine *m, bez_pickle_value module, bez_pickle_value name, bez_pickle_value *out);
/* callee(*arguments): tells, and pushes the result. arguments: a tuple, or anything. */
bool bez_pickle_call(bez_pickle_machine *m, bez_pickle_value callee, bez_pickle_value arguments);
/* The state of target is set, or items are put into it. */
bool bez_pickle_alter(bez_pickle_machine *m, const bez_pickle_value *target, const bez_pickle_value *with);
bool bez_pickle_tell(bez_pickle_machine *m, bez_pickle_event event);
/* Something is put into target under key (NULL: as its state). Told only where it can matter to what is being built. */
bool bez_pickle_tell_item(bez_pickle_machine *m, const bez_pickle_value *target, const bez_pickle_value *key,
                          const bez_pickle_value *item);

#endif
