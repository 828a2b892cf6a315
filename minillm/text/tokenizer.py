"""Turns text into token ids and back: byte-level BPE, or one token a byte.

Ids 0 to 5 are control tokens, then come single bytes, then the tokens that merges made. (Another
project's vocabulary has its own order: text/imported.py encodes by it.) Only the code that frames
documents and conversations places control ids: encode never makes one, whatever the text spells.
"""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from minillm.formats.gguf_tokenizer import parse_gguf
from minillm.formats.tokenizer_config import CHAT_TEMPLATES, SPECIAL, other_template
from minillm.formats.tokenizer_json import (CONTROL, read_tokenizer, write_imported,
                                            write_tokenizer)
from minillm.formats.vocabulary import Imported
from minillm.kernels.split import ALTERNATIVES, PATTERN
from minillm.text.chat import render_chat
from minillm.text.encoding import encode_texts, merges_of
from minillm.text.imported import Encoder
from minillm.text.pieces import replace_surrogates
from minillm.text.templates import TEMPLATES, name_of

KINDS = ("bpe", "characters")
BYTES_AND_CONTROL = len(CONTROL) + 256      # tokens of a byte-level vocabulary before any merge
OURS = {name: id for id, name in enumerate(CONTROL)}
SHORT, REMEMBERED = 200, 50_000  # characters of a text whose ids are kept, and how many texts


@dataclass(frozen=True)
class Tokenizer:
    """A vocabulary: control tokens, an alphabet of bytes, merges in the order they were learned.

    Merge r joins the tokens merges[r] = (left, right) into token 6 + len(alphabet) + r, or into
    imported.made[r].
    """
    kind: str               # "bpe" or "characters"
    alphabet: bytes         # distinct bytes in rising order: all 256 of them, or those of the text
    merges: tuple = ()      # of (left id, right id)
    pad_id: int = 0
    begin_id: int = 1       # start of a document or of a conversation; None: nothing marks it
    end_id: int = 2         # end of a document or of a turn
    end_ids: tuple = (2,)   # every token that ends an answer, end_id among them
    imported: Imported = None       # what a vocabulary of another project has besides
    chat_template: str = None       # Jinja, in place of the template of its kind

    def __repr__(self):
        return (f"Tokenizer({self.kind}: {self.vocab_size:,} tokens, of them {len(self.control)} "
                f"control, {len(self.alphabet)} bytes, {len(self.merges):,} merges)")

    @cached_property
    def control(self):
        """The id of every control token: {spelling: id}."""
        return self.imported.control if self.imported else OURS

    @cached_property
    def control_ids(self):
        """The ids of the control tokens, which no text becomes."""
        return frozenset(self.control.values())

    # The control tokens that say who speaks in minillm's own template; other templates have others.
    system_id = property(lambda self: self.control["<|system|>"])
    user_id = property(lambda self: self.control["<|user|>"])
    assistant_id = property(lambda self: self.control["<|assistant|>"])

    @cached_property
    def cut_at_controls(self):
        """A function from a template's text to its parts: [text, None] or [spelling, its id]."""
        names = "|".join(map(re.escape, sorted(self.control, key=len, reverse=True)))
        cut, ids = re.compile(f"({names})").split, self.control.get
        return lru_cache(1000)(lambda text: [(part, ids(part)) for part in cut(text) if part])

    @property
    def roles(self):
        """The control tokens that a chat template may name: {"bos_token": spelling, ...}."""
        return self.imported.roles if self.imported else SPECIAL

    @cached_property
    def template(self):
        """The chat template: a name of text/templates, or a source in Jinja; None if none."""
        source = (self.imported.chat_template if self.imported else
                  self.chat_template or CHAT_TEMPLATES[self.kind])
        return source and (name_of(source, tuple(self.roles.items())) or source)

    @property
    def indent(self):
        """The spaces that belong to the first token of a message, by the chat template."""
        return TEMPLATES[self.template].indent if self.template in TEMPLATES else ""

    @property
    def splitter(self):
        """How text is split before merging: "minillm", or a name of formats/splitters."""
        return self.imported.splitter if self.imported else "minillm"

    @cached_property
    def tokens(self):
        """The bytes of each token, in the order of ids; control tokens as they are spelled."""
        if self.imported:
            return list(self.imported.tokens)
        tokens = [name.encode() for name in CONTROL] + [bytes([byte]) for byte in self.alphabet]
        for left, right in self.merges:
            tokens.append(tokens[left] + tokens[right])
        return tokens

    @property
    def vocab_size(self):
        """The number of ids: control tokens, bytes and merges."""
        if self.imported:       # several merges may make the same token
            return len(self.imported.tokens)
        return len(CONTROL) + len(self.alphabet) + len(self.merges)

    @cached_property
    def _byte_ids(self):
        ids = np.full(256, -1, np.int32)
        ids[list(self.alphabet)] = len(CONTROL) + np.arange(len(self.alphabet))
        return ids

    @cached_property
    def spoken(self):
        """The bytes that each token adds to a text; b"" for control tokens."""
        return [b"" if id in self.control_ids else token for id, token in enumerate(self.tokens)]

    @cached_property
    def _known(self):
        """Ids of short texts encoded before: questions and answers come again and again."""
        return {}

    @cached_property
    def _merges(self):
        first_id = len(CONTROL) + len(self.alphabet)
        made = np.arange(first_id, first_id + len(self.merges))
        return merges_of(self._byte_ids, self.merges, made)

    @cached_property
    def _encoder(self):
        return Encoder(self.merges, self.imported)

    def encode(self, text):
        """Return the ids of a text; half a surrogate pair, which UTF-8 cannot hold, becomes U+FFFD.

        Shapes:  -> ids (T,) int32, none of them a control token
        Raises:  ValueError for a character that a "characters" vocabulary does not have
        """
        known = self._known.get(text)
        if known is None:
            known = self._encode(replace_surrogates(text))
            if len(text) <= SHORT and len(self._known) < REMEMBERED:
                self._known[text] = known
        return known.copy()

    def encode_bytes(self, data):
        """Return the ids of any bytes, UTF-8 or not; decode_bytes gives exactly these bytes back.

        Shapes:  -> ids (T,) int32
        Raises:  ValueError for a byte that a "characters" vocabulary does not have
        """
        # Bytes that are no UTF-8 pass the splitter as surrogates, which no valid text has.
        return self._encode(data.decode("utf-8", "surrogateescape"))

    def _encode(self, text):
        if self.kind == "characters":
            return self._look_up(text)
        if self.imported:
            return self._encoder.encode(text)
        return encode_texts([text], self._merges)

    def _look_up(self, text):
        data = text.encode("utf-8", "surrogateescape")
        ids = self._byte_ids[np.frombuffer(data, np.uint8)]
        if ids.min(initial=0) < 0:
            place = len(data[:np.argmin(ids)].decode("utf-8", "ignore"))
            raise ValueError(f"character {text[place]!r} at position {place} is not in this "
                             f"vocabulary of {len(self.alphabet)} bytes; train the tokenizer on "
                             "text that has it, or use kind 'bpe', which takes any text")
        return ids

    def decode(self, ids, controls=False):
        """Return the text of ids: bytes that are no UTF-8 become U+FFFD, control tokens nothing.

        Raises:  ValueError for an id outside the vocabulary
        """
        return self.decode_bytes(ids, controls).decode("utf-8", "replace")

    def decode_bytes(self, ids, controls=False):
        """Return the bytes of ids; controls=True also spells the control tokens.

        Shapes:  ids (T,) integers, or one integer
        Raises:  ValueError for an id outside the vocabulary
        """
        ids = np.atleast_1d(np.asarray(ids))
        if ids.ndim != 1 or (ids.size and not np.issubdtype(ids.dtype, np.integer)):
            raise ValueError(f"ids must be one row of integers, not {ids.dtype} of shape "
                             f"{ids.shape}")
        wrong = np.flatnonzero((ids < 0) | (ids >= self.vocab_size))
        if len(wrong):
            raise ValueError(f"id {ids[wrong[0]]} at position {wrong[0]} is outside the vocabulary "
                             f"of {self.vocab_size}; do the ids come from another tokenizer.json?")
        tokens = self.tokens if controls else self.spoken
        return b"".join([tokens[i] for i in ids.tolist()])

    def encode_documents(self, texts):
        """Return all documents as one stream: <|begin|> document <|end|> <|begin|> document ...

        Without a begin token there is none: document <|end|> document <|end|> ...

        Shapes:  -> ids (N,) int32
        """
        if self.kind == "bpe" and not self.imported:
            texts = map(replace_surrogates, texts)
            return encode_texts(texts, self._merges, self.begin_id, self.end_id)
        begin = np.array([] if self.begin_id is None else [self.begin_id], np.int32)
        parts = [np.empty(0, np.int32)]
        for text in texts:
            parts += [begin, self.encode(text), [self.end_id]]
        return np.concatenate(parts, dtype=np.int32)

    def encode_chat(self, messages, ask=True):
        """Return the ids of a conversation, ending in <|assistant|> if ask: its turn to speak.

        Shapes:  -> ids (T,) int32
        Raises:  ValueError for messages that are no conversation
        """
        return render_chat(self, messages, ask)[0]

    def encode_answer(self, text):
        """Return the ids of an answer, or of its beginning, as they follow those of encode_chat.

        Shapes:  -> ids (T,) int32
        """
        return self.encode(self.indent + text if text else "")

    def decode_answer(self, ids):
        """Return the text of an answer's ids, without the space that its first token begins with.

        Raises:  as decode does
        """
        return self.decode(ids).removeprefix(self.indent)

    def save(self, path):
        """Write tokenizer.json, in the form that the Hugging Face tokenizers library reads."""
        if self.imported:
            return write_imported(path, self)
        write_tokenizer(path, self.kind, self.tokens, self.merges, PATTERN)

    @classmethod
    def load(cls, path):
        """Read a tokenizer.json that save wrote, or another project's with its settings beside it.

        Raises:  ValueError of one line if the file is missing, broken or of a kind that minillm
                 does not run
        """
        # Earlier files have no longest piece, and split all other text alike.
        fields = read_tokenizer(path, (PATTERN, ALTERNATIVES))
        return cls(**fields, chat_template=None if fields.get("imported") else
                   other_template(Path(path).parent, fields["kind"]))

    @classmethod
    def from_gguf(cls, metadata):
        """The tokenizer that the metadata of a GGUF file describes: {"tokenizer.ggml.model": ...}.

        Raises:  ValueError that names the key and what minillm does not run
        """
        return cls(**parse_gguf(metadata))
