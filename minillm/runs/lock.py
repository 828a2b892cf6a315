"""One process at a time works in a run's folder; the system frees the lock of one that has died."""

import os
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:         # Windows
    fcntl = None
    import msvcrt

LOCK = ".lock"              # the file; it holds the id of the process that works in the folder
FAR = 1 << 30               # Windows hides locked bytes, so the locked one lies behind the id


@contextmanager
def locked(folder):
    """In this context no other process can work in the folder.

    Raises:  ValueError that names the process which works there.
    """
    path = Path(folder) / LOCK
    file = acquired(path)
    try:
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
    finally:
        with suppress(OSError):     # Windows does not remove an open file; an empty one stays
            path.unlink()           # before another process can have the lock
        file.close()


def acquired(path):
    """The open lock file, locked for this process.  Raises:  ValueError"""
    while True:
        file = open(path, "a+", encoding="ascii")
        try:
            lock(file)
        except BlockingIOError:
            file.seek(0)
            owner = file.read(20).strip()
            file.close()
            raise ValueError(f"{path.parent} is in use by process {owner or '(unknown)'}; wait "
                             "until that has ended, or stop it") from None
        try:
            if os.fstat(file.fileno()).st_ino == path.stat().st_ino:
                return file
        except FileNotFoundError:
            pass
        file.close()        # its owner removed the file just after it was opened here; try again


def lock(file):
    """Lock an open file.  Raises:  BlockingIOError if another process has locked it."""
    if fcntl:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            pass            # a file system without locks: as before there were any
        return
    file.seek(FAR)
    try:
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except OSError:
        raise BlockingIOError from None
