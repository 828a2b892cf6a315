"""The five kinds of documents that the embedded world is told in."""

from minillm.world.documents.corpus import KINDS, Document, write_corpus

__all__ = ["KINDS", "Document", "write_corpus"]
