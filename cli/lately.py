"""What is loaded when it is first asked for, which may be never."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import LazyLoader, find_spec, module_from_spec


def lately(name: str) -> None:
    """Put off the loading of the module ``name``, of a package: the recipe for lazy imports of importlib's page.

    Only for who says ``from package import module`` and nothing else: another ``import`` loads it.
    """
    package, _, last = name.rpartition(".")
    spec = find_spec(name)
    assert spec is not None
    assert spec.loader is not None
    spec.loader = LazyLoader(spec.loader)
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    setattr(import_module(package), last, module)  # so that nobody looks further for it
