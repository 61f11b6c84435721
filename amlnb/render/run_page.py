"""A run as one HTML file that opens anywhere: for ``amlnb run bundle``."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from amlnb.render.formatting import one_line, printable
from amlnb.render.run_html import run_html
from amlnb.render.run_picture import run_scene
from amlnb.render.svg import to_svg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amlnb.specs.run_view import RunView

TEXT_LIMIT = 200_000
_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; max-width: 820px; margin: 32px auto;
  padding: 0 16px; background: #fff; color: #24292f; }
h2 { font-size: 15px; margin: 28px 0 8px; }
svg { max-width: 100%; height: auto; }
pre.text { font: 12.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; background: rgba(128,128,128,.09);
  padding: 12px 14px; border-radius: 6px; overflow: auto; max-height: 480px; }
td.size { text-align: right; padding-left: 24px; color: #8b919a; }
@media (prefers-color-scheme: dark) { body { background: #111418; color: #d6dae0; } }
"""


def run_page(view: RunView, *, code: str | None = None, log: str = "", files: Sequence[tuple[str, int]] = ()) -> str:
    """Write a run as a self-contained page: no script, nothing fetched.

    Parameters
    ----------
    view
        The run.
    code
        Text of its script, if it has one.
    log
        Its log; the last 200,000 characters are kept.
    files
        (name, size in bytes) of its files.
    """
    parts = [to_svg(run_scene(view)), run_html(view)]
    if log:
        parts.append(_section("Log", f'<pre class="text">{_text(log)}</pre>'))
    if code is not None:
        parts.append(_section("Code", f'<pre class="text">{_text(code)}</pre>'))
    if files:
        rows = "".join(
            f'<tr><td>{escape(one_line(name, 200))}</td><td class="size">{size:,} bytes</td></tr>'
            for name, size in files[:1000]
        )
        more = f"<p>and {len(files) - 1000:,} more files</p>" if len(files) > 1000 else ""
        parts.append(_section("Files", f"<table>{rows}</table>{more}"))
    title = escape(one_line(view.name, 120))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>"


def _text(text: str) -> str:
    cut = f"[{len(text) - TEXT_LIMIT:,} characters left out]\n" if len(text) > TEXT_LIMIT else ""
    return escape(printable(cut + text[-TEXT_LIMIT:]))
