"""A short fuzzing campaign: damaged GGUF files load or are one ValueError."""

import fuzz_gguf


def test_damaged_files_load_or_are_refused_in_one_line(monkeypatch):
    monkeypatch.setattr(fuzz_gguf, "SECOND", float("inf"))      # a test does not depend on the machine's speed
    results = fuzz_gguf.campaign(count=75, seed=1)
    assert [row[0] for rows in results.values() for row in rows if row[0] not in ("loads", "refused")] == []
    assert all(sum(row[0] == "refused" for row in rows) >= 3 for rows in results.values())
