"""Live views for hosts without our front end (VS Code, Colab): widgets that stand beside other ipywidgets.

They need anywidget: ``pip install 'amlnb[widget]'``.
"""

from __future__ import annotations

import importlib.util

from amlnb.errors import UserErrorException

if importlib.util.find_spec("anywidget") is None:
    raise UserErrorException("widgets need anywidget, which is not installed", hint="pip install 'amlnb[widget]'")

from amlnb.widget.widgets import MetricPlot, RunTable, RunWidget

__all__ = ["MetricPlot", "RunTable", "RunWidget"]
