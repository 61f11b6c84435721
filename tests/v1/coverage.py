"""Writes docs/azureml-coverage.md from the table of v1's names and amlnb's own classes: `make coverage`."""

from pathlib import Path

from amlnb.api import v1_names

PAGE = Path(__file__).resolve().parents[2] / "docs" / "azureml-coverage.md"
# Their issues come later: datasets, pipelines, sweeps, TensorBoard.
LATER = {
    "BanditPolicy", "CommandStep", "DataPath", "DataPathComputeBinding", "DataReference", "Dataset",
    "DatasetConsumptionConfig", "Datastore", "Diabetes", "FileDataset", "HyperDriveConfig", "HyperDriveRun",
    "HyperDriveStep", "MNIST", "NotebookRunnerStep", "OutputFileDatasetConfig", "ParallelRunConfig",
    "ParallelRunStep", "Pipeline", "PipelineData", "PipelineParameter", "PipelineRun", "PortDataReference",
    "PrimaryMetricGoal", "PythonScriptStep", "RandomParameterSampling", "StepRun", "TabularDataset",
    "Tensorboard", "TruncationSelectionPolicy",
}  # fmt: skip
HEAD = """# What of Azure ML's SDK v1 is served

This page is written by `make coverage` from what some 500 public notebooks and scripts use of that SDK and from amlnb's
own classes; a test holds it current. "Uses" are those in notebooks that were current at the SDK's end, and in all.
`amlnb doctor --azureml PATH` tells the same of your own project, with file and line.

- **served**: it is there, with all of its parameters.
- **partly**: it is there; the note says what is not.
- **not served**: it can be imported, and a call says what to do instead.
"""


def page():
    """The whole page."""
    uses = list(v1_names.uses())
    parts = [HEAD, _summary(uses), "## Imports\n", _imports()]
    for owner, described in v1_names.table()["classes"].items():
        rows = [use for use in uses if use.owner == owner]
        parts += [f"## {owner}\n", f"`{described['module']}`\n", _table(rows)]
    return "\n".join(parts)


def served_classes(uses):
    """Uses of the classes that are served, or should be."""
    return [use for use in uses if use.owner not in LATER]


def _summary(uses):
    lines = ["| | names | served | partly | not served |", "| --- | --: | --: | --: | --: |"]
    mine = served_classes(uses)
    later = [use for use in uses if use.owner in LATER]
    for told, some in (
        ("classes that are served, names used twice or more", [use for use in mine if use.every > 1]),
        ("classes that are served, all names", mine),
        ("classes of data, pipelines, sweeps and TensorBoard", later),
    ):
        words = [use.status.word for use in some]
        counts = [words.count(word) for word in (v1_names.SERVED, v1_names.PARTLY)]
        lines.append(f"| {told} | {len(words)} | {counts[0]} | {counts[1]} | {len(words) - sum(counts)} |")
    return "\n".join(lines) + "\n"


def _imports():
    lines = ["| module | served | not served |", "| --- | --- | --- |"]
    for module, names in v1_names.table()["imports"].items():
        if not names:
            word = v1_names.status_of_import(module).word
            lines.append(f"| `{module}` | {'yes' if word == v1_names.SERVED else ''} | {'' if word == v1_names.SERVED else 'all'} |")
            continue
        words = {name: v1_names.status_of_import(module, name).word for name in names}
        columns = [
            ", ".join(f"`{name}`" for name in names if (words[name] == v1_names.SERVED) is wanted) for wanted in (True, False)
        ]
        lines.append(f"| `{module}` | {columns[0]} | {columns[1]} |")
    return "\n".join(lines) + "\n"


def _table(rows):
    lines = ["| name | uses | status | note |", "| --- | --: | --- | --- |"]
    for use in rows:
        name = "(the class)" if use.member == "__init__()" else f"`{use.member}`"
        word = v1_names.NOT_SERVED if use.status.word == v1_names.UNKNOWN else use.status.word
        lines.append(f"| {name} | {use.head} / {use.every} | {word} | {use.status.note} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
