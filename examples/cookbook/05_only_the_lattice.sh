#!/bin/sh
# Only the lattice: images, and where the lines of the grid cross, to a fraction of a pixel, on paper that is bent.
#
#     sh examples/cookbook/05_only_the_lattice.sh path/of/records out
#
# out/grid/NAME.npy holds x and y of the 5 mm crossings, (rows, columns, 2); out/grid/NAME-visible.npy which of them are
# in the image. COUNT=20 draws so many images only. DPI is 200.
set -eu
records=$1 out=$2
ecgvec batch -i "$records" -o "$out" --recipe phone-photo-crumpled -se 10 -r "${DPI:-200}" --formats jpg,grid \
    ${COUNT:+--max_num_images "$COUNT"}
