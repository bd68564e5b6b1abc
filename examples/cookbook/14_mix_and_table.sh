#!/bin/sh
# A mix of recipes: some of each by weight, a table of the images, and a page to browse them.
#
#     sh examples/cookbook/14_mix_and_table.sh path/of/records out
#
# out/metadata.parquet has a row for each image (`pip install '.[parquet]'`); out/gallery.html opens in any browser,
# offline. COUNT=20 draws only 20 images. DPI is 200.
set -eu
records=$1 out=$2
ecgvec batch -i "$records" -o "$out" --mix "clean:1,scan-bw:2,phone-photo:4,stained:1" --variants 2 -se 10 \
    -r "${DPI:-200}" --formats png,json,parquet ${COUNT:+--max_num_images "$COUNT"} || [ $? = 1 ]   # 1: see out/quarantine.csv
ecgvec gallery "$out" --title "A first mix"
python -c "import sys, pyarrow.parquet as p; print(p.read_table(sys.argv[1]).group_by('recipe').aggregate([([], 'count_all')]))" \
    "$out/metadata.parquet"
