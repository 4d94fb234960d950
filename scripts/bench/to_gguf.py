#!/usr/bin/env python3
"""Writes a model directory as bf16 GGUF, without its tokenizer: llama.cpp's own converter does it.

    venv/bin/python scripts/bench/to_gguf.py SOURCE_OF_LLAMA_CPP MODEL_DIRECTORY OUT.gguf

A benchmark feeds token ids, and the converter knows only the tokenizers of published models.
"""

import sys


def main(source, model, out):
    sys.path.insert(0, source)
    import convert_hf_to_gguf as converter
    from conversion.llama import LlamaModel
    from conversion.qwen import Qwen3Model

    def no_vocabulary(self):
        self._set_vocab_none()
        if f"{self.gguf_writer.arch}.vocab_size" not in self.gguf_writer.kv_data[0]:
            self.gguf_writer.add_vocab_size(self.hparams["vocab_size"])

    LlamaModel.set_vocab = no_vocabulary
    Qwen3Model.set_vocab = no_vocabulary
    sys.argv = ["convert_hf_to_gguf.py", model, "--outtype", "bf16", "--outfile", out]
    converter.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
