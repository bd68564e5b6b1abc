"""The Ray cluster that a run is connected to. Ray is imported when it is asked for, and says nothing that the user does
not need."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from ecgvec.batch.pool import environment
from ecgvec.errors import ExportError

REACH_S = 5.0  # for a cluster to answer at all
START = "start one with 'ray start --head'"
_HELLO = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"  # RFC 9113, 3.4: preface, empty SETTINGS frame
_SETTINGS = 4  # the type of the frame that a server answers with
_IN_RAY = {  # while it is imported and connects
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # says nothing of GPUs
}


@contextmanager
def connect(address: str | None = None) -> Iterator[int]:
    """Inside ``with``, this process is connected to the Ray cluster at ``address`` (HOST:PORT; None: that of
    RAY_ADDRESS, or the one that runs on this machine); gives the number of its cores.

    ExportError where Ray is not installed, or where there is no such cluster. A connection that the program has
    already is used as it is, and kept.
    """
    try:
        with environment({name: os.environ.get(name, value) for name, value in _IN_RAY.items()}):
            import ray
    except ImportError:
        raise ExportError("--engine ray needs Ray: install it with pip install 'ecgvec[ray]'") from None
    if ray.is_initialized():
        yield cores()
        return
    where = address or os.environ.get("RAY_ADDRESS") or "auto"
    if where != "auto":
        _refuse_unreachable(where)
    _connect(where)
    try:
        if not (count := cores()):
            raise ExportError(f"the Ray cluster has no core to draw with: add a node, or {START}")
        yield count
    finally:
        ray.shutdown()


def _refuse_unreachable(address: str) -> None:
    """Ray itself would try for minutes, where nothing answers or something else does, as the dashboard."""
    if address.startswith("ray://"):
        raise ExportError(
            f"{address} is for Ray's client, which cannot draw here: run ecgvec on a node of the cluster, "
            "with --address HOST:PORT or none"
        )
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ExportError(f"--address {address} is not HOST:PORT, as in 192.168.0.1:6379")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), REACH_S) as line:
            if os.environ.get("RAY_USE_TLS", "0") != "0":
                return
            line.sendall(_HELLO)
            answer = line.recv(9)
        if answer[3:4] != bytes([_SETTINGS]):
            raise OSError("what listens there is something else")
    except OSError as error:
        raise ExportError(
            f"no Ray cluster answers at {address} ({error.strerror or error}): check --address, or {START}"
        ) from None


def _connect(where: str) -> None:
    import ray
    import ray._private.worker as private

    # A thread of Ray prints to standard output what befalls nodes and processes; we tell what matters of it.
    # There is no switch for it.
    speaker = getattr(private, "listen_error_messages", None)
    private.listen_error_messages = lambda *_: None
    try:
        with environment({name: os.environ.get(name, value) for name, value in _IN_RAY.items()}):
            ray.init(address=where, log_to_driver=False, logging_level="ERROR")
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        if where == "auto" and isinstance(error, ConnectionError):
            raise ExportError(f"no Ray cluster runs on this machine: {START}, or name one with --address") from None
        raise ExportError(
            f"the Ray cluster at {where} cannot be used ({flat(error)}): "
            "check --address, and run ecgvec on a node of the cluster"
        ) from None
    finally:
        private.listen_error_messages = speaker


def cores() -> int:
    """The cores of all nodes that are alive."""
    return sum(int(count) for count in nodes().values())


def nodes() -> dict[str, float]:
    """Nodes that are alive, and the cores of each."""
    import ray

    return {node["NodeID"]: node["Resources"].get("CPU", 0.0) for node in ray.nodes() if node["Alive"]}


def flat(error: BaseException) -> str:
    """An error's text in one line."""
    return " ".join(str(error).split()).rstrip(".")
