#!/bin/sh
# A recipe of my own: blue-grid prints folded once, some with coffee, photographed on steel.
#
#     sh examples/cookbook/08_my_recipe.sh path/of/records out
#
# COUNT=20 draws only 20 images. DPI is 200.
set -eu
records=$1 out=$2
mkdir -p "$out"
cat > "$out/mine.toml" <<'END'
title = "Blue prints folded once, on steel"
extends = "phone-photo"

[layout]
template = { choice = ["3x4+1R", "6x2"], weights = [3, 1] }

[page]
grid_color = "blue"
gain = { choice = [5, 10] }

[warp.creases]
probability = 1
preset = "half"

[effects.desk]
material = "steel"

[effects.coffee-ring]
probability = 0.3
x = { uniform = [0.1, 0.9] }
y = { uniform = [0.1, 0.9] }
END
ecgvec recipes check "$out/mine.toml"
ecgvec recipes preview "$out/mine.toml" -o "$out/preview.png"   # twelve of them on one sheet
ecgvec batch -i "$records" -o "$out" --recipe "$out/mine.toml" -se 10 -r "${DPI:-200}" --formats png,json \
    ${COUNT:+--max_num_images "$COUNT"}
