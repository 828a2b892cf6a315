"""Writing that a crash, a full disk or a Ctrl-C cannot leave half done.

A file is written under another name, flushed to the disk and renamed: under its own name it is
whole or absent. The other names begin with ".writing"; what a killed process has left under such a
name is removed by the next that writes the same file.
"""

import os
import time
from contextlib import contextmanager
from pathlib import Path

ASIDE = ".writing"      # start of the names under which files and folders are written
ABANDONED = 60          # seconds after which no process is still writing such a file


@contextmanager
def naming(path):
    """In this context an OSError without a file name ("No space left on device") names `path`."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise


def write_atomically(path, text):
    """Write a text file completely or not at all: temporary file, flush to disk, rename.

    Raises:  OSError that names the file.
    """
    path = Path(path)
    aside = path.with_name(f"{ASIDE}-{os.getpid()}-{path.name}")
    for left in path.parent.glob(f"{ASIDE}-*-{path.name}"):
        if time.time() - left.stat().st_mtime > ABANDONED:
            left.unlink(missing_ok=True)
    try:
        with naming(path):
            with open(aside, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                flush(file)
            os.replace(aside, path)
            flush_folder(path.parent)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def append_line(path, text):
    """Append one line, and wait until it is on the disk; if that fails, the file is as before.

    Raises:  OSError that names the file.
    """
    with naming(path), open(path, "a", encoding="utf-8", newline="\n") as file:
        before = file.seek(0, os.SEEK_END)
        try:
            file.write(text + "\n")
            flush(file)
        except BaseException:
            os.truncate(path, before)
            raise


def flush(file):
    """Wait until an open file is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def flush_files(folder):
    """Wait until all files of a folder, and their names, are on the disk."""
    for path in folder.iterdir():
        if path.is_file():
            with open(path, "rb+") as file:
                flush(file)
    flush_folder(folder)


def flush_folder(folder):
    """Wait until the names in a folder are on the disk; Windows has no such call."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
