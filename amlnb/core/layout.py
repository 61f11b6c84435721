"""Names of the files in a workspace's data directory and in a run directory (see docs/format.md)."""

from __future__ import annotations

FORMAT = 1

RUN_JSON = "run.json"
FINAL_JSON = "final.json"
MIRROR_JSON = "mirror.json"
EDITS = "edits"
ATTEMPTS = "attempts"
RUNNER_LOCK = "runner.lock"
ENVIRONMENT_JSON = "environment.json"
JOURNALS = "journals"
SYSTEM = "system"
FAILURES = "failures"
USER_LOG = "user_logs/std_log.txt"
WORK = "work"
ARTIFACTS = "artifacts"
REGISTRATIONS = "registrations"
CHILDREN = "children"

RUNS = "runs"
EXPERIMENTS = "experiments"
OBJECTS = "objects"
TARGETS = "targets"
ENVIRONMENTS = "environments"
MODELS = "models"
MODEL_JSON = "model.json"
MODEL_FILES = "files"

# Never part of a snapshot or a model, at any depth: our own data, version control, what every machine makes for itself.
NEVER_TAKEN = frozenset([".amlnb", ".git", ".venv", "__pycache__", ".ipynb_checkpoints"])

BUILD_LOG = "azureml-logs/20_image_build_log.txt"
DRIVER_LOG_ALIAS = "azureml-logs/70_driver_log.txt"

_SLUG_LENGTH = 24
_SLUG_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._")


def slug(name: str) -> str:
    """Shorten a name to at most 24 characters that are safe on every file system."""
    return "".join(c if c in _SLUG_LETTERS else "-" for c in name.lower())[:_SLUG_LENGTH].lstrip(".") or "x"


def short_hash(text: str) -> str:
    """Return the first 12 hex digits of the SHA-256 of a text (lone surrogates allowed)."""
    import hashlib  # two milliseconds that a script which only logs need not pay

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def run_directory_name(experiment: str, run_id: str) -> str:
    """Name of a run's directory below ``runs/``."""
    return f"{slug(experiment)}-{short_hash(run_id)}"


def experiment_directory_name(experiment: str) -> str:
    """Name of an experiment's directory below ``experiments/``."""
    return f"{slug(experiment)}-{short_hash(experiment)}"


def model_directory_name(name: str) -> str:
    """Name of a model's directory below ``models/``."""
    return f"{slug(name)}-{short_hash(name)}"
