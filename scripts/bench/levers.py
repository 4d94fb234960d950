"""What is said about a goal that is not reached: what the profile says, and the next lever. By trial.

`{products}`, `{waiting}`, `{others}`, `{system}` are shares of the profile that `PROFILES` names for the trial, `{matmul}` the
share of the limit that the products alone reach there. A sentence whose figure was not measured is left out.
"""

# Trial → title of its recording.
PROFILES = {
    "generate-s-64": "Generation, 64 × (64 + 64), S", "generate-s-16": "Generation, 64 × (64 + 64), S",
    "generate-q-64": "Generation, 64 × (64 + 64), S", "groups-s": "Generation, 64 × (64 + 64), S",
    "prefill-s": "Prefill, 16 × 256, S", "prefill-q": "Prefill, 16 × 256, S",
    "replay-s": "Prefill, 16 × 256, S", "train-s": "Training, 4 × 256, S", "train-q": "Training, 4 × 256, S",
    "memory": "Training, 4 × 256, S",
}

# Trial → (trial of products, its row) that its products are like.
PRODUCTS = {
    "generate-s-64": ("matmul-s", "64"), "generate-q-64": ("matmul-q", "64"), "generate-s-16": ("matmul-s", "32"),
    "generate-q-16": ("matmul-q", "32"), "groups-s": ("matmul-s", "64"), "prefill-s": ("matmul-s", "512"),
    "prefill-q": ("matmul-q", "512"), "replay-s": ("matmul-s", "512"), "train-s": ("matmul-s", "512"),
    "train-q": ("matmul-q", "512"),
}

DECODING = [
    "Products take {products} % of the time in the profile of S and alone reach {matmul} % of the limit at this number of rows;",
    "attention, sampling and what is between products take {others} %, threads wait for each other {waiting} %.",
    "Next: attention's waits for memory, and products of few rows, whose panels of weights are used too briefly after they come.",
]
PROMPTS = [
    "Products take {products} % of the time in the profile of S and alone reach {matmul} % of the limit;",
    "attention and what is between products take {others} %, the operating system {system} %.",
    "Next: what is between products inside their tasks, while the rows are in the cache.",
]
TRAINING = [
    "Products take {products} % of the time in the profile of S, what is between them {others} %.",
    "Next: operands of the backward products that are rounded, transposed and packed where they are made, not in passes of their own.",
]
LEVERS = {
    **dict.fromkeys(["generate-s-64", "generate-q-64", "generate-s-16", "generate-q-16", "groups-s"], DECODING),
    **dict.fromkeys(["generate-s-1", "generate-q-1"], [
        "One sequence reads every weight for every token: memory is the limit. Next: fewer bytes, which would be another model.",
    ]),
    **dict.fromkeys(["prefill-s", "prefill-q", "replay-s"], PROMPTS),
    "evidence-s": ["Next: proofs on the threads that wait for others."],
    **dict.fromkeys(["train-s", "train-q"], TRAINING),
    **dict.fromkeys(["matmul-s", "matmul-q"], ["Next: the order of panels and blocks of rows at this shape."]),
    "neighbour-s": ["Next: smaller tasks at the end of a call, so that nobody waits for the disturbed core."],
    "memory": [
        "Master weights and both moments in f32 are 12 bytes per weight, beside bf16 weights and gradients; the peer's weights,"
        " moments and gradients, all in bf16, are 8.",
        "Next: gradients that are given to AdamW layer by layer.",
    ],
}
