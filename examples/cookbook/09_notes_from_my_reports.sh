#!/bin/sh
# Notes from my reports: handwriting with the terms of the reports, and labels for every character.
#
#     sh examples/cookbook/09_notes_from_my_reports.sh path/of/records path/of/reports out
#
# Reports are .txt or .html files. With `pip install '.[nlp]'` a model finds their terms; without it, a lexicon does.
# COUNT=20 draws only 20 images. DPI is 200.
set -eu
records=$1 reports=$2 out=$3
ecgvec keywords "$reports"   # what will be written: look first
ecgvec batch -i "$records" -o "$out" --recipe printed --hw_text -n 4 --notes from-text -l "$reports" -se 10 \
    -r "${DPI:-200}" --formats png,json ${COUNT:+--max_num_images "$COUNT"}
