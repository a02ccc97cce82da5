"""What a rank's surroundings tell it, and what it tells the libraries through them."""

from __future__ import annotations

import os

_LOOPBACK = ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")


def take_device(rank: int) -> None:
    """From now on this process sees one GPU, its own. Call before CUDA is initialised; without GPUs nothing changes.

    All ranks are on one machine, so they meet on the loopback interface unless the worker's operator named another.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = None if visible is None else visible.split(",")
    if names is None or rank < len(names):
        os.environ["CUDA_VISIBLE_DEVICES"] = str(rank) if names is None else names[rank]
    for name in _LOOPBACK:
        os.environ.setdefault(name, "lo")
