"""The processes that share one evaluation: one by default, several where torchrun started them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.distributed as dist


@contextmanager
def team() -> Iterator[tuple[int, int]]:
    """(rank, number of processes), with a process group where torchrun started several."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield 0, 1
        return
    local = int(os.environ.get("LOCAL_RANK", "0"))
    on_gpus = torch.cuda.device_count() >= int(os.environ.get("LOCAL_WORLD_SIZE", size))
    if on_gpus:
        torch.cuda.set_device(local)
    dist.init_process_group("nccl" if on_gpus else "gloo")
    try:
        yield dist.get_rank(), size
    finally:
        dist.destroy_process_group()


def gathered(mine: object, size: int) -> list:
    """Every process's object, in every process."""
    everyone = [mine] * size
    if size > 1:
        dist.all_gather_object(everyone, mine)
    return everyone
