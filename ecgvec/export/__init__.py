"""Files: each format turns a sheet into bytes; ``write`` puts them where they belong, all or none."""
