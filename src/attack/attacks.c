/* The table of attacks and the public catalogue over it. */
#include <string.h>

#include "attack/attack.h"

const bez_attack *const bez_attacks[] = {
#define BEZ_ATTACK(symbol) &symbol,
#include "attack/attacks.def"
#undef BEZ_ATTACK
    NULL};

size_t bez_attack_count(void) {
  return sizeof bez_attacks / sizeof bez_attacks[0] - 1;
}

bez_attack_info bez_attack_get(size_t index) {
  bez_attack_info none = {0};
  return index < bez_attack_count() ? bez_attacks[index]->info : none;
}

const bez_attack *bez_attack_find(const char *name) {
  for (size_t i = 0; bez_attacks[i]; i++)
    if (strcmp(bez_attacks[i]->info.name, name) == 0) return bez_attacks[i];
  return NULL;
}
