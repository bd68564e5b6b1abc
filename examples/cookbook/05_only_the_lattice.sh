#!/bin/sh
# Only the lattice: images of bent paper, and where the grid lines cross, to a fraction of a pixel.
#
#     sh examples/cookbook/05_only_the_lattice.sh path/of/records out
#
# out/grid/NAME.npy holds x and y of the 5 mm crossings, (rows, columns, 2). out/grid/NAME-visible.npy says which of them
# are in the image. COUNT=20 draws only 20 images. DPI is 200.
set -eu
records=$1 out=$2
ecgvec batch -i "$records" -o "$out" --recipe phone-photo-crumpled -se 10 -r "${DPI:-200}" --formats jpg,grid \
    ${COUNT:+--max_num_images "$COUNT"}
