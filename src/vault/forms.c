/* The table of forms, expanded from forms.def. */
#include <string.h>

#include "vault/form.h"

const bez_form *const bez_forms[] = {
#define BEZ_FORM(symbol) &symbol,
#include "vault/forms.def"
#undef BEZ_FORM
    NULL};

const bez_form *bez_form_named(const char *name) {
  for (size_t i = 0; bez_forms[i]; i++)
    if (!strcmp(bez_forms[i]->name, name)) return bez_forms[i];
  return NULL;
}
