/* Inside the Jinja parser: a cursor over tokens, and who parses what (jinja_parse.c: statements, jinja_expression.c).
 * The first failure stays; after it every token is the end. Nodes may then be NULL. */
#ifndef BEZ_DECODE_JINJA_PARSER_H
#define BEZ_DECODE_JINJA_PARSER_H

#include "decode/jinja.h"

typedef struct jinja_parser {
  const jinja_token *at; /* never behind JINJA_END */
  bez_arena *arena;
  jinja_tree *tree;
  unsigned depth;
} jinja_parser;

void bez_jinja_fail(jinja_parser *p, const char *why);
const jinja_token *bez_jinja_next(jinja_parser *p);                         /* returns the one that was current */
bool bez_jinja_is(const jinja_token *t, jinja_kind kind, const char *text); /* text NULL: any */
bool bez_jinja_name_is(const jinja_parser *p, const char *word);
bool bez_jinja_op_is(const jinja_parser *p, const char *op);
bool bez_jinja_skip_op(jinja_parser *p, const char *op); /* true: it was there */
bool bez_jinja_skip_name(jinja_parser *p, const char *word);
void bez_jinja_expect_op(jinja_parser *p, const char *op);
const char *bez_jinja_expect_name(jinja_parser *p); /* copied; "" after a failure */

jinja_node *bez_jinja_node(jinja_parser *p, jinja_node_kind kind, jinja_node *a, jinja_node *b);
/* Appends to the list that *last is the end of. */
void bez_jinja_append(jinja_node ***last, jinja_node *node);
/* Takes the children's depth into account; false, and failed: too deep. */
bool bez_jinja_enter(jinja_parser *p);
void bez_jinja_leave(jinja_parser *p);

typedef struct jinja_tuple {
  bool simplified, no_condition, parentheses;
  const char *end; /* a name that ends it, too; NULL */
} jinja_tuple;

jinja_node *bez_jinja_expression(jinja_parser *p, bool with_condition);
jinja_node *bez_jinja_tuple(jinja_parser *p, jinja_tuple how);
jinja_node *bez_jinja_filters(jinja_parser *p, jinja_node *on, bool begins_inline);
jinja_node *bez_jinja_call(jinja_parser *p, jinja_node *callee);
/* May it stand on the left of "="? Failed where not. */
void bez_jinja_check_target(jinja_parser *p, const jinja_node *target);

#endif
