"""What a running `up` leaves in the home folder: one lock, a status that only its user reads, a token that stays."""

import stat
from pathlib import Path

import pytest

from rl_emails_assets.errors import SettingsError
from rl_emails_assets.instance import up_file
from rl_emails_assets.instance.stack import Ports, links
from rl_emails_assets.instance.up_file import AlreadyUpError, Links, UpStatus, access_token, sole_supervisor
from rl_emails_assets.settings import Settings

STATUS = UpStatus(
    pid=7,
    links=Links(page="http://127.0.0.1:8025/?token=t", api="http://127.0.0.1:8025", dagster="http://127.0.0.1:3000"),
    ports={"api": 8025},
    pids={"api": 8, "daemon": None},
    states={"api": "ready", "daemon": "waiting"},
    is_ready=False,
)


def test_two_supervisors_of_one_home_are_refused(tmp_path: Path) -> None:
    """Two would fight for ports, runs and the workspace file; the second says where the first is."""
    home = tmp_path / "home"
    with sole_supervisor(home):
        with pytest.raises(AlreadyUpError, match="RL_EMAILS_HOME"), sole_supervisor(home):
            pass
        up_file.write_status(home, STATUS)
        with pytest.raises(AlreadyUpError, match=STATUS.links.page.replace("?", r"\?")), sole_supervisor(home):
            pass
    with sole_supervisor(home):
        assert up_file.is_up(home)


def test_the_status_is_there_exactly_while_it_is_up(tmp_path: Path) -> None:
    """A status file that a killed supervisor left must not be believed, nor a damaged one break other commands."""
    assert up_file.read_status(tmp_path) is None
    with sole_supervisor(tmp_path):
        assert up_file.read_status(tmp_path) is None
        up_file.write_status(tmp_path, STATUS)
        assert up_file.read_status(tmp_path) == STATUS
        assert stat.S_IMODE(up_file.status_path(tmp_path).stat().st_mode) == 0o600
        for damage in ("", "[]", '{"pid": 1}', '{"links": {"page": 1}}'):
            up_file.status_path(tmp_path).write_text(damage)
            assert up_file.read_status(tmp_path) is None
    assert not up_file.status_path(tmp_path).exists()
    up_file.write_status(tmp_path, STATUS)
    assert up_file.read_status(tmp_path) is None


def test_a_home_that_cannot_be_made_is_told_in_words(tmp_path: Path) -> None:
    """A mistyped home must not end in a traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"), sole_supervisor(tmp_path / "file" / "home"):
        pass


def test_the_token_stays_and_is_private(tmp_path: Path) -> None:
    """A link that changed with each start would break every bookmark; one that others can read opens the mail."""
    settings = Settings(home=tmp_path, token=None)
    token = access_token(settings)
    assert len(token) >= 32
    assert access_token(settings) == token
    assert stat.S_IMODE((tmp_path / "token").stat().st_mode) == 0o600
    assert access_token(Settings(home=tmp_path, token="chosen")) == "chosen"
    (tmp_path / "token").write_text("\n")
    assert access_token(settings) not in {"", token}


def test_a_file_that_was_open_to_all_is_closed(tmp_path: Path) -> None:
    """The mode of a file that is there already is not changed by opening it."""
    path = tmp_path / "token"
    path.write_text("old")
    path.chmod(0o644)
    up_file.write_private(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_links_lead_to_this_machine(tmp_path: Path) -> None:
    """An address to listen on is not always one to go to."""
    ports = Ports(api=8025, dagster=3000, code_server=4000)
    for host, shown in (("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]")):  # noqa: S104
        made = links(Settings(home=tmp_path, host=host), ports, "t")
        assert made.page == f"http://{shown}:8025/?token=t"
        assert made.dagster == "http://127.0.0.1:3000"
