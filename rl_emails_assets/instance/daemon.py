"""Dagster's daemon as `rl-emails up` starts it: `dagster-daemon`, with a sensor loop that looks more often.

Stock, it looks for sensors that are due every 5 s, whatever they say; half of that is waited for on average before mail
that was pushed is looked at. With the stock command everything works as well, only later.
"""

import pkgutil
from importlib.metadata import entry_points

from rl_emails_assets.errors import SettingsError
from rl_emails_assets.instance.dagster_internals import set_sensor_loop_seconds

SENSOR_LOOP_SECONDS = 0.25


def console_script(name: str) -> str:
    """The function behind a command that a dependency installs, as `module:function`."""
    for entry_point in entry_points(group="console_scripts", name=name):
        return entry_point.value
    raise SettingsError(f"The command {name} is not installed. Install rl-emails again with `make install`.")


def main() -> None:
    """The program; it takes the arguments of `dagster-daemon`."""
    set_sensor_loop_seconds(SENSOR_LOOP_SECONDS)
    pkgutil.resolve_name(console_script("dagster-daemon"))()
