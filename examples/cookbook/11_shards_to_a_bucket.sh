#!/bin/sh
# WebDataset shards to a bucket: tars of 1000 records each; this disk holds only a list of what is done.
#
#     pip install '.[cloud]'
#     sh examples/cookbook/11_shards_to_a_bucket.sh s3://my-bucket/records s3://my-bucket/ecg-shards done.sqlite
#
# Records and output may each be a folder or a URL. Credentials are those of s3fs and gcsfs (AWS_PROFILE, ...).
# After a stop, the same line resumes. SIZE is 1000, DPI is 200.
set -eu
records=$1 out=$2 manifest=$3
ecgvec batch -i "$records" -o "$out" --manifest "$manifest" --resume --recipe phone-photo -se 10 \
    --shards "${SIZE:-1000}" --formats jpg,json -r "${DPI:-200}" --json-log
