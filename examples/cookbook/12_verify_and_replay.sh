#!/bin/sh
# Verify what I made: measure the labels on the images, look at one image, and make it again from its JSON.
#
#     sh examples/cookbook/12_verify_and_replay.sh path/of/records out
#
# COUNT=20 draws only 20 images. DPI is 200.
set -eu
records=$1 out=$2
ecgvec batch -i "$records" -o "$out" --recipe phone-photo -se 10 -r "${DPI:-200}" --formats png,json \
    ${COUNT:+--max_num_images "$COUNT"} || [ $? = 1 ]   # 1: see out/quarantine.csv
ecgvec verify "$out" --json "$out/report.json"   # exit code 1 where a label is off by more than half a pixel
image=$(find "$out" -name '*-0.json' | sort | head -n 1)
ecgvec inspect "$image"                          # NAME-labels.png beside it
ecgvec replay "$image"                           # into a folder `replay` beside it: the same bytes
