"""Comparing our signatures with v1's, as they stand in its documentation: names, order and defaults."""

import inspect


def signature_of(function):
    """``(a, b=1, **kwargs)`` of a function, without annotations and without self or cls."""
    parameters = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for name, parameter in inspect.signature(function).parameters.items()
        if name not in ("self", "cls")
    ]
    # Ours that nobody reads is called ``_``.
    return str(inspect.Signature(parameters)).replace("**_)", "**kwargs)")
