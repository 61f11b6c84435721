"""The version, in its one place: pyproject.toml, the wheel and the staged run side all read it here."""

__version__ = "0.1.0"
