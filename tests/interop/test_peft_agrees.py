"""PEFT and transformers load what minillm exports: adapters, merged models, the reward model; minillm loads PEFT's adapters."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny

import minillm
from minillm.cli import main
from minillm.model.heads import reward_forward
from minillm.model.saving import save_model
from minillm.model.transformer import one_document
from minillm.phases.finetune import FinetuneConfig, finetune
from minillm.phases.rank import Ranking
from minillm.phases.reward import rendered_ranking, reward_heads, reward_scores
from minillm.training.checkpoint import load_checkpoint
from minillm.training.recorder import FolderRecorder

torch, transformers = pytest.importorskip("torch"), pytest.importorskip("transformers")
FIXTURES = Path(__file__).parent / "fixtures"
LORA = FinetuneConfig(steps=8, rows=4, replay_rows=0, lr=2e-2, warmup_share=0.0, lora=3, lora_alpha=7.0)
TALKS = [[{"role": "user", "content": f"the {one}"}, {"role": "assistant", "content": f"a {other} met"}]
         for one in ("cat", "dog", "mat", "log") for other in ("cat", "dog", "mat")]


def family(preset):
    """A tiny model; version 5 multiplies experts whose sizes are multiples of four."""
    return tiny.model("experts", hidden=12) if preset == "mixtral" else tiny.model(preset)


def logits_by(model, ids):
    with torch.no_grad():
        return model(torch.tensor(ids[None].astype(np.int64))).logits[0].numpy()


@pytest.mark.parametrize("layers", ["all", "query_value"])
@pytest.mark.parametrize("preset", ["llama", "gpt2", "untied", "gpt_neo", "mixtral"])
def test_peft_computes_the_same_logits_and_answers(preset, layers, tmp_path):
    peft = pytest.importorskip("peft")
    model = family(preset)
    save_model(model, tmp_path / "base")
    finetune(model, TALKS, replace(LORA, lora_layers=layers), 0, FolderRecorder(tmp_path / "tuned", quiet=True))
    step = tmp_path / "tuned" / "step-000008"
    base = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    theirs = peft.PeftModel.from_pretrained(base, step / "adapter")
    whole = transformers.AutoModelForCausalLM.from_pretrained(step)
    before = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    asked = model.tokenizer.encode_chat(TALKS[0][:1], ask=True)
    for ids in (asked, *tiny.prompts(lengths=(3, 9, 12))):
        ours, added, merged = model.logits(ids), logits_by(theirs, ids), logits_by(whole, ids)
        np.testing.assert_allclose(added, ours, rtol=0, atol=1e-5 * np.abs(ours).max())
        np.testing.assert_allclose(merged, ours, rtol=0, atol=1e-5 * np.abs(ours).max())
        assert np.abs(logits_by(before, ids) - ours).max() > 1e-2, "the adapter does something"
        answer = theirs.generate(input_ids=torch.tensor(ids[None].astype(np.int64)), max_new_tokens=8, do_sample=False,
                                 pad_token_id=model.tokenizer.pad_id, eos_token_id=model.tokenizer.end_id)[0].numpy()
        mine = model._continue([ids], np.random.default_rng(0), max_new_tokens=8, temperature=0.0)[0]
        assert answer[len(ids):].tolist() == mine.tolist()
    again = minillm.load_adapter(minillm.load(tmp_path / "base"), step / "adapter")
    np.testing.assert_allclose(again.logits(asked), model.logits(asked), rtol=0, atol=1e-5 * np.abs(model.logits(asked)).max())
    taken_in = logits_by(theirs.merge_and_unload(), asked)
    np.testing.assert_allclose(taken_in, model.logits(asked), rtol=0, atol=1e-5 * np.abs(taken_in).max())


QUERIES = {"llama": "q_proj", "untied": "q_proj", "gpt2": "c_attn", "gpt_neo": "q_proj", "mixtral": "q_proj"}


@pytest.mark.parametrize("changes", [{}, {"use_rslora": True, "lora_alpha": 3}, {"target_modules": "all-linear"},
                                     {"rank_pattern": {"1.*": 2}, "alpha_pattern": {"h.0.*": 3, "layers.0.*": 5}}],
                         ids=lambda changes: ", ".join(changes) or "plain")
@pytest.mark.parametrize("preset", QUERIES)
def test_an_adapter_of_pefts_is_computed_as_peft_does(preset, changes, tmp_path):
    peft = pytest.importorskip("peft")
    model = family(preset)
    save_model(model, tmp_path / "base")
    base = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    theirs = peft.get_peft_model(base, peft.LoraConfig(**{"r": 4, "lora_alpha": 7, "target_modules": [QUERIES[preset]],
                                                          "task_type": "CAUSAL_LM", **changes}))
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weight in theirs.named_parameters():
            if "lora_" in name:
                weight.copy_(0.1 * torch.randn_like(weight))
    theirs.eval().save_pretrained(tmp_path / "adapter")
    before = minillm.load(tmp_path / "base")
    if preset == "mixtral" and "target_modules" in changes and transformers.__version__ >= "5":
        with pytest.raises(ValueError, match="target_parameters is .* several matrices in one tensor"):
            minillm.load_adapter(before, tmp_path / "adapter")
        return
    ours = minillm.load_adapter(before, tmp_path / "adapter")
    for ids in tiny.prompts(lengths=(3, 9, 12)):
        expected = logits_by(theirs, ids)
        np.testing.assert_allclose(ours.logits(ids), expected, rtol=0, atol=1e-5 * np.abs(expected).max())
        assert np.abs(before.logits(ids) - expected).max() > 1e-2, "the adapter does something"


@pytest.mark.parametrize("changes, said", [
    ({"use_dora": True}, "use_dora is True"), ({"bias": "all"}, "bias is 'all'"), ({"lora_bias": True}, "lora_bias is True"),
    ({"modules_to_save": ["lm_head"]}, "modules_to_save is"), ({"init_lora_weights": "pissa"}, "init_lora_weights is 'pissa'"),
    ({"target_modules": ["embed_tokens"]}, "embed_tokens.base_layer.weight is beside no matrix of this model's blocks"),
    ({"target_modules": ["lm_head"]}, "lm_head.base_layer.weight is beside no matrix"),
    ({"trainable_token_indices": [1]}, "trainable_token_indices is"),
])
def test_what_is_not_plain_lora_is_refused_by_name(changes, said, tmp_path):
    peft = pytest.importorskip("peft")
    model = family("untied")
    save_model(model, tmp_path / "base")
    base = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    peft.get_peft_model(base, peft.LoraConfig(**{"r": 4, "target_modules": ["q_proj"], **changes})).save_pretrained(
        tmp_path / "adapter")
    with pytest.raises(ValueError, match=said):
        minillm.load_adapter(model, tmp_path / "adapter")


@pytest.mark.parametrize("preset", ["llama", "gpt2", "untied", "gpt_neo", "mixtral"])
def test_a_reward_model_is_a_classifier_of_one_label(preset, tmp_path):
    model = family(preset)
    heads = reward_heads(model, 0)
    save_model(model, tmp_path / "reward", heads["reward_head"])
    theirs, told = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "reward",
                                                                                   output_loading_info=True)
    assert not told["missing_keys"] and not told["unexpected_keys"]
    assert theirs.config.num_labels == 1 and theirs.config.pad_token_id == model.tokenizer.pad_id
    rows = [np.append(ids, model.tokenizer.end_id).astype(np.int32) for ids in tiny.prompts(lengths=(3, 9, 12))]
    ours = reward_scores(model, heads, rows)
    for ids, score in zip(rows, ours):
        last = np.array([len(ids) - 1])
        alone, _ = reward_forward({"model": model.params, **heads}, model.config, ids[None], *one_document(ids[None]), last)
        assert abs(alone[0] - score) < 1e-5
        assert abs(float(logits_by(theirs, ids)[0]) - score) < 1e-5
    width = max(map(len, rows))
    padded = np.full((len(rows), width), model.tokenizer.pad_id)
    for row, ids in zip(padded, rows):
        row[:len(ids)] = ids
    with torch.no_grad():
        together = theirs(torch.tensor(padded), attention_mask=torch.tensor(padded != model.tokenizer.pad_id)).logits
    np.testing.assert_allclose(together.numpy()[:, 0], ours, rtol=0, atol=1e-5)


@pytest.fixture(scope="module")
def aligned(tmp_path_factory):
    """A run of the tiny Llama that transformers saved, whose pad is its end token, with phase 3 done."""
    root = tmp_path_factory.mktemp("runs")
    (root / "pairs.jsonl").write_text("".join(json.dumps(
        {"prompt": f"Cat {n}?", "chosen": "On the mat.", "rejected": f"{n} dog."}) + "\n" for n in range(12)), encoding="utf-8")
    few = ["--root", str(root), "--quiet", "--steps", "3", "--rows", "4", "--micro-batches", "1", "--lr", "3e-3"]
    assert main(["import", str(FIXTURES / "llama"), "--name", "smol", "--root", str(root)]) == 0
    assert main(["reward", "smol", *few, "--data", str(root / "pairs.jsonl")]) == 0
    assert main(["rlhf", "smol", *few, "--group", "2", "--max-new-tokens", "6"]) == 0
    return root / "smol"


def test_the_reward_model_of_an_imported_one_gives_its_scores_there(aligned, tmp_path):
    """Alone, and padded by its tokenizer on either side: the pad may not be the end token, from which the score is read."""
    minillm.save_reward_model(aligned, tmp_path / "judge")
    theirs, told = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "judge", output_loading_info=True)
    assert not told["missing_keys"] and not told["unexpected_keys"] and theirs.config.num_labels == 1
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "judge")
    saved = load_checkpoint(aligned / "reward")
    ours = saved.model.tokenizer
    assert ours.pad_id in ours.end_ids and theirs.config.pad_token_id == tokenizer.pad_token_id not in ours.end_ids
    pairs = [Ranking([{"role": "user", "content": text}], ["On the mat.", "the dog sat on 12 logs, and the cat"], [1, 2])
             for text in ("The cat?", "Where is the dog, and where is its owner?")]
    rows = [ids for pair in pairs for ids in rendered_ranking(ours, pair)]
    expected = reward_scores(saved.model, {"reward_head": {"weight": saved.training["heads.reward_head.weight"]}}, rows)
    assert np.ptp(expected) > 0.05
    for ids, score in zip(rows, expected):
        assert abs(float(logits_by(theirs, ids)[0]) - score) < 1e-5 * np.abs(expected).max()
    texts = [tokenizer.apply_chat_template([*pair.prompt, {"role": "assistant", "content": text}], tokenize=False).rstrip("\n")
             for pair in pairs for text in pair.responses]
    for side in ("left", "right"):
        batch = tokenizer(texts, padding=True, padding_side=side, add_special_tokens=False, return_tensors="pt")
        with torch.no_grad():
            together = theirs(**{name: batch[name] for name in ("input_ids", "attention_mask")}).logits.numpy()[:, 0]
        np.testing.assert_allclose(together, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


def test_a_reward_model_without_another_control_token_takes_one_row_at_a_time(tmp_path):
    """GPT-2's only control token is its end."""
    model = minillm.load(FIXTURES / "gpt2")
    heads = reward_heads(model, 0)
    save_model(model, tmp_path / "judge", heads["reward_head"])
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "judge")
    assert theirs.config.pad_token_id is None
    ids = np.append(model.tokenizer.encode("The cat sat"), model.tokenizer.end_id).astype(np.int32)
    assert abs(float(logits_by(theirs, ids)[0]) - reward_scores(model, heads, [ids])[0]) < 1e-5
    with pytest.raises(ValueError, match="batch sizes > 1"):
        theirs(torch.tensor(np.stack([ids, ids]).astype(np.int64)))


def test_the_aligned_policy_of_an_imported_model_answers_there_as_here(aligned, tmp_path):
    ours = minillm.load(aligned)
    ours.save(tmp_path / "policy")
    for folder in (tmp_path / "policy", aligned / "rlhf" / "step-000003"):
        theirs = transformers.AutoModelForCausalLM.from_pretrained(folder)
        ids = ours.tokenizer.encode_chat([{"role": "user", "content": "The cat?"}], ask=True)
        expected = ours.logits(ids)
        np.testing.assert_allclose(logits_by(theirs, ids), expected, rtol=0, atol=1e-5 * np.abs(expected).max())
