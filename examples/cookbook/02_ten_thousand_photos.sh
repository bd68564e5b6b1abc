#!/bin/sh
# 10,000 phone photos on 8 cores: estimate time and size, then draw; after a stop, the same line resumes.
#
#     sh examples/cookbook/02_ten_thousand_photos.sh path/of/ptb-xl/records500 out
#
# COUNT (10000) is the number of records. If there are fewer, each is drawn several times, to get at least COUNT images.
# WORKERS (8) is the number of processes. DPI is 200.
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
