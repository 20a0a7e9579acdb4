/* Jinja templates, as chat templates are written in it: tokens, a tree, and what a template could do. Nothing is ever
 * rendered. The grammar is that of the Jinja documentation ("Template Designer Documentation") with the statements that
 * chat templates add: break, continue, generation. */
#ifndef BEZ_DECODE_JINJA_H
#define BEZ_DECODE_JINJA_H

#include "base/arena.h"
#include "decode/model.h"

#define BEZ_MAX_JINJA_BYTES (1u << 20)
#define BEZ_MAX_JINJA_TOKENS (1u << 18)
#define BEZ_MAX_JINJA_DEPTH 200u /* of statements and brackets, and of the tree that comes of them */

typedef enum jinja_kind {
  JINJA_END,
  JINJA_DATA, /* text between tags */
  JINJA_PRINT_BEGIN,
  JINJA_PRINT_END,
  JINJA_BLOCK_BEGIN,
  JINJA_BLOCK_END,
  JINJA_NAME,
  JINJA_STRING, /* its value */
  JINJA_INTEGER,
  JINJA_FLOAT,
  JINJA_OPERATOR
} jinja_kind;

typedef struct jinja_token {
  jinja_kind kind;
  uint32_t at;      /* byte of the template */
  uint32_t len;     /* of text */
  const char *text; /* in the template, or decoded */
} jinja_token;

typedef struct jinja_tokens {
  jinja_token *items; /* the last is JINJA_END; owned */
  size_t n, room;
  const char *why; /* why it cannot be taken apart; NULL */
  uint32_t where;
} jinja_tokens;

/* Strings are the arena's or the text's. False: see why and where. */
bool bez_jinja_lex(const char *text, size_t len, bez_arena *arena, jinja_tokens *out);
void bez_jinja_tokens_free(jinja_tokens *tokens);

typedef enum jinja_node_kind {
  /* statements */
  JINJA_N_DATA,    /* text */
  JINJA_N_PRINT,   /* a */
  JINJA_N_FOR,     /* a: target, b: over what, c: condition, body, other */
  JINJA_N_IF,      /* a, body, other (an elif is an if in it) */
  JINJA_N_SET,     /* a: target, b: value; or body, and b: filters on it, if any */
  JINJA_N_MACRO,   /* text: name; args: PAIR(name, default); body */
  JINJA_N_SCOPE,   /* text: the word; a and args: what it is given; body */
  JINJA_N_OUTSIDE, /* include, import, from, extends: text; a: which */
  /* expressions */
  JINJA_N_NAME,    /* text */
  JINJA_N_STRING,  /* text */
  JINJA_N_NUMBER,  /* value */
  JINJA_N_CONST,   /* true, false, none */
  JINJA_N_LIST,    /* args; tuples too */
  JINJA_N_DICT,    /* args: PAIR */
  JINJA_N_PAIR,    /* a: key, b: value */
  JINJA_N_ATTR,    /* a.text */
  JINJA_N_ITEM,    /* a[b] */
  JINJA_N_SLICE,   /* a:b:c */
  JINJA_N_CALL,    /* a(args) */
  JINJA_N_KEYWORD, /* text=a, in args */
  JINJA_N_STAR,    /* *a or **a, in args */
  JINJA_N_FILTER,  /* a|text(args); a NULL: on the text of a block */
  JINJA_N_TEST,    /* a is text args */
  JINJA_N_BINARY,  /* a op b */
  JINJA_N_UNARY,   /* op a */
  JINJA_N_COND     /* a if b else c */
} jinja_node_kind;

typedef struct jinja_node {
  jinja_node_kind kind;
  uint32_t at, len, depth;
  const char *text; /* NUL-terminated */
  const char *op;   /* "+", "~", "in", "and", … static */
  int64_t value;
  struct jinja_node *a, *b, *c, *args, *body, *other;
  struct jinja_node *next; /* in the list that it stands in */
} jinja_node;

typedef struct jinja_tree {
  jinja_node *body;
  const char *why; /* why it is no template; NULL */
  uint32_t where;
} jinja_tree;

/* Nodes are the arena's. False: see why and where. */
bool bez_jinja_parse(const jinja_tokens *tokens, bez_arena *arena, jinja_tree *out);

/* Puts down what the template could do (kinds "jinja-…" of audit/code_kinds.def). */
void bez_jinja_look(const jinja_tree *tree, bez_arena *arena, struct bez_model_out *out, uint32_t part);

/* ---- what a name could be (jinja_value.c) -------------------------------------------------------------------------
 */

#define JINJA_COULD 16u /* values followed for one expression */

typedef struct jinja_value {
  enum { JINJA_V_STRING, JINJA_V_NUMBER, JINJA_V_LIST } kind;
  const char *text;
  size_t len;
  int64_t number;
  const struct jinja_value *items; /* len of them */
} jinja_value;

/* What an expression could be: these values, and others that only running could tell. */
typedef struct jinja_values {
  jinja_value of[JINJA_COULD];
  unsigned n;
  bool other;
  bool reached;     /* may have come out of an object by a name that only running could tell */
  bool underscores; /* "__" stands somewhere in what it is made of */
  bool opaque;      /* made of texts that are known, in a way that is not followed */
} jinja_values;

typedef struct jinja_variable {
  const char *name;
  uint32_t hash; /* of it */
  jinja_values could;
  bool content; /* what users wrote is in it */
} jinja_variable;

#define JINJA_VARIABLES 512u

typedef struct jinja_scope {
  bez_arena *arena;
  jinja_variable *variables; /* JINJA_VARIABLES */
  unsigned n;
  size_t spent; /* bytes of values; beyond a ceiling nothing is worked out any more */
  bool gave_up, out_of_memory;
} jinja_scope;

/* Never NULL. */
const jinja_values *bez_jinja_could(jinja_scope *scope, const jinja_node *expression);
/* The text that a list of statements prints, as one value where it is known. */
const jinja_values *bez_jinja_printed(jinja_scope *scope, const jinja_node *body);
/* NULL: none of that name. */
jinja_variable *bez_jinja_variable(jinja_scope *scope, const char *name, bool make);
void bez_jinja_widen(jinja_values *into, const jinja_values *more);
/* "ns.field", for an attribute of a variable; NULL where it is none. */
const char *bez_jinja_field(jinja_scope *scope, const jinja_node *attribute);

/* jinja_filters.c: name applied to what `on` could be, as a filter or a method. */
void bez_jinja_apply(jinja_scope *scope, const char *name, const jinja_values *on, const jinja_node *args,
                     jinja_values *out);
/* Adds a value; what does not fit is "other". */
void bez_jinja_add(jinja_values *set, const jinja_value *value);
/* Text of `len` bytes to be filled; NULL: the allowance is spent. */
char *bez_jinja_room(jinja_scope *scope, size_t len);
void bez_jinja_add_text(jinja_scope *scope, jinja_values *set, const char *text, size_t len);
/* A number as text, a text as it is; false: it is neither. */
bool bez_jinja_as_text(jinja_scope *scope, const jinja_value *v, const char **text, size_t *len);

#endif
