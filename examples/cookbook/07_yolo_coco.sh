#!/bin/sh
# Boxes, outlines and corners for detectors: YOLO and COCO from one run.
#
#     sh examples/cookbook/07_yolo_coco.sh path/of/records out
#
# out/yolo/detect, segment and pose are three data sets, each with a data.yaml. out/coco/annotations.json labels the PNGs
# in out. COUNT=20 draws only 20 images. DPI is 200.
set -eu
records=$1 out=$2
ecgvec batch -i "$records" -o "$out" --recipe scan-colour -se 10 -r "${DPI:-200}" --formats png,json,yolo,coco \
    ${COUNT:+--max_num_images "$COUNT"} || [ $? = 1 ]   # 1: see out/quarantine.csv
ecgvec inspect "$out" -o "$out/look"   # the boxes drawn over the images
