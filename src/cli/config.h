/* Options from the environment (BEZOAR_LABEL, BEZOAR_FAIL_ON, …) and from the configuration file that --config or
 * BEZOAR_CONFIG names. Precedence: flag, environment, file, default. No file is looked for: what lies in the scanned
 * tree is never read unless somebody named it. */
#ifndef BEZ_CLI_CONFIG_H
#define BEZ_CLI_CONFIG_H

#include "cli/args.h"

BEZ_MUST_USE bez_status bez_config_apply(bez_args *args, bez_error *err);

#endif
