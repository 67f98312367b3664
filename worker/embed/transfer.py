"""Tensors to a device and back; with CUDA without waiting for what it computes meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


def upload(features: Mapping[str, Any], device: torch.device | str) -> dict[str, Any]:
    """Features of a batch on the device; what is no tensor stays as it is."""
    move = _pinned if torch.device(device).type == "cuda" else _plain
    return {
        name: move(value, device) if isinstance(value, torch.Tensor) else value
        for name, value in features.items()
    }


class Download:
    """A tensor on its way to the CPU; CUDA copies it when it has computed it."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self._here = tensor.to("cpu", non_blocking=tensor.is_cuda)
        self._arrived = (
            torch.cuda.current_stream(tensor.device).record_event() if tensor.is_cuda else None
        )

    def result(self) -> NDArray[np.float32]:
        """Waits for it, while other threads run.

        Raises:
            RuntimeError: the computation failed.
        """
        if self._arrived is not None:
            self._arrived.synchronize()
        here: NDArray[np.float32] = self._here.numpy()
        return here


def _plain(tensor: torch.Tensor, device: torch.device | str) -> torch.Tensor:
    return tensor.to(device)


def _pinned(tensor: torch.Tensor, device: torch.device | str) -> torch.Tensor:
    """Only from pinned memory does a copy not wait for the computation before it."""
    return tensor.pin_memory().to(device, non_blocking=True)
