"""``amlnb.compare(run_a, run_b)``: runs side by side, as a value that displays itself."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from amlnb.api.cell_code import LOADER, without_values
from amlnb.api.run import Run
from amlnb.core import coercion
from amlnb.core.manifest import Manifest, decode
from amlnb.engine import look as looking
from amlnb.engine.kept_environment import kept_lock
from amlnb.environments.lock import Lock
from amlnb.errors import AmlnbError, UserErrorException, text_of
from amlnb.live.run_tail import RunTail
from amlnb.render.code_diff import code_html, code_text, file_difference
from amlnb.render.comparison import comparison_html, comparison_text, curves_text
from amlnb.render.comparison_picture import comparison_scene
from amlnb.specs.comparison_view import CodeView, ComparedRun, ComparisonView, FileDifference
from amlnb.store.index import Index
from amlnb.store.objects import ObjectStore
from amlnb.store.run_names import short_id

TAGGED = "✓"  # a tag without a value
_PACKAGES = 30
_POINTS = 150
_BESIDE = f"{LOADER}."
_COMPARED_FILES = 200
_PNG_BYTES = 66_000  # a third more as a message has it


class Comparison:
    """Runs side by side, as they were when this was made; a cell that evaluates to it shows it, and so does ``print``.

    It is up to three outputs of a notebook, which stand alone without kernel, server and trust: the overlaid curves of
    the metrics that the runs share (a picture), a table of what differs, and how their source differs.
    """

    def __init__(self, view: ComparisonView) -> None:
        self.view = view

    def bundles(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Data and metadata of each output, by MIME type; a picture is encoded as Jupyter's messages have it."""
        found: list[tuple[dict[str, Any], dict[str, Any]]] = []
        scene = comparison_scene(self.view)
        if scene is not None:
            from amlnb.render.png import to_png

            png = to_png(scene)
            if len(png) > _PNG_BYTES:  # curves of pure noise
                png = to_png(scene, 1)
            picture = base64.b64encode(png).decode("ascii")
            size = {"image/png": {"width": scene.width, "height": scene.height}}
            found.append(({"image/png": picture, "text/plain": curves_text(self.view)}, size))
        found.append(({"text/html": comparison_html(self.view), "text/plain": comparison_text(self.view)}, {}))
        found.append(({"text/html": code_html(self.view), "text/plain": code_text(self.view)}, {}))
        return found

    def _ipython_display_(self) -> None:
        from IPython.display import display

        for data, metadata in self.bundles():
            display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]  # IPython's carries no types

    def __repr__(self) -> str:
        parts = (curves_text(self.view), comparison_text(self.view), code_text(self.view))
        return "\n\n".join(part for part in parts if part)


def compare(*runs: Run) -> Comparison:
    """Compare two or more runs.

    Parameters
    ----------
    *runs
        The runs, each of them once however often it is given; of more than 12 the first ones are shown.

    Returns
    -------
    Comparison
        Displays itself: curves of the metrics that they share, parameters, tags, metrics and facts of the environment
        that differ, and how their source differs (line by line if there are two).

    Raises
    ------
    UserErrorException
        Fewer than two runs were given, or something else than runs.
    """
    for run in runs:
        if not isinstance(run, Run):
            raise UserErrorException(
                f"a {type(run).__name__} cannot be compared",
                hint="give runs: amlnb.compare(run_a, run_b), or amlnb.compare(*experiment.get_runs())",
            )
    different = list({run.directory: run for run in runs}.values())
    if len(different) < 2:
        told = f"only {different[0].id!r}" if different else "no run"
        raise UserErrorException(f"{told} is given, and cannot be compared", hint="give two different runs or more")
    runs = tuple(different)
    tails = [RunTail(run.directory, points=_POINTS, log_lines=1) for run in runs]
    labels = _labels(runs)
    locks = [kept_lock(run.directory) for run in runs]
    differing = differing_packages(locks)
    compared = tuple(
        _compared(tail, label, lock, differing) for tail, label, lock in zip(tails, labels, locks, strict=True)
    )
    sources = [(run.id, run.experiment.workspace.directory.objects) for run in runs]
    return Comparison(ComparisonView(compared, code_view(sources, [tail.reader.record for tail in tails])))


def _compared(tail: RunTail, label: str, lock: Lock | None, packages: Sequence[str]) -> ComparedRun:
    looking.look(tail.reader)
    view = tail.poll()
    return ComparedRun(
        label=label,
        state=view.state,
        elapsed_s=None if view.started is None else view.elapsed_s,
        error=str((view.error or {}).get("message") or ""),
        parameters=view.parameters,
        tags={key: value or TAGGED for key, value in view.tags.items()},
        environment=environment_facts(tail.reader.record, tail.reader.runner() or {}) | packages_of(lock, packages),
        metrics={name: metric.last for name, metric in view.metrics.items()},
        series=view.series,
    )


def _labels(runs: Sequence[Run]) -> list[str]:
    """As in the table of runs: the number, which no other run of an experiment has, and the name."""
    numbers: dict[str, int] = {}
    listed: set[str] = set()
    for run in runs:
        directory = run.experiment.workspace.directory
        if directory.path not in listed:
            listed.add(directory.path)
            numbers.update({summary.directory: summary.number for summary in Index(directory).list_runs()})
    one = len({run.experiment.name for run in runs}) == 1
    labels = []
    for run in runs:
        place = "" if one else run.experiment.name
        name = run.display_name
        number = numbers.get(run.directory)
        name = short_id(run.id) if name == run.id else name
        labels.append(name if number is None else f"{place}#{number} {name}")
    return labels


def differing_packages(locks: Sequence[Lock | None]) -> list[str]:
    """Names of the packages that not all environments have in the same version; of very many the first ones."""
    versions = [lock.versions() for lock in locks if lock is not None]
    names = sorted({name for each in versions for name in each})
    return [name for name in names if len({each.get(name) for each in versions}) > 1][:_PACKAGES]


def packages_of(lock: Lock | None, names: Sequence[str]) -> dict[str, str]:
    """The exact Python of an environment that was built, and the packages that are told of it."""
    if lock is None:
        return {}
    versions = lock.versions()
    return {"python": lock.python, **{f"package {name}": versions[name] for name in names if name in versions}}


def environment_facts(record: Mapping[str, Any], runner: Mapping[str, Any]) -> dict[str, str]:
    """Where and with what a run ran, as far as its record tells."""
    definition, git = coercion.mapping(record.get("definition")), coercion.mapping(record.get("git"))
    variables = coercion.mapping(definition.get("environment_variables"))
    commit = str(git.get("commit") or "")[:12]
    asked = coercion.mapping(definition.get("environment"))
    facts = {
        "target": record.get("target"),
        "environment": asked.get("name") or asked.get("origin"),
        "host": runner.get("hostname"),
        "python": definition.get("interpreter"),
        "script": definition.get("script"),
        "git commit": commit + (" with changes" if commit and git.get("dirty") else ""),
        "git branch": git.get("branch"),
        # Their values may be secrets, and what is shown here is saved with the notebook.
        "variables": ", ".join(sorted(map(str, variables))),
    }
    return {name: str(value) for name, value in facts.items() if value}


def code_view(runs: Sequence[tuple[str, str]], records: Sequence[Mapping[str, Any]]) -> CodeView:
    """Compare the source of runs: of two line by line, of more which files.

    Parameters
    ----------
    runs
        Id of each, and the folder of its workspace's objects.
    records
        Their submission records.
    """
    sources = []
    for (run_id, folder), record in zip(runs, records, strict=True):
        snapshot = record.get("snapshot")
        if not isinstance(snapshot, str):
            return CodeView(unknown=f"the run {run_id} kept none of it")
        objects = ObjectStore(folder)
        try:
            sources.append((objects, decode(objects.read(snapshot), snapshot)))
        except (AmlnbError, OSError) as error:
            return CodeView(unknown=f"that of the run {run_id} cannot be read: {text_of(error)}")
    manifests = [manifest for _, manifest in sources]
    scripts = {str(coercion.mapping(record.get("definition")).get("script")) for record in records}
    # What was run comes first. Captured values are no code: where they differ, the parameters tell.
    paths = sorted(
        {path for manifest in manifests for path in manifest.files if not path.startswith(_BESIDE)},
        key=lambda path: (path not in scripts, path),
    )
    versions = {path: _versions(path, manifests) for path in paths}
    versions |= {path: _versions_of_script(path, sources) for path in scripts & versions.keys()}
    differing = [path for path in paths if len(set(versions[path])) > 1]
    files = tuple(
        _file(path, versions[path], sources if at < _COMPARED_FILES else []) for at, path in enumerate(differing)
    )
    return CodeView(files, len(paths) - len(differing))


def _versions(path: str, manifests: Sequence[Manifest]) -> tuple[int | None, ...]:
    shas = [manifest.files[path][0] if path in manifest.files else None for manifest in manifests]
    known = list(dict.fromkeys(sha for sha in shas if sha is not None))
    return tuple(None if sha is None else known.index(sha) for sha in shas)


def _versions_of_script(path: str, sources: Sequence[tuple[ObjectStore, Manifest]]) -> tuple[int | None, ...]:
    """As `_versions`, of a script without the values that it was given."""
    texts = [_content(path, objects, manifest) for objects, manifest in sources]
    known = list(dict.fromkeys(text for text in texts if text is not None))
    return tuple(None if text is None else known.index(text) for text in texts)


def _content(path: str, objects: ObjectStore, manifest: Manifest) -> bytes | None:
    if path not in manifest.files:
        return None
    try:
        return without_values(objects.read(manifest.files[path][0]))
    except (AmlnbError, OSError):
        return b""  # told where it is shown


def _file(
    path: str, versions: tuple[int | None, ...], sources: Sequence[tuple[ObjectStore, Manifest]]
) -> FileDifference:
    if len(sources) != 2:
        return file_difference(path, versions, None)
    try:
        first, second = (
            without_values(objects.read(manifest.files[path][0])) if path in manifest.files else None
            for objects, manifest in sources
        )
    except (AmlnbError, OSError):
        return FileDifference(path, versions, note="its content is missing")
    return file_difference(path, versions, (first, second))
