"""Processor time: what an answer costs in seconds of the machine, whoever else is busy on it."""

import psutil

from tests.bench.world import World


def seconds(world: World, server: int) -> float:
    """Return what a server's process and PostgreSQL's have used so far."""
    postmaster = int((world.server.home / "cluster" / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
    return sum(_of(process) for root in (server, postmaster) for process in _tree(root))


def _tree(root: int) -> list[psutil.Process]:
    process = psutil.Process(root)
    return [process, *process.children(recursive=True)]


def _of(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)
