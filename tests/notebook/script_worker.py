"""Runs scripts, each in a child of its own that begins with numpy, pandas and cloudpickle loaded.

Reads lines `folder, script` as JSON; answers each with what the script wrote and how it ended.
"""

import json
import os
import sys
import traceback
import types

import cloudpickle  # noqa: F401 - loaded ahead
import numpy as np  # noqa: F401
import pandas as pd  # noqa: F401


def run(folder, script):
    os.chdir(folder)
    sys.path.insert(0, folder)
    module = types.ModuleType("__main__")
    module.__file__ = os.path.join(folder, script)
    sys.modules["__main__"] = module
    with open(script, encoding="utf-8") as file:
        code = compile(file.read(), module.__file__, "exec", dont_inherit=True)
    exec(code, module.__dict__)


def in_child(folder, script):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        os.close(reading)
        code = 1
        try:
            run(folder, script)
            code = 0
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as file:
        text = file.read()
    return text, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(in_child(*json.loads(line))), flush=True)
