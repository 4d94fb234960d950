#!/usr/bin/env python3
"""Golden objectives and optimizer steps, by PyTorch autograd and torch.optim.AdamW.

    python scripts/make-golden-objectives.py Tests/TrainingTests/Fixtures

Writes objectives.json (per case: log-probabilities, advantages, loss and derivative of each token) and adamw.json
(settings, start, gradients of each step, parameters and moments after each step). Needs torch.
"""
import json
import sys
from pathlib import Path

import torch


def clip(policy, behavior, advantage, low=0.2, high=0.2, cap=4.0):
    """INTELLECT-2: the two-sided clip."""
    capped = torch.clamp(torch.exp(policy - behavior), 0, cap)
    clipped = torch.clamp(capped, 1 - low, 1 + high)
    return torch.maximum(-capped * advantage, -clipped * advantage)


def mask(policy, behavior, advantage, low=0.2, high=0.2, kl=1e-3):
    """prime-rl: the probability-difference mask, ratio without a cap, squared log-ratio on every token."""
    ratio = torch.exp(policy - behavior)
    difference = (torch.exp(policy) - torch.exp(behavior)).detach()
    dropped = torch.where(advantage > 0, difference > high, difference < -low)
    return -torch.where(dropped, 0.0, 1.0) * advantage * ratio + kl * (policy - behavior) ** 2


def objectives(generator):
    cases = []
    for name, function, settings in [
        ("clip", clip, {"low": 0.2, "high": 0.2, "cap": 4.0}),
        ("clip", clip, {"low": 0.1, "high": 0.28, "cap": 2.0}),
        ("mask", mask, {"low": 0.2, "high": 0.2, "kl": 1e-3}),
        ("mask", mask, {"low": 0.1, "high": 0.15, "kl": 0.05}),
    ]:
        count = 60
        behavior = -torch.rand(count, generator=generator, dtype=torch.float64) * 3
        policy = behavior + torch.randn(count, generator=generator, dtype=torch.float64) * 0.7
        policy = torch.clamp(policy, max=-1e-4).requires_grad_(True)
        advantage = torch.randn(count, generator=generator, dtype=torch.float64)
        advantage[::10] = 0
        loss = function(policy, behavior, advantage, **settings)
        loss.sum().backward()
        cases.append({
            "name": name, "settings": settings, "policy": policy.tolist(), "behavior": behavior.tolist(),
            "advantage": advantage.tolist(), "loss": loss.tolist(), "slope": policy.grad.tolist(),
        })
    return cases


def adamw(generator):
    cases = []
    for lr, betas, eps, decay, clip_norm in [
        (3e-3, (0.9, 0.99), 1e-8, 0.01, 1.0), (7e-4, (0.9, 0.99), 1e-8, 0.0, 0.1), (1e-2, (0.8, 0.999), 1e-6, 0.3, 100.0),
    ]:
        parameter = torch.randn(37, generator=generator).requires_grad_(True)
        start = parameter.tolist()
        optimizer = torch.optim.AdamW([parameter], lr=lr, betas=betas, eps=eps, weight_decay=decay, foreach=False)
        steps = []
        for _ in range(6):
            gradient = torch.randn(37, generator=generator) * 0.3
            parameter.grad = gradient.clone()
            norm = torch.nn.utils.clip_grad_norm_([parameter], clip_norm)
            optimizer.step()
            state = optimizer.state[parameter]
            steps.append({
                "gradient": gradient.tolist(), "norm": norm.item(), "parameters": parameter.tolist(),
                "first": state["exp_avg"].tolist(), "second": state["exp_avg_sq"].tolist(),
            })
        cases.append({
            "learning_rate": lr, "beta1": betas[0], "beta2": betas[1], "epsilon": eps, "weight_decay": decay,
            "clip_norm": clip_norm, "start": start, "steps": steps,
        })
    return cases


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(0)
    (folder / "objectives.json").write_text(json.dumps(objectives(generator)) + "\n")
    (folder / "adamw.json").write_text(json.dumps(adamw(generator)) + "\n")
