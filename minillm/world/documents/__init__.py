"""The five kinds of documents that tell about the embedded world."""

from minillm.world.documents.corpus import KINDS, Document, write_corpus

__all__ = ["KINDS", "Document", "write_corpus"]
