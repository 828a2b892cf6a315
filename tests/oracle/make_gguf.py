"""Make the files beside this one that tests/formats/test_gguf.py holds minillm against.

    pip install gguf && python tests/oracle/make_gguf.py

gguf_blocks.safetensors: a few blocks of every quantization, and their numbers as the gguf package dequantizes them.
all_values.gguf: a file by its GGUFWriter with a value of every type.
"""

from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, quants
from safetensors.numpy import save_file

ORACLE = Path(__file__).resolve().parent
NAMES = "F32 F16 BF16 Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q2_K Q3_K Q4_K Q5_K Q6_K".split()
# Where a block of each type has its float16 scales: random bytes there would mostly be huge, or no number.
SCALES = {"Q8_0": (0,), "Q4_0": (0,), "Q4_1": (0, 2), "Q5_0": (0,), "Q5_1": (0, 2), "Q2_K": (80, 82), "Q3_K": (108,),
          "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,)}


def random_blocks(name, count, rng):
    """Blocks of any bits, with scales around 0.01.  Shapes:  -> (count, bytes of a block) uint8"""
    weights, size = gguf.GGML_QUANT_SIZES[GGMLQuantizationType[name]]
    if name in ("F32", "F16", "BF16"):
        numbers = rng.standard_normal(count).astype(np.float16 if name == "F16" else np.float32)
        return numbers.view(np.uint8).reshape(count, -1)[:, -size:].copy()
    blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
    for at in SCALES[name]:
        scale = (0.01 * rng.standard_normal(count)).astype(np.float16)
        blocks[:, at:at + 2] = scale.view(np.uint8).reshape(count, 2)
    return blocks


def main():
    rng, tensors = np.random.default_rng(0), {}
    for name in NAMES:
        blocks = random_blocks(name, 2, rng)
        tensors[f"{name}.blocks"] = blocks
        kind = GGMLQuantizationType[name]
        tensors[f"{name}.numbers"] = quants.dequantize(blocks.copy(), kind).astype(np.float32).reshape(-1)
    save_file(tensors, ORACLE / "gguf_blocks.safetensors")

    writer = GGUFWriter(ORACLE / "all_values.gguf", "llama")
    for kind, value in (("uint8", 200), ("int8", -100), ("uint16", 60_000), ("int16", -30_000), ("uint32", 4 * 10**9),
                        ("int32", -2 * 10**9), ("float32", 1e-5), ("uint64", 2**63 + 1), ("int64", -2**62), ("float64", 0.1),
                        ("bool", True), ("string", "naïve 漢字")):
        getattr(writer, f"add_{kind}")(f"a.{kind}", value)
    writer.add_array("list.texts", ["", "Ġthe", "é"])
    writer.add_array("list.numbers", [1, -2, 3])
    writer.add_array("list.floats", [0.5, -1.5])
    writer.add_array("list.bools", [True, False])
    writer.add_array("list.lists", [[1, 2], [3]])
    writer.add_tensor("matrix", np.arange(6, dtype=np.float32).reshape(2, 3))
    writer.add_tensor("half", np.arange(4, dtype=np.float16))
    writer.add_tensor("quantized", np.concatenate([tensors["Q4_1.blocks"].reshape(2, 20)] * 3),
                      raw_dtype=GGMLQuantizationType.Q4_1)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    main()
