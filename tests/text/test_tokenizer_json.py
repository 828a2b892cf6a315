"""tokenizer.json: it comes back, another library reads it alike, and broken ones are refused."""

import json

import pytest

from minillm.kernels.split import ALTERNATIVES
from minillm.text.tokenizer import CONTROL, Tokenizer

ODD_TEXTS = [
    "", " ", "\n", "   \n\n   x  ", "  def f(x):\n\n        return  x  # hi\n\t\tx\r\n \n", "1234 12345 a1b2",
    "don't I'LL we've 'tis", "<|end|> hi <|begin|>", "naïve café 漢字かな",
    "👩‍👩‍👧 🏳️‍🌈 🎉🎉!", "हिन्दी ไทย العَرَبِيَّة",
    "½ ² Ⅷ ٣٤٥", "\x00\x01 \x7f \ufffd \x85 \x1c\x1d y", "a\u00a0b\u2003c\u3000d\u2028e",
    "ſ K İ ŉ", "e\u0301 \u0301e",
    *(f"x {letters * 2500} x" for letters in ("a", " ", "\n", "!", " \n", "7", "e\u0301")),    # longer than a piece
]


def test_save_and_load(bpe, characters, tmp_path):
    for tokenizer in (bpe, characters):
        tokenizer.save(tmp_path / "tokenizer.json")
        loaded = Tokenizer.load(tmp_path / "tokenizer.json")
        assert loaded == tokenizer
        assert loaded.tokens == tokenizer.tokens


def test_the_hugging_face_library_gives_the_same_ids(bpe, characters, text, tmp_path):
    library = pytest.importorskip("tokenizers")
    for tokenizer, texts in ((bpe, [*ODD_TEXTS, text]), (characters, [text])):
        tokenizer.save(tmp_path / "tokenizer.json")
        other = library.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
        assert other.get_vocab_size() == tokenizer.vocab_size
        assert other.encode("<|end|><|assistant|>").ids == [tokenizer.end_id, tokenizer.assistant_id]
        other.encode_special_tokens = True  # read control tokens in a text as text, as we always do
        for sample in texts:
            ids = tokenizer.encode(sample).tolist()
            assert other.encode(sample).ids == ids, repr(sample)
            assert other.decode(ids) == sample


def test_a_file_from_before_there_was_a_longest_piece_is_read(bpe, tmp_path):
    path = tmp_path / "tokenizer.json"
    bpe.save(path)
    content = json.loads(path.read_text(encoding="utf-8"))
    content["pre_tokenizer"]["pretokenizers"][0]["pattern"] = {"Regex": ALTERNATIVES}
    path.write_text(json.dumps(content), encoding="utf-8")
    assert Tokenizer.load(path) == bpe


def test_merges_may_be_written_as_lists(bpe, tmp_path):
    path = tmp_path / "tokenizer.json"
    bpe.save(path)
    content = json.loads(path.read_text(encoding="utf-8"))
    content["model"]["merges"] = [line.split(" ") for line in content["model"]["merges"]]
    path.write_text(json.dumps(content), encoding="utf-8")
    assert Tokenizer.load(path) == bpe




@pytest.mark.parametrize("change, reason", [
    (lambda c, v, m: c.pop("model"), "'model' is missing"),
    (lambda c, v, m: c.update(model=[]), "'model' is missing or has the wrong type"),
    (lambda c, v, m: c["model"].update(type="WordPiece"), "splits"),
    (lambda c, v, m: c["model"].update(ignore_merges=True), "'ignore_merges' is True"),
    (lambda c, v, m: c["model"].update(dropout=0.1), "'dropout' is 0.1"),
    (lambda c, v, m: c["added_tokens"].append({**c["added_tokens"][0], "id": 300, "content": "cat"}), "added tokens"),
    (lambda c, v, m: c["added_tokens"].pop(), "added tokens"),
    (lambda c, v, m: c["pre_tokenizer"]["pretokenizers"][0].update(pattern={"Regex": "x"}), "splits"),
    (lambda c, v, m: c.update(normalizer={"type": "NFC"}), "normalizes"),
    (lambda c, v, m: c["model"].update(vocab=[]), "'vocab' is missing or has the wrong type"),
    (lambda c, v, m: v.update(a=5000), "ids of 'vocab'"),
    (lambda c, v, m: v.update(a="7"), "ids of 'vocab'"),
    (lambda c, v, m: v.update(a=True), "ids of 'vocab'"),
    (lambda c, v, m: v.update({"<|pad|>": 1, "<|begin|>": 0}), "ids 0 to 5"),
    (lambda c, v, m: v.update(a=v["b"], b=v["a"]), "not in order"),
    (lambda c, v, m: m.pop(), "do not belong together"),
    (lambda c, v, m: m.append("a b"), "some are missing"),
    (lambda c, v, m: m.reverse(), "does not join"),
    (lambda c, v, m: m.__setitem__(3, m[4]), "does not join"),
    (lambda c, v, m: m.__setitem__(3, "abc"), "not a pair"),
    (lambda c, v, m: m.__setitem__(3, 17), "not a pair"),
    (lambda c, v, m: m.__setitem__(3, ["a", 3]), "not a pair"),
    (lambda c, v, m: m.__setitem__(3, "<|end|> a"), "does not join"),
])
def test_a_changed_file_is_refused(bpe, tmp_path, change, reason):
    path = tmp_path / "tokenizer.json"
    bpe.save(path)
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content, content["model"]["vocab"], content["model"]["merges"])
    path.write_text(json.dumps(content), encoding="utf-8")
    refuse(path, reason)


@pytest.mark.parametrize("data, reason", [
    (b"", "broken JSON"), (b"{", "broken JSON"), (b"[]", "holds list"), (b"{}", "'model' is missing"),
    (b"\xff\xfe{", "not UTF-8"), (b"null", "holds NoneType"), (b"[" * 100_000, "nested"),
    (b'{"model": {"type": "BPE"}}', "'vocab' is missing"), (b"1" * 5000, "digits"),
])
def test_a_broken_file_is_refused(tmp_path, data, reason):
    path = tmp_path / "tokenizer.json"
    path.write_bytes(data)
    refuse(path, reason)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError):
        Tokenizer.load(tmp_path / "none.json")
    refuse(tmp_path, "is not a file")


def refuse(path, reason):
    with pytest.raises(ValueError) as error:
        Tokenizer.load(path)
    message = str(error.value)
    assert reason in message and message.startswith(f"{path}: ") and "\n" not in message


def test_the_file_is_the_same_text_on_every_system(bpe, tmp_path):
    bpe.save(tmp_path / "tokenizer.json")
    data = (tmp_path / "tokenizer.json").read_bytes()
    assert b"\r" not in data
    added = json.loads(data)["added_tokens"]
    assert [token["content"] for token in added] == list(CONTROL)
    assert all(token["special"] for token in added)
