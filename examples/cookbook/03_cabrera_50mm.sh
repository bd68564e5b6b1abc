#!/bin/sh
# Cabrera at 50 mm/s: limb leads as aVL I -aVR II aVF III, two columns of the same 2.5 s, on A4.
#
#     sh examples/cookbook/03_cabrera_50mm.sh path/of/records out
#
# COUNT=20 draws only 20 images. DPI is 200.
set -eu
records=$1 out=$2
ecgvec batch -i "$records" -o "$out" --template 6x2 --cabrera --speed 50 --column-timing simultaneous --seconds 5 \
    --paper a4 -r "${DPI:-200}" --formats png,svg,json ${COUNT:+--max_num_images "$COUNT"}
