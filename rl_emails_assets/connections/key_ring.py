"""The keys that encrypt tokens at rest: where they are kept, and how they get there.

Keys named in `RL_EMAILS_SECRET_KEYS` are used and nothing else. Otherwise they are in a file below the home folder,
one a line, made when they are first needed: the first encrypts, all decrypt.
"""

import base64
import binascii
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rl_emails_assets.errors import SettingsError
from rl_emails_assets.settings import Settings

KEY_BYTES = 32
"""AES-256."""
VARIABLE = "RL_EMAILS_SECRET_KEYS"


def key_file(home: Path) -> Path:
    """Where the keys are kept unless the settings name them."""
    return home / "keys" / "secret-keys"


def read_keys(settings: Settings) -> list[bytes]:
    """The keys, the one that encrypts first; made on first use. Raises SettingsError when they cannot be used."""
    if settings.secret_keys is not None:
        return _decoded(settings.secret_keys.split(","), VARIABLE)
    path = key_file(settings.home)
    if not path.exists():
        with _locked(path.parent):
            if not path.exists():
                _write(path, [secrets.token_bytes(KEY_BYTES)])
    return _read(path)


def add_key(settings: Settings) -> None:
    """Put a new key before those of the key file. Raises SettingsError when the settings name the keys."""
    if settings.secret_keys is not None:
        raise SettingsError(
            f"The keys are named in {VARIABLE}, so a new one is to be put there: before the others, separated by a "
            "comma (`openssl rand -base64 32` makes one). Restart every process, then run this command again."
        )
    path = key_file(settings.home)
    with _locked(path.parent):
        _write(path, [secrets.token_bytes(KEY_BYTES), *(_read(path) if path.exists() else [])])


def _read(path: Path) -> list[bytes]:
    try:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise SettingsError(f"{path} can be read by other users. Run `chmod 600 {path}`, then try again.")
        lines = path.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The keys in {path} cannot be read: {error}. Put the file back from a backup.") from error
    return _decoded(lines, str(path))


def _decoded(texts: list[str], where: str) -> list[bytes]:
    keys = []
    for number, text in enumerate(texts, start=1):
        try:
            key = base64.b64decode(text.strip(), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        # What is wrong is told without the text: a key with one wrong character is still nearly the key.
        if len(key) != KEY_BYTES:
            raise SettingsError(
                f"Key {number} in {where} is not base64 of {KEY_BYTES} bytes. `openssl rand -base64 32` makes one; "
                "if it was cut or changed, put the right one back: what it encrypted cannot be read without it."
            )
        keys.append(key)
    if not keys:
        raise SettingsError(f"There is no key in {where}. Put the keys back from a backup.")
    return keys


def _write(path: Path, keys: list[bytes]) -> None:
    """Replace the file in one step: a reader finds the old keys or the new ones, never half of one."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(b"".join(base64.b64encode(key) + b"\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Alone among the processes that would write the key file: two first uses at once must end with one key."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        folder.chmod(0o700)
        lock = (folder / ".lock").open("a")
    except OSError as error:
        raise SettingsError(
            f"The folder {folder} for secret keys cannot be written: {error.strerror}. Make it writable, "
            f"or name keys in {VARIABLE}."
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
