#!/bin/sh
# My hospital's header: where its lines are, their type and their words. All facts about people are made up.
#
#     sh examples/cookbook/04_my_hospital.sh path/of/records out
#
# COUNT=20 draws only 20 images. DPI is 200.
set -eu
records=$1 out=$2
mkdir -p "$out"

# Blocks of lines of cells. Millimetres; `x` from the left margin, or from the right one. Known placeholders: name, id,
# sex, age_band, date, time, rate, pr, qrs, qt, qtc, p_axis, r_axis, t_axis, statement, technician, location, hospital,
# room, test_ind, dx, header_text, speed, gain, chest_gain.
cat > "$out/my-header.toml" <<'END'
title = "St. Elsewhere, cardiology"
height = 26
font = "condensed"
size = 2.8

[[block]]
rows = [["{name}"], ["No. {id}"], ["{age_band} y   {sex}"], ["{date}  {time}"]]

[[block]]
x = 70
tabs = [0, 30, 32]
align = ["left", "right", "left"]
rows = [["HR", "{rate}", "/min"], ["PQ", "{pr}", "ms"], ["QRS", "{qrs}", "ms"], ["QT / QTc", "{qt} / {qtc}", "ms"]]

[[block]]
from_right = true
align = ["right"]
rows = [["St. Elsewhere Hospital"], ["Cardiology, ward 3B"], ["{statement}"]]
END

# The page: a shipped template, and what is different at my hospital. `ecgvec templates` lists those to start from.
cat > "$out/my-page.toml" <<'END'
title = "St. Elsewhere, A4"
extends = "3x4+1R"

[page]
paper = "a4"
grid_color = "green"
names_font = "sans-bold"
separators = "dashed"
print_header = true
footer = "{speed} mm/s   {gain} mm/mV   {filter} Hz   St. Elsewhere"
END

ecgvec batch -i "$records" -o "$out" --template "$out/my-page.toml" --header "$out/my-header.toml" \
    -r "${DPI:-200}" --formats png,json ${COUNT:+--max_num_images "$COUNT"}
