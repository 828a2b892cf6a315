"""Make tests/interop/fixtures: a tiny model of each family as transformers saves it, and what it computes.

    PYTHON tests/interop/make_fixtures.py       PYTHON: one that has torch, transformers and tokenizers

gpt2/       float32, tied, without the prefix "transformer.", with the causal masks that older versions saved
llama/      bfloat16, untied, two shards with an index, grouped heads, a chat template, two end tokens
mixtral/    float16, untied, 2 of 4 experts at work, in two shards
gpt_neo/    float32, tied, 3 blocks, the second with a window; D = 12, so that its queries are rounded
answers.safetensors, answers.json   tokens, logits, likeliest continuations; ids of texts, the rendered template

Weights are large enough that every part of the model matters to the logits.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (GPT2Config, GPT2LMHeadModel, GPTNeoConfig, GPTNeoForCausalLM, LlamaConfig, LlamaForCausalLM,
                          MixtralConfig, MixtralForCausalLM, PreTrainedTokenizerFast)

HERE = Path(__file__).parent / "fixtures"
WORDS = ("The cat sat on the mat. The dog sat on the log, and the cat's owner isn't there. "
         "In 1969 people walked on the moon; 12345 is a number. ") * 4
TEXTS = ["The cat sat on the mat.", " the  dog's 1234 logs", "naïve café — 漢字 🙂", "", "\n\n  x\t y ", "isn't 12 a 345?"]
TEMPLATE = ("{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>'"
            " + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")
TALKS = [[{"role": "user", "content": "The cat?"}],
         [{"role": "system", "content": "Sit."}, {"role": "user", "content": "Where is the dog?"},
          {"role": "assistant", "content": "On the log."}, {"role": "user", "content": "And 12?"}]]


def tokenizer(special, vocab_size, digits):
    """A byte-level BPE tokenizer of `tokenizers` with these control tokens first."""
    made = Tokenizer(models.BPE())
    level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), level]) if digits else level
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, show_progress=False,
                                  special_tokens=[AddedToken(name, normalized=False) for name in special],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    made.train_from_iterator([WORDS], trainer)
    return made


def lively(model, seed):
    """Random weights of ordinary size, gains around one."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            noise = torch.randn_like(weight)
            gain = weight.ndim == 1 and name.endswith("weight")
            table = "wte" in name or "embed" in name or "lm_head" in name
            # GPT-Neo does not divide scores by sqrt(D).
            size = 0.15 if table else 0.3 / model.config.hidden_size**0.5 if "attention.q_proj" in name else 0.3
            weight.copy_(1 + 0.2 * noise if gain else size * noise)
    return model.eval()


def gpt2s_tokenizer(vocab_size):
    """One control token, and no template."""
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer(["<|endoftext|>"], vocab_size, digits=False),
                                   bos_token="<|endoftext|>", eos_token="<|endoftext|>", unk_token="<|endoftext|>",
                                   model_max_length=48)


def llamas_tokenizer(vocab_size):
    """Three control tokens, and a template."""
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer(special, vocab_size, digits=True), bos_token="<|im_start|>",
                                   eos_token="<|im_end|>", pad_token="<|im_end|>", unk_token="<|endoftext|>",
                                   chat_template=TEMPLATE, model_max_length=64)


def gpt2(folder):
    """As the first GPT-2 files are: the model without its head, with buffers."""
    fast = gpt2s_tokenizer(290)
    config = GPT2Config(vocab_size=290, n_positions=48, n_embd=40, n_layer=2, n_head=5, bos_token_id=0, eos_token_id=0)
    model = lively(GPT2LMHeadModel(config), 1)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    tensors = load_file(folder / "model.safetensors")
    bare = {name.removeprefix("transformer."): array for name, array in tensors.items() if name != "lm_head.weight"}
    for layer in range(2):
        bare[f"h.{layer}.attn.bias"] = np.tril(np.ones((1, 1, 48, 48), bool))
        bare[f"h.{layer}.attn.masked_bias"] = np.array(-1e4, np.float32)
    save_file(bare, folder / "model.safetensors", metadata={"format": "pt"})
    return model, fast


def llama(folder):
    """As instruction-tuned models of the Llama family are, in bfloat16 and two shards."""
    fast = llamas_tokenizer(300)
    config = LlamaConfig(vocab_size=300, hidden_size=48, intermediate_size=56, num_hidden_layers=2,
                         num_attention_heads=6, num_key_value_heads=2, max_position_embeddings=64, rms_norm_eps=1e-5,
                         tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, pad_token_id=2)
    model = lively(LlamaForCausalLM(config), 2).to(torch.bfloat16)
    model.generation_config.eos_token_id = [2, 0]
    model.save_pretrained(folder, max_shard_size="70KB")
    fast.save_pretrained(folder)
    # Read again: .float() would keep rotary frequencies that were rounded to bfloat16.
    return LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval(), fast


def mixtral(folder):
    """Experts; the files have the names of version 4 in version 5 too."""
    fast = llamas_tokenizer(280)
    config = MixtralConfig(vocab_size=280, hidden_size=24, intermediate_size=20, num_hidden_layers=2, num_attention_heads=6,
                           num_key_value_heads=2, max_position_embeddings=64, num_local_experts=4, num_experts_per_tok=2,
                           tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, pad_token_id=2)
    model = lively(MixtralForCausalLM(config), 4).to(torch.float16)
    model.save_pretrained(folder, max_shard_size="40KB")
    fast.save_pretrained(folder)
    return MixtralForCausalLM.from_pretrained(folder, dtype=torch.float32).eval(), fast


def gpt_neo(folder):
    """Blocks that see a window."""
    fast = gpt2s_tokenizer(270)
    config = GPTNeoConfig(vocab_size=270, max_position_embeddings=48, hidden_size=24, num_heads=2, num_layers=3, window_size=5,
                          intermediate_size=28, attention_types=[[["global", "local"], 1], [["global"], 1]], bos_token_id=0,
                          eos_token_id=0)
    model = lively(GPTNeoForCausalLM(config), 5)
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return model, fast


def logits_of(model, tokens):
    """Shapes:  tokens (T,) -> (T, V) float32"""
    with torch.no_grad():
        return model(torch.from_numpy(tokens[None].astype(np.int64))).logits[0].float().numpy()


def continued(model, prompt, steps, ends):
    """The likeliest tokens after a prompt, up to an end token."""
    ids = list(prompt)
    for _ in range(steps):
        ids.append(int(logits_of(model, np.array(ids))[-1].argmax()))
        if ids[-1] in ends:
            break
    return ids[len(prompt):]


def main():
    shutil.rmtree(HERE, ignore_errors=True)
    arrays, answers = {}, {}
    for name, make in (("gpt2", gpt2), ("llama", llama), ("mixtral", mixtral), ("gpt_neo", gpt_neo)):
        folder = HERE / name
        folder.mkdir(parents=True)
        model, fast = make(folder)
        rng = np.random.default_rng(7)
        tokens = rng.integers(0, model.config.vocab_size, 24).astype(np.int32)
        arrays[f"{name}.tokens"], arrays[f"{name}.logits"] = tokens, logits_of(model, tokens)
        prompts = [rng.integers(3, model.config.vocab_size, n).tolist() for n in (1, 4, 9, 6)]
        ends = model.generation_config.eos_token_id
        ends = ends if isinstance(ends, list) else [ends]
        answers[name] = {
            "prompts": prompts, "continued": [continued(model, prompt, 20, ends) for prompt in prompts], "ends": ends,
            "texts": [{"text": text, "ids": fast(text)["input_ids"]} for text in TEXTS],
            "talks": [{"messages": talk, "text": fast.apply_chat_template(talk, add_generation_prompt=True, tokenize=False),
                       "ids": list(fast.apply_chat_template(talk, add_generation_prompt=True, return_dict=True)["input_ids"])}
                      for talk in TALKS] if fast.chat_template else []}
    save_file(arrays, HERE / "answers.safetensors")
    (HERE / "answers.json").write_text(json.dumps(answers, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
