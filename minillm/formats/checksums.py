"""SHA256SUMS: the hash of every file of a folder, in the format of the command sha256sum.

A flipped bit in a weight would change every answer of the model a little, and nothing would say so.
"""

import hashlib
import re

from minillm.formats.json_file import require_file

SUMS = "SHA256SUMS"
LINE = re.compile(r"([0-9a-f]{64})  ([\w.-]{1,100})")


def sha256(path):
    """The SHA-256 of a file, in hexadecimal digits."""
    require_file(path)
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_sums(folder):
    """Write the SHA-256 of every file of a folder, as `sha256sum *` prints it."""
    lines = [f"{sha256(path)}  {path.name}\n" for path in sorted(folder.iterdir())
             if path.is_file()]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def read_sums(folder):
    """{file name: SHA-256} as the folder's SHA256SUMS has them; {} without that file.

    Raises:  ValueError for a broken file.
    """
    path = folder / SUMS
    if not path.exists():
        return {}
    require_file(path)
    try:
        *lines, end = path.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError:
        lines, end = [], "not text"
    found = [LINE.fullmatch(line) for line in lines]
    if end or not all(found):
        raise ValueError(f"{path}: is not a list of SHA-256 sums")
    return {match[2]: match[1] for match in found}


def check_sums(folder, names):
    """Compare all listed files, and those of `names` that are there, with their SHA-256.

    A folder without SHA256SUMS, as other programs write it, is not checked.
    Raises:  ValueError that names the first file that differs or is missing.
    """
    listed = read_sums(folder)
    for name in (*listed, *(name for name in names if listed and (folder / name).exists())):
        if not (folder / name).exists():
            raise ValueError(f"{folder / name} is missing; the folder is not a whole checkpoint")
        if sha256(folder / name) != listed.get(name):
            raise ValueError(f"{folder / name} is not the file that was written (another SHA-256); "
                             f"if it was changed on purpose, remove {SUMS}")
