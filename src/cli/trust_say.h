/* Keys, trust and sources as text for people: what several commands print alike. */
#ifndef BEZ_CLI_TRUST_SAY_H
#define BEZ_CLI_TRUST_SAY_H

#include "bezoar/trust.h"
#include "cli/vault_args.h"

/* {"name","path","public","fingerprint"} */
void bez_say_key(bez_buf *out, const json_t *answer);
/* One trusted key: principal, roles, reach, validity, state. */
void bez_say_grant(bez_buf *out, const json_t *grant);
/* {"id","fields","missing"} */
void bez_say_source(bez_buf *out, const json_t *answer);
/* {"policy":{…}} */
void bez_say_policy(bez_buf *out, const json_t *answer);
/* A name behind blanks, then a value, then a line end. */
void bez_say_member(bez_buf *out, const char *name, const char *value);
/* Texts of an array behind each other, with commas. */
void bez_say_texts(bez_buf *out, const json_t *list);

#endif
