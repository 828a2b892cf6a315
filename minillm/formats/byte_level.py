"""GPT-2's alphabet, in which files write bytes as printable characters: a space is "Ġ"."""


def _byte_alphabet():
    """One printable character for each byte: itself where it is printable, else 256 and up."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]   # Latin-1, no blanks
    hidden = [byte for byte in range(256) if byte not in shown]
    return {**{byte: chr(byte) for byte in shown},
            **{byte: chr(256 + n) for n, byte in enumerate(hidden)}}


BYTE_TO_CHARACTER = _byte_alphabet()
CHARACTER_TO_BYTE = {character: byte for byte, character in BYTE_TO_CHARACTER.items()}

# For str.translate, through Latin-1, in which byte b is the character b. What is not in the
# alphabet becomes a character that Latin-1 does not have.
_READ = {**{code: "\uffff" for code in range(256)},
         **{ord(character): chr(byte) for character, byte in CHARACTER_TO_BYTE.items()}}


def spelled(data):
    """Bytes as characters of the alphabet."""
    return data.decode("latin-1").translate(BYTE_TO_CHARACTER)


def bytes_of(name):
    """The bytes of characters of the alphabet.  Raises:  ValueError for any other character."""
    return name.translate(_READ).encode("latin-1")
