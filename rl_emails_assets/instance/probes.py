"""Whether a process does its work now. Each probe looks once, briefly, and raises nothing: a failure is a "not yet"."""

import http.client
import json
import socket
from http import HTTPStatus

import psycopg

PROBE_TIMEOUT_SECONDS = 2.0
LOOPBACK = "127.0.0.1"
_ANY_ADDRESS = {"0.0.0.0", "::", ""}  # noqa: S104 - compared with, not bound


def reachable_host(host: str) -> str:
    """The address under which this machine reaches what listens on `host`."""
    return LOOPBACK if host in _ANY_ADDRESS else host


def http_ok(host: str, port: int, path: str) -> bool:
    """Whether GET answers with 200."""
    return _get(host, port, path) is not None


def is_dagster_ui(port: int) -> bool:
    """Whether Dagster's web server answers on this port."""
    body = _get(LOOPBACK, port, "/server_info")
    try:
        return body is not None and "dagster_webserver_version" in json.loads(body)
    except ValueError:
        return False


def serves_grpc(port: int) -> bool:
    """Whether Dagster's code server has loaded the definitions and answers its health check."""
    if not accepts(port):
        return False
    # Only here: the package costs 15 MB and is of no use before something listens.
    import grpc  # type: ignore[import-untyped]  # noqa: PLC0415
    from grpc_health.v1 import health_pb2, health_pb2_grpc  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        with grpc.insecure_channel(f"{LOOPBACK}:{port}") as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            request = health_pb2.HealthCheckRequest(service="DagsterApi")
            answer = stub.Check(request, timeout=PROBE_TIMEOUT_SECONDS)
    except grpc.RpcError:
        return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


def accepts(port: int) -> bool:
    """Whether something listens on this port of loopback."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=PROBE_TIMEOUT_SECONDS):
            return True
    except OSError:
        return False


def last_heartbeat(dagster_url: str, daemon_type: str = "SENSOR") -> float | None:
    """When a daemon of Dagster last said that it lives, in seconds since the epoch; None when it never did.

    Raises psycopg.Error when the database cannot be asked.
    """
    query = "select extract(epoch from timestamp at time zone 'UTC') from daemon_heartbeats where daemon_type = %s"
    with psycopg.connect(dagster_url, connect_timeout=2, options="-c statement_timeout=2000") as connection:
        try:
            row = connection.execute(query, [daemon_type]).fetchone()
        except psycopg.errors.UndefinedTable:
            return None
    return None if row is None else float(row[0])


def has_heartbeat_since(dagster_url: str, at: float) -> bool:
    """Whether the sensor daemon has said that it lives since this time."""
    try:
        heartbeat = last_heartbeat(dagster_url)
    except psycopg.Error:
        return False
    return heartbeat is not None and heartbeat >= at


def has_warm_worker_since(product_url: str, at: float) -> bool:
    """Whether a worker of this machine that was started since this time has a slot that could execute a run."""
    query = (
        "select from sync_queue.workers where host = %s and started_at >= to_timestamp(%s) and ready + busy > 0 "
        "and is_stopping is null"
    )
    try:
        with psycopg.connect(product_url, connect_timeout=2, options="-c statement_timeout=2000") as connection:
            return connection.execute(query, [socket.gethostname(), at]).fetchone() is not None
    except psycopg.Error:
        return False


def free_port(wanted: int, host: str = LOOPBACK, *, avoid: frozenset[int] = frozenset(), most: int = 100) -> int:
    """`wanted` or the next one that is free; any free one for 0 and when `most` in a row are taken."""
    if wanted:
        for port in range(wanted, min(wanted + most, 65536)):
            if port not in avoid and is_free(port, host):
                return port
    while True:
        with socket.socket(_family(host)) as probe:
            probe.bind((host, 0))
            port = int(probe.getsockname()[1])
        if port not in avoid:
            return port


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server can listen there now; connections that linger from an earlier one do not count."""
    with socket.socket(_family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _get(host: str, port: int, path: str) -> bytes | None:
    connection = http.client.HTTPConnection(reachable_host(host), port, timeout=PROBE_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read(65_536)
    except (OSError, http.client.HTTPException):
        return None
    else:
        return body if answer.status == HTTPStatus.OK else None
    finally:
        connection.close()
