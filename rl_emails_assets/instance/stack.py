"""The processes that `rl-emails up` supervises, as programs: what runs, on which port, and when it is ready."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rl_emails_assets.db.engine import Databases
from rl_emails_assets.instance import probes
from rl_emails_assets.instance.daemon import console_script
from rl_emails_assets.instance.home import LOCATION_NAME
from rl_emails_assets.instance.processes import Program
from rl_emails_assets.instance.up_file import Links
from rl_emails_assets.settings import Settings

DEFINITIONS = "rl_emails_assets.definitions"
API = "rl_emails_api.server:main"
# glibc gives each thread an arena of its own otherwise, and none of them shrinks (docs/decisions.md).
LEAN = {"MALLOC_ARENA_MAX": "2", "PYTHONUNBUFFERED": "1", "DAGSTER_DISABLE_TELEMETRY": "1"}
MOST_ENDED_RUNS = "50"
"""Failed or cancelled runs that a sensor looks at in one tick; Dagster's default of 5 lags behind a bad hour."""
CODE_SERVER_STOP_SECONDS = 20.0
"""A run under way gets this long to end the statement it is in and to report itself as interrupted."""
DAEMON_STOP_SECONDS = 15.0
WORKER_STOP_SECONDS = 20.0
"""Longer than it gives its interrupted runs."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where each server listens, all on loopback but the API, which `settings.host` may put elsewhere."""

    api: int
    dagster: int
    code_server: int

    @classmethod
    def choose(cls, settings: Settings, preferred_code_server: int = 0) -> "Ports":
        """The ports of the settings, or the next free ones."""
        api = probes.free_port(settings.port, settings.host)
        dagster = probes.free_port(settings.dagster_port, avoid=frozenset({api}))
        code_server = probes.free_port(preferred_code_server, avoid=frozenset({api, dagster}), most=1)
        return cls(api, dagster, code_server)


def links(settings: Settings, ports: Ports, token: str) -> Links:
    """Where people go."""
    host = probes.reachable_host(settings.host)
    shown = f"[{host}]" if ":" in host else host
    api = f"http://{shown}:{ports.api}"
    return Links(page=f"{api}/?token={token}", api=api, dagster=f"http://{probes.LOOPBACK}:{ports.dagster}")


def code_server(ports: Ports, definitions: str) -> Program:
    """Serves the definitions to the daemon and the UI, and starts the run workers."""
    return Program(
        name="code-server",
        title="Dagster code server",
        target=console_script("dagster"),
        arguments=(
            *("api", "grpc", "--module-name", definitions, "--location-name", LOCATION_NAME),
            *("--host", probes.LOOPBACK, "--port", str(ports.code_server)),
        ),
        is_ready=lambda _: probes.serves_grpc(ports.code_server),
        environment=LEAN,
        stop_seconds=CODE_SERVER_STOP_SECONDS,
    )


def daemon(workspace: Path, databases: Databases) -> Program:
    """Evaluates sensors and schedules, launches queued runs, watches running ones."""
    return Program(
        name="daemon",
        title="Dagster daemon",
        target="rl_emails_assets.instance.daemon:main",
        arguments=("run", "--workspace", str(workspace)),
        is_ready=partial(probes.has_heartbeat_since, databases.dagster_url),
        environment={**LEAN, "DAGSTER_RUN_STATUS_SENSOR_PROCESS_LIMIT": MOST_ENDED_RUNS},
        stop_seconds=DAEMON_STOP_SECONDS,
    )


def workers(settings: Settings, databases: Databases, definitions: str) -> list[Program]:
    """What executes runs in slots that are warm: one worker, or none where the settings want no slot."""
    if settings.worker_slots == 0:
        return []
    worker = Program(
        name="worker",
        title="Worker",
        target="rl_emails_assets.instance.worker:main",
        # Who stops everything does not want to wait for a long run; what it has committed is kept.
        arguments=(definitions, str(settings.worker_slots), "0"),
        is_ready=partial(probes.has_warm_worker_since, databases.product_url),
        environment=LEAN,
        stop_seconds=WORKER_STOP_SECONDS,
    )
    return [worker]


def webserver(workspace: Path, ports: Ports) -> Program:
    """Dagster's UI."""
    return Program(
        name="dagster-ui",
        title="Dagster UI",
        target=console_script("dagster-webserver"),
        arguments=("--workspace", str(workspace), "--host", probes.LOOPBACK, "--port", str(ports.dagster)),
        is_ready=lambda _: probes.is_dagster_ui(ports.dagster),
        environment=LEAN,
    )


def api(settings: Settings, ports: Ports, token: str) -> Program:
    """The API and the page."""
    return Program(
        name="api",
        title="API and page",
        target=API,
        arguments=(),
        is_ready=lambda _: probes.http_ok(settings.host, ports.api, "/readyz"),
        environment={
            **LEAN,
            "RL_EMAILS_TOKEN": token,
            "RL_EMAILS_PORT": str(ports.api),
            "RL_EMAILS_DAGSTER_PORT": str(ports.dagster),
        },
    )
