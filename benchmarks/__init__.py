"""Speed: every bar of the project, measured as ratios within one run (`make bench`)."""
