#!/usr/bin/env bash
# Everything that reads the source without running it.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 tools/check_layers.py
mapfile -t sources < <(git ls-files '*.c' '*.h')
clang-format --dry-run -Werror "${sources[@]}"
mapfile -t scripts < <(git ls-files '*.sh' .ci/run)
shellcheck "${scripts[@]}"
cmake -S . -B build-clang -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug >/dev/null
ninja -C build-clang --quiet
mapfile -t units < <(git ls-files 'src/*.c')
printf '%s\n' "${units[@]}" | xargs -P "$(nproc)" -n 8 clang-tidy -p build-clang --quiet 2>/dev/null
echo "lint: clean"
