"""The names of Azure ML's SDK v1, given by amlnb: code written for that SDK runs here unchanged, with no cloud."""
