"""Compiled kernels on disk, for the next start: one file for each kernel and types of arguments.

In numba's own cache two processes that write at once can mix up entries, a damaged file refuses
every later start, and a kernel keeps the old code of a helper that was edited in another file.
Here the file's name depends on all that the code depends on, so whoever writes a name writes the
same code. A checksum finds a damaged entry, and the kernel is compiled again.

An entry is unpickled, as numba does, so nobody else may be able to write it: see cache_folder.
"""

import contextlib
import hashlib
import os
import pickle
import stat
import sys
import tempfile
from functools import cache
from pathlib import Path

import llvmlite
import numba
import numpy as np
from numba.core import config
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs

from minillm.kernels.interrupts import interrupts_wait

PRIVATE = "minillm-kernels-"     # then the user's number: the folder under the temporary directory
DIGEST = hashlib.sha256().digest_size       # bytes
# Settings of numba that change the code; its index of types and processor does not hold them.
SETTINGS = ("BOUNDSCHECK", "OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE", "DEBUGINFO_DEFAULT")


class KernelCache(NullCache):
    """The cache of one kernel, as numba's dispatcher asks for it."""

    def __init__(self, name):
        self.name = name

    @property
    def cache_path(self):
        return cache_folder()

    def load_overload(self, sig, target_context):
        """The compiled kernel for these types of arguments; None if there is no whole entry."""
        target_context.refresh()
        if cache_folder() is None:
            return None
        try:
            data = self._file(sig, target_context.codegen()).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(data[DIGEST:]).digest() != data[:DIGEST]:
            return None
        with interrupts_wait():
            return CompileResult._rebuild(target_context, *pickle.loads(data[DIGEST:]))

    def save_overload(self, sig, data):
        """Write the entry atomically. Where there is no room, the next start compiles again."""
        if cache_folder() is None or data.library.has_dynamic_globals:
            return
        path, entry = self._file(sig, data.codegen), dumps(data._reduce())
        written = path.with_suffix(f".{os.getpid()}")
        try:
            written.write_bytes(hashlib.sha256(entry).digest() + entry)
            os.replace(written, path)
        except OSError:
            with contextlib.suppress(OSError):
                written.unlink()

    def _file(self, sig, codegen):
        """The file of these types of arguments, on this processor."""
        types = hashlib.sha256(repr((sig, codegen.magic_tuple())).encode()).hexdigest()
        return cache_folder() / f"{self.name}-{versions()}-{types[:16]}.kernel"


def is_cached(name):
    """True if the cache has an entry of this kernel, for any types of arguments."""
    folder = cache_folder()
    return folder is not None and any(folder.glob(f"{name}-{versions()}-*.kernel"))


@cache
def versions():
    """Hash of what all kernels depend on: the files of this folder, packages, numba's settings."""
    files = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    others = (sys.implementation.cache_tag, np.__version__, numba.__version__, llvmlite.__version__,
              [str(getattr(config, name, None)) for name in SETTINGS])
    return hashlib.sha256(b"".join(files) + repr(others).encode()).hexdigest()[:16]


@cache
def cache_folder():
    """The first folder that can be written to: NUMBA_CACHE_DIR, beside this file, the user's cache
    folder, a private one under the temporary directory. None if there is none.
    """
    usual = [Path(config.CACHE_DIR)] if config.CACHE_DIR else []
    usual += [Path(__file__).parent / "__pycache__", Path(AppDirs("minillm", False).user_cache_dir)]
    for folder in usual:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
            return folder
    with contextlib.suppress(OSError):
        return private_folder(Path(tempfile.gettempdir()))
    return None


def private_folder(parent):
    """A folder that only this user can write to, in one where everybody can.

    Raises:  OSError if it cannot be made, or what has its name is not such a folder.
    """
    user = os.getuid() if hasattr(os, "getuid") else ""     # on Windows `parent` is private
    folder = parent / f"{PRIVATE}{user}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    private = user == "" or (found.st_uid == user and not found.st_mode & 0o077)
    if not (stat.S_ISDIR(found.st_mode) and private):
        raise PermissionError(f"{folder} is not a folder of this user alone")
    tempfile.TemporaryFile(dir=folder).close()
    return folder
