"""GPT-2, GPT-Neo, Llama and Mixtral of transformers here, and ours there: logits, ids, answers, gradients, AdamW's steps.

Run with transformers 4.57 and 5.x; skipped where it is not installed.
"""

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

import make_fixtures as made  # noqa: E402  (needs both)
from experts import as_in_memory  # noqa: E402

import minillm  # noqa: E402
from minillm.config import OptimizerConfig  # noqa: E402
from minillm.formats.hugging_face import to_tensors  # noqa: E402
from minillm.model.decoding import generate_tokens  # noqa: E402
from minillm.objectives.next_token import next_token_objective  # noqa: E402
from minillm.optim.adamw import adamw_init, adamw_update  # noqa: E402
from minillm.text.batches import Batch  # noqa: E402
from minillm.model.transformer import one_document  # noqa: E402

transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
torch.set_num_threads(1)
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
VARIANTS = [        # family, dtype, tied, shards of at most, changes of the configuration
    ("gpt2", "float32", True, "5GB", {}), ("gpt2", "float16", False, "40KB", {"n_inner": 60}),
    ("gpt2", "bfloat16", True, "40KB", {"layer_norm_epsilon": 1e-4}),
    ("llama", "float32", False, "5GB", {}), ("llama", "bfloat16", True, "40KB", {"num_key_value_heads": 1}),
    ("llama", "float16", True, "5GB", {"rope_theta": 300.0}), ("llama", "float32", True, "40KB", {"num_key_value_heads": 6}),
    ("mixtral", "float32", False, "40KB", {}), ("mixtral", "bfloat16", True, "5GB", {"num_experts_per_tok": 1}),
    ("mixtral", "float32", True, "5GB", {"num_local_experts": 3, "num_experts_per_tok": 3, "rope_theta": 300.0}),
    ("gpt_neo", "float32", True, "5GB", {}), ("gpt_neo", "float16", False, "40KB", {"num_heads": 12, "window_size": 2}),
]
CLASSES = {"gpt2": "GPT2LMHeadModel", "gpt_neo": "GPTNeoForCausalLM", "llama": "LlamaForCausalLM",
           "mixtral": "MixtralForCausalLM"}


def config_of(family, tied, changes):
    """A tiny configuration; transformers 5 has rope_theta among the rope_parameters."""
    if family == "gpt2":
        sizes = dict(vocab_size=290, n_positions=64, n_embd=40, n_layer=2, n_head=5, bos_token_id=0, eos_token_id=0,
                     attn_pdrop=0.0, embd_pdrop=0.0, resid_pdrop=0.0)
        return transformers.GPT2Config(tie_word_embeddings=tied, **{**sizes, **changes})
    if family == "gpt_neo":
        sizes = dict(vocab_size=290, max_position_embeddings=64, hidden_size=48, num_layers=3, num_heads=3, window_size=5,
                     intermediate_size=52, attention_types=[[["global", "local"], 1], [["global"], 1]], bos_token_id=0,
                     eos_token_id=0, embed_dropout=0.0, resid_dropout=0.0, attention_dropout=0.0)
        return transformers.GPTNeoConfig(tie_word_embeddings=tied, **{**sizes, **changes})
    sizes = dict(vocab_size=300, hidden_size=48, intermediate_size=56, num_hidden_layers=2, num_attention_heads=6,
                 num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2,
                 pad_token_id=2)
    changes = dict(changes)
    if "rope_theta" in changes and transformers.__version__ >= "5":
        changes["rope_parameters"] = {"rope_type": "default", "rope_theta": changes.pop("rope_theta")}
    if family == "mixtral":
        sizes.update(intermediate_size=20, num_local_experts=4, num_experts_per_tok=2)
        return transformers.MixtralConfig(tie_word_embeddings=tied, **{**sizes, **changes})
    return transformers.LlamaConfig(tie_word_embeddings=tied, **{**sizes, **changes})


@pytest.fixture(scope="module", params=VARIANTS, ids=lambda v: f"{v[0]}-{v[1]}-{'tied' if v[2] else 'untied'}-{v[3]}")
def pair(request, tmp_path_factory):
    """(our model, transformers' in float32, its tokenizer, its folder), both read from what transformers saved."""
    family, dtype, tied, most, changes = request.param
    folder = tmp_path_factory.mktemp("theirs")
    kind = getattr(transformers, CLASSES[family])
    model = made.lively(kind(config_of(family, tied, changes)), 3).to(DTYPES[dtype])
    model.save_pretrained(folder, max_shard_size=most)
    old = family.startswith("gpt")
    special, digits = (["<|endoftext|>"], False) if old else (["<|endoftext|>", "<|im_start|>", "<|im_end|>"], True)
    roles = dict(bos_token=special[0], eos_token=special[0]) if old else dict(
        bos_token="<|im_start|>", eos_token="<|im_end|>", pad_token="<|im_end|>", chat_template=made.TEMPLATE)
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=made.tokenizer(special, model.config.vocab_size, digits), unk_token=special[0], **roles
    ).save_pretrained(folder)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    return minillm.load(folder), theirs, transformers.AutoTokenizer.from_pretrained(folder), folder


def tokens_of(ours, count=40, seed=0):
    return np.random.default_rng(seed).integers(0, ours.config.vocab_size, count).astype(np.int32)


def agree(got, expected, limit, what=""):
    """Within `limit` of the largest number that is expected."""
    assert got.shape == expected.shape, what
    error = np.abs(got - expected).max() / np.abs(expected).max()
    assert error <= limit, f"{what} differs by {error:.1e}"


def test_logits(pair):
    ours, theirs, _, _ = pair
    tokens = tokens_of(ours)
    agree(ours.logits(tokens), made.logits_of(theirs, tokens), 1e-5)


def test_twenty_continuations_of_twenty_tokens(pair):
    ours, theirs, _, _ = pair
    rng = np.random.default_rng(5)
    prompts = [rng.integers(3, ours.config.vocab_size, n).astype(np.int32) for n in rng.integers(1, 20, 20)]
    new = generate_tokens(ours.params, ours.config, prompts, rng, max_new_tokens=20, temperature=0.0,
                          end_id=ours.tokenizer.end_ids, pad_id=ours.tokenizer.pad_id)
    for prompt, ids in zip(prompts, new):
        out = theirs.generate(torch.from_numpy(prompt[None].astype(np.int64)), max_new_tokens=20, do_sample=False,
                              pad_token_id=ours.tokenizer.pad_id)
        assert out[0, len(prompt):].tolist() == ids.tolist()


def test_ids_and_template(pair):
    ours, _, tokenizer, _ = pair
    for text in made.TEXTS:
        assert ours.tokenizer.encode(text).tolist() == tokenizer(text)["input_ids"]
    for talk in made.TALKS if tokenizer.chat_template else ():
        ids = ours.tokenizer.encode_chat(talk, ask=True)
        assert ids.tolist() == list(tokenizer.apply_chat_template(talk, add_generation_prompt=True,
                                                                  return_dict=True)["input_ids"])
        text = tokenizer.apply_chat_template(talk, add_generation_prompt=True, tokenize=False)
        assert ours.tokenizer.decode_bytes(ids, controls=True) == text.encode()


def test_they_load_what_we_save(pair, tmp_path):
    ours, theirs, tokenizer, _ = pair
    ours.save(tmp_path / "ours")
    back, report = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "ours", output_loading_info=True,
                                                                     dtype=torch.float32)
    assert not any(report[what] for what in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    tokens = tokens_of(ours)
    assert np.array_equal(made.logits_of(back.eval(), tokens), made.logits_of(theirs, tokens))
    again = transformers.AutoTokenizer.from_pretrained(tmp_path / "ours")
    for text in made.TEXTS:
        assert again(text)["input_ids"] == tokenizer(text)["input_ids"]
    for talk in made.TALKS if tokenizer.chat_template else ():
        assert (again.apply_chat_template(talk, add_generation_prompt=True, tokenize=False) ==
                tokenizer.apply_chat_template(talk, add_generation_prompt=True, tokenize=False))
    assert again.eos_token_id == tokenizer.eos_token_id
    prompt = torch.from_numpy(tokens[None, :5].astype(np.int64))
    answers = [model.generate(prompt, max_new_tokens=20, do_sample=False, pad_token_id=ours.tokenizer.pad_id).tolist()
               for model in (back, theirs)]
    assert answers[0] == answers[1]


def test_what_they_save_of_ours_is_read_again(pair, tmp_path):
    ours, _, _, _ = pair
    ours.save(tmp_path / "ours")
    transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "ours").save_pretrained(tmp_path / "theirs")
    transformers.AutoTokenizer.from_pretrained(tmp_path / "ours").save_pretrained(tmp_path / "theirs")
    for section in (True, False):
        data = json.loads((tmp_path / "theirs" / "config.json").read_text(encoding="utf-8"))
        if not section:
            data.pop("minillm")
            (tmp_path / "theirs" / "config.json").write_text(json.dumps(data), encoding="utf-8")
        again = minillm.load(tmp_path / "theirs")
        tokens = tokens_of(ours)
        assert np.array_equal(again.logits(tokens), ours.logits(tokens))


def test_gradients_and_ten_steps_of_adamw(pair):
    """Matrices decay, gains and biases do not.

    A key's bias has gradient 0, but for rounding: the softmax does not change when all scores of a query shift. AdamW
    makes steps of that rounding, so it is left out. GPT-Neo's queries are sqrt(D) times smaller than ours: their gradient
    is as much larger, and AdamW's steps, which do not depend on the gradient's size, are not the same. A router that
    chooses one expert alone has gradient 0, too, as the one weight is 1.
    """
    _, _, _, folder = pair
    ours = minillm.load(folder)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    stream = np.random.default_rng(2).integers(0, ours.config.vocab_size, (3, 22)).astype(np.int32)
    tokens, targets = stream[:, :-1].copy(), stream[:, 1:].copy()
    batch = Batch(tokens, targets, np.ones(tokens.shape, np.float32), *one_document(tokens))
    settings = OptimizerConfig(weight_decay=0.1, beta1=0.9, beta2=0.95)
    named = dict(theirs.named_parameters())
    optimizer = torch.optim.AdamW([{"params": [p for p in named.values() if p.ndim >= 2], "weight_decay": 0.1},
                                   {"params": [p for p in named.values() if p.ndim < 2], "weight_decay": 0.0}],
                                  lr=1e-3, betas=(0.9, 0.95), eps=1e-8)
    alone = ours.config.experts > 0 and ours.config.active_experts == 1
    state, start = adamw_init(ours.params), {name: p.detach().numpy().copy() for name, p in named.items()}
    for step in range(10):
        optimizer.zero_grad()
        logits = theirs(torch.from_numpy(tokens.astype(np.int64))).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.from_numpy(targets.astype(np.int64)).flatten())
        loss.backward()
        found, grads, _, _ = next_token_objective(ours.params, batch, config=replace(ours.config, balance=0.0))
        assert abs(found - loss.item()) <= 1e-5 * loss.item()
        if step == 0:
            for name, grad in as_in_memory(to_tensors(grads, ours.config), named).items():
                grad = grad * ours.config.head_size if name.endswith("attention.q_proj.weight") else grad
                if alone and name.endswith(("moe.gate.weight", "mlp.gate.weight")):
                    assert not grad.any()
                else:
                    agree(grad, named[name].grad.numpy(), 3e-5, name)
        if alone or theirs.config.model_type == "gpt_neo":
            return
        adamw_update(ours.params, grads, state, 1e-3, settings)
        optimizer.step()
    for name, weight in as_in_memory(to_tensors(ours.params, ours.config), named).items():
        moved, expected = weight - start[name], named[name].detach().numpy() - start[name]
        if name.endswith("c_attn.bias"):
            moved, expected = (np.delete(array, np.s_[40:80]) for array in (moved, expected))
        error = np.linalg.norm(moved - expected) / np.linalg.norm(expected)
        assert error <= 1e-3, f"{name} moved differently, by {error:.1e}"
