"""Find the first number that is not finite in a model's forward and backward pass."""

from torch import Tensor, nn

PICTURES = "the pictures themselves"


def first_nonfinite(model: nn.Module, x: Tensor) -> str:
    """Name the first of x, parameters, layers and gradients of -log_density(x) that is not finite.

    >>> import torch
    >>> from glowlite.glow import PRESETS, Glow
    >>> model = Glow(PRESETS["tiny"])
    >>> model.levels[0].split.prior.b.data[0] = float("nan")
    >>> first_nonfinite(model, torch.zeros(8, 3, 16, 16))
    'the parameter levels.0.split.prior.b'
    """
    if not x.isfinite().all():
        return PICTURES
    for name, weight in model.named_parameters():
        if not weight.isfinite().all():
            return f"the parameter {name}"
    order, bad = [], []  # modules as they are entered; those that put out something bad, innermost first

    def watch(name, module):
        def leave(module, inputs, output):
            if not all(tensor.isfinite().all() for tensor in tensors_in(output)):
                bad.append(name)

        enter = module.register_forward_pre_hook(lambda module, inputs: order.append(name))
        return [enter, module.register_forward_hook(leave)]

    hooks = [hook for name, module in model.named_modules() if name for hook in watch(name, module)]
    try:
        model.zero_grad()
        loss = -model.log_density(x).mean()
        if bad:
            return f"the layer {bad[0]}"
        loss.backward()
    finally:
        for hook in hooks:
            hook.remove()
    gradients = [(name, weight.grad) for name, weight in model.named_parameters() if weight.grad is not None]
    names = [name for name, gradient in gradients if not gradient.isfinite().all()]

    def place(name):  # of the module that holds the parameter, or of the one around it that computes with it
        while name and name not in order:
            name = name.rpartition(".")[0]
        return order.index(name) if name else -1

    # gradients flow from the last layer to the first: the latest that is bad is where it began
    return f"the gradient of {max(names, key=place)}" if names else "no layer alone, but in their sum"


def tensors_in(output) -> list[Tensor]:
    """All tensors of a layer's output, however nested."""
    if isinstance(output, Tensor):
        return [output]
    return [tensor for part in output for tensor in tensors_in(part)] if isinstance(output, (list, tuple)) else []
