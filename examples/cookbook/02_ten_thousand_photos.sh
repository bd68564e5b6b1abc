#!/bin/sh
# 10,000 phone photos on 8 cores: how long and how large first, then draw; the same line again goes on after a stop.
#
#     sh examples/cookbook/02_ten_thousand_photos.sh path/of/ptb-xl/records500 out
#
# COUNT (10000) is how many records are taken; where there are fewer, each is drawn so often that there are at least as
# many images. WORKERS (8) are processes. DPI is 200.
set -eu
records=$(cd "$1" && pwd) out=$2 count=${COUNT:-10000}

# The first COUNT records, as links beside one another: nothing is copied.
mkdir -p "$out/picked"
find "$records" -name '*.hea' | sort | head -n "$count" | while read -r header; do
    ln -sf "${header%.hea}".* "$out/picked/"
done
picked=$(find "$out/picked" -name '*.hea' | wc -l)

set -- -i "$out/picked" -o "$out/photos" --recipe phone-photo -se 10 -r "${DPI:-200}" --formats jpg,json \
    --variants $(((count + picked - 1) / picked)) --workers "${WORKERS:-8}"
ecgvec batch "$@" --plan-only
ecgvec batch "$@" --resume
