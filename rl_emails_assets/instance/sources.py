"""Whether the code of the definitions has changed on disk since it was imported. Standard library only."""

import hashlib
from importlib.util import find_spec
from pathlib import Path


def fingerprint(module: str) -> str:
    """A hash over every file of the module's package: names, sizes and times. Empty where nothing can be said."""
    package = module.partition(".")[0]
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return ""
    origin = Path(spec.origin)
    if origin.name == "__init__.py":
        files = [path for path in sorted(origin.parent.rglob("*")) if path.is_file() and path.suffix != ".pyc"]
    else:
        files = [origin]
    digest = hashlib.sha256()
    for path in files:
        try:
            status = path.stat()
        except OSError:
            continue
        digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
