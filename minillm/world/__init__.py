"""The embedded world: facts, and the documents, probes, conversations and raters made from them."""
