"""What a rank's surroundings tell it, and what it tells the libraries through them."""

from __future__ import annotations

import os

_LOOPBACK = ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME")


def take_device(place: int, *, alone: bool) -> None:
    """From now on this process sees one GPU, the `place`-th of this machine. Call before CUDA is initialised; without
    GPUs nothing changes.

    The ranks of a machine that is `alone` meet on the loopback interface unless the worker's operator named another.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = None if visible is None else visible.split(",")
    if names is None or place < len(names):
        os.environ["CUDA_VISIBLE_DEVICES"] = str(place) if names is None else names[place]
    for name in _LOOPBACK if alone else ():
        os.environ.setdefault(name, "lo")
