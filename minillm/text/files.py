"""Read text files: only regular files in UTF-8, and from a folder all that can be read.

Every error is one line that names the file and the fix.
"""

import os
import stat
from collections import Counter
from pathlib import Path
from typing import NamedTuple

TEXT_SUFFIXES = (".txt", ".md", ".py")
# First bytes of files that only look like data in the wrong encoding.
SIGNATURES = {b"\x1f\x8b": "is compressed (gzip); unpack it first",
              b"PK\x03\x04": "is compressed (zip); unpack it first",
              b"\xfd7zXZ": "is compressed (xz); unpack it first",
              b"\x28\xb5\x2f\xfd": "is compressed (zstd); unpack it first",
              b"\xff\xfe": "is UTF-16 text; save it as UTF-8",
              b"\xfe\xff": "is UTF-16 text; save it as UTF-8"}
IRREGULAR = {stat.S_IFIFO: "a named pipe", stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
             stat.S_IFSOCK: "a socket"}


def read_text(path, may_be_empty=False):
    """The text of a UTF-8 file without its byte order mark; line ends become \\n.

    Raises:  ValueError that names the file and the fix
    """
    data = _read_bytes(Path(path))
    for first, problem in SIGNATURES.items():
        if data.startswith(first):
            raise ValueError(f"{path}: {problem}")
    if b"\0" in data:
        raise ValueError(f"{path}: is binary, not text (NUL byte at offset {data.index(0)}); "
                         "give a text file in UTF-8")
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")  # some editors write a byte order mark
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: invalid UTF-8 (byte 0x{data[error.start]:02x} "
                         f"at offset {error.start}); save it as UTF-8") from None
    if not text.strip() and not may_be_empty:
        raise ValueError(f"{path}: is empty; give a file with text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _read_bytes(path):
    """The bytes of a regular file: opening a pipe may wait for ever, and a device may never end."""
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ValueError(f"{path}: is a folder; a file is needed here")
        if not stat.S_ISREG(mode):
            kind = IRREGULAR.get(stat.S_IFMT(mode), "not a regular file")
            raise ValueError(f"{path}: is {kind}; save its content to a file, and give that")
        return path.read_bytes()
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file; check the path") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror}); check its rights") from None


class Folder(NamedTuple):
    """The texts of a folder, and what was not read."""
    texts: list         # of the files that are not empty, sorted by path
    skipped: Counter    # kind -> number of files, "link to a folder" among the kinds
    broken: list        # a line for each text file or folder that could not be read

    def __str__(self):
        skipped = self.skipped + Counter({"not readable": len(self.broken)})
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in
                          sorted(skipped.items(), key=lambda item: (-item[1], item[0])))
        return (f"read {len(self.texts):,} file{'' if len(self.texts) == 1 else 's'}"
                + (f", skipped {skipped.total():,} ({kinds})" if kinds else ""))


def read_folder(folder):
    """Read the text files of a folder and its subfolders, in the same order on every system.

    Text files end in .txt, .md or .py. Empty files, hidden files and folders, and links to folders
    are skipped. A file that cannot be read or decoded is left out and named in `broken`.
    """
    skipped, broken = Counter(), []
    texts = []
    for file in sorted(_text_files(folder, skipped, broken),
                       key=lambda file: file.relative_to(folder).as_posix()):
        try:
            text = read_text(file, may_be_empty=True)
        except ValueError as error:
            broken.append(str(error))
            continue
        if text.strip():
            texts.append(text)
        else:
            skipped["empty"] += 1
    return Folder(texts, skipped, broken)


def _text_files(folder, skipped, broken):
    """Yield the text files below a folder; count the others by their ending."""
    def unreadable(error):
        broken.append(f"{error.filename}: cannot be read ({error.strerror}); check its rights")

    for place, folders, names in os.walk(folder, onerror=unreadable):
        skipped["hidden"] += sum(name.startswith(".") for name in folders + names)
        folders[:] = [name for name in folders if not name.startswith(".")]
        skipped["link to a folder"] += sum(os.path.islink(os.path.join(place, name))
                                           for name in folders)
        for name in names:
            if name.startswith("."):
                continue
            if name.lower().endswith(TEXT_SUFFIXES):
                yield Path(place, name)
            else:
                skipped[os.path.splitext(name)[1].lower() or "without an ending"] += 1
