"""The writers of the five kinds of documents that tell about the embedded world."""
