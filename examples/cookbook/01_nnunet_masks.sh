#!/bin/sh
# nnU-Net masks from PTB-XL: photographs of bent pages, and the lead that each pixel's ink belongs to.
#
#     sh examples/cookbook/01_nnunet_masks.sh path/of/ptb-xl/records500 out
#
# COUNT=20 draws only 20 images, to try it out. DPI=150 is smaller and faster.
set -eu
records=$1 out=$2
# Exit code 1: some records could not be drawn, and out/quarantine.csv says why. The others are there.
ecgvec batch -i "$records" -o "$out" --recipe phone-photo -se 10 -r "${DPI:-200}" \
    --formats png,json,nnunet ${COUNT:+--max_num_images "$COUNT"} || [ $? = 1 ]

# nnU-Net wants its raw data under a name of this kind; a link costs no disk.
mkdir -p "$out/nnUNet_raw"
ln -sfn ../nnunet "$out/nnUNet_raw/Dataset501_ECG"
echo "export nnUNet_raw=$(cd "$out" && pwd)/nnUNet_raw"
echo "nnUNetv2_plan_and_preprocess -d 501 --verify_dataset_integrity"
