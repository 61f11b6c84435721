"""The names of Azure ML's SDK v1, given by amlnb: code written for that SDK runs here unchanged, with no cloud."""

from __future__ import annotations

import sys

from amlnb import errors, overwritten
from azureml.not_served import Finder

errors.v1_texts = True
overwritten.tell_once()
# Only what nobody finds comes to it.
sys.meta_path.append(Finder)
