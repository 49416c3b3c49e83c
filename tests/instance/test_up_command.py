"""`rl-emails up` as a person meets it, and the programs that it is made of."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rl_emails_assets.commands import up
from rl_emails_assets.commands.output import ExitCode
from rl_emails_assets.db.engine import Databases
from rl_emails_assets.errors import SettingsError
from rl_emails_assets.instance import probes, stack
from rl_emails_assets.instance.daemon import console_script
from rl_emails_assets.instance.supervisor import Say, Tone
from rl_emails_assets.instance.up_file import Links
from rl_emails_assets.settings import Settings

LINKS = Links(page=f"http://127.0.0.1:8025/?token={'t' * 90}", api="http://127.0.0.1:8025", dagster="http://x")


class FakeSupervisor:
    """Ready at once, and ended at once."""

    is_whole = True

    def __init__(self, _settings: Settings, say: Say, on_ready: Callable[[Links], None], *, definitions: str) -> None:
        self.say, self.on_ready, self.definitions = say, on_ready, definitions

    def run(self) -> bool:
        self.say("[odd] markup", Tone.NOTE)
        self.on_ready(LINKS)
        return self.is_whole


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a browser was given."""
    addresses: list[str] = []
    monkeypatch.setattr(up, "Supervisor", FakeSupervisor)
    monkeypatch.setattr(up.webbrowser, "open", addresses.append)
    return addresses


def test_the_links_are_printed_whole(
    tmp_path: Path, opened: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link that is broken over two lines cannot be clicked."""
    monkeypatch.setenv("COLUMNS", "40")
    assert up.up(Settings(home=tmp_path), open_browser=False) is ExitCode.OK
    printed = capsys.readouterr()
    assert LINKS.page in printed.out
    assert LINKS.dagster in printed.out
    assert "[odd] markup" in printed.err
    assert opened == []


def test_a_browser_opens_when_asked_and_a_caller_may_show_the_links_itself(
    tmp_path: Path, opened: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo opens the inbox; a script wants the links in its own form."""
    monkeypatch.setenv("DISPLAY", ":0")
    given: list[Links] = []
    assert up.up(Settings(home=tmp_path), open_browser=True, on_ready=given.append) is ExitCode.OK
    assert given == [LINKS]
    assert opened == [LINKS.page]
    assert capsys.readouterr().out == ""


def test_no_browser_opens_where_there_is_no_screen(
    tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a server a text browser would take over the terminal that shows the links and takes Ctrl-C."""
    monkeypatch.setattr(up.sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert up.up(Settings(home=tmp_path), open_browser=True) is ExitCode.OK
    assert opened == []


def test_a_part_that_was_given_up_shows_in_the_exit_code(
    tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever starts it from a script learns that not everything ran."""
    monkeypatch.setattr(FakeSupervisor, "is_whole", False)
    assert up.up(Settings(home=tmp_path), open_browser=False) is ExitCode.INCOMPLETE


def test_every_program_listens_on_loopback_and_none_is_ready_before_it_runs(tmp_path: Path) -> None:
    """Dagster has no login; on another address everybody in the network could read the mail."""
    ports = stack.Ports(*(probes.free_port(0) for _ in range(3)))
    databases = Databases("postgresql://x", "postgresql://nobody@127.0.0.1:1/none", None)
    code_server = stack.code_server(ports, stack.DEFINITIONS)
    webserver = stack.webserver(tmp_path, ports)
    for program in (code_server, webserver):
        arguments = list(program.arguments)
        assert arguments[arguments.index("--host") + 1] == "127.0.0.1"
    api = stack.api(Settings(home=tmp_path), ports, "t")
    assert api.environment["RL_EMAILS_PORT"] == str(ports.api)
    for program in (
        code_server,
        webserver,
        api,
        stack.daemon(tmp_path, databases),
        *stack.workers(Settings(home=tmp_path), databases, stack.DEFINITIONS),
    ):
        assert not program.is_ready(0.0)


def test_without_slots_there_is_no_worker(tmp_path: Path) -> None:
    """A small machine that asked for none would have one started again and again, and the stack never ready."""
    databases = Databases("postgresql://x", "postgresql://nobody@127.0.0.1:1/none", None)
    assert stack.workers(Settings(home=tmp_path, worker_slots=0), databases, stack.DEFINITIONS) == []
    [worker] = stack.workers(Settings(home=tmp_path, worker_slots=3), databases, stack.DEFINITIONS)
    assert "3" in worker.arguments


def test_a_dependency_that_lost_its_command_is_named() -> None:
    """A half-removed package must not end in a child that dies without a word."""
    with pytest.raises(SettingsError, match="no-such-command"):
        console_script("no-such-command")
