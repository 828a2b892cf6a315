"""The embedded world: its facts, its documents, its probes, its conversations and its raters."""
