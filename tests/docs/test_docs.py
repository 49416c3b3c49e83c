"""The documentation says what is there: references are up to date, links lead somewhere, commands and files exist."""

import ast
import importlib
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from rl_emails_assets.db import reference as data
from rl_emails_assets.db.schema import metadata
from rl_emails_assets.definitions import defs
from rl_emails_assets.settings import Settings
from scripts import reference
from tests.docs.markdown_pages import ROOT, Block, page, pages, slug_of

COMMANDS = reference.commands()
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
FOLDERS = ("rl_emails_assets/", "rl_emails_api/", "tests/", "docs/", "scripts/", "requirements/")
A_FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)*/[\w.-]+\.(?:py|sql|sh|toml|yaml|md|json|npz|mbox|svg|png)")
# Environment variables that are not settings: the tests' cache of unpacked programs.
OTHER_VARIABLES = {"RL_EMAILS_TEST_CACHE"}
PROMISE_COUNT = 8


def _shell_lines() -> Iterator[tuple[Block, list[str]]]:
    """Each command of the fenced shell blocks, split into words."""
    for one in pages():
        for block in one.blocks:
            if block.language in {"sh", "bash", "shell", "console"}:
                for line in block.text.replace("\\\n", " ").splitlines():
                    for command in line.split(" && "):
                        words = shlex.split(command, comments=True)
                        if words:
                            yield block, words


def _spans_of(program: str) -> Iterator[tuple[str, list[str]]]:
    """Each code span that shows `program` with something after it, split into words."""
    for one in pages():
        for span in one.spans:
            words = span.split()
            if len(words) > 1 and words[0].removeprefix(".venv/bin/") == program:
                yield one.name, words


def _wrong_in(words: list[str], *, is_complete: bool) -> str:
    """What is wrong with an `rl-emails` command line, or ''."""
    name, *rest = words[1:]
    if name not in COMMANDS:
        return "" if name == "--help" else f"there is no command {name}"
    parameters = COMMANDS[name].params
    options = {text: item for item in parameters for text in [*item.opts, *item.secondary_opts] if text[0] == "-"}
    arguments = [item for item in parameters if item.opts[0][0] != "-"]
    given: set[str] = set()
    values = 0
    position = 0
    while position < len(rest):
        word = rest[position]
        if word == ">":
            break
        if word.startswith("-") and word != "-":
            option = options.get(word.partition("=")[0])
            if option is None and word != "--help":
                return f"{name} has no option {word}"
            if option is not None:
                given.add(str(option.name))
                position += 0 if option.is_flag or "=" in word else 1
        else:
            values += 1
        position += 1
    if values > len(arguments):
        return f"{name} takes {len(arguments)} argument(s)"
    missing = [
        item.opts[0] for item in parameters if item.required and item.opts[0][0] == "-" and item.name not in given
    ]
    if is_complete and (missing or values < sum(item.required for item in arguments)):
        return f"{name} lacks {missing or 'an argument'}"
    return ""


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_generated_reference_is_what_make_docs_makes(name: str) -> None:
    """A table, setting, command or asset that changed would be described as it was."""
    committed = (ROOT / "docs" / "reference" / name).read_text()
    assert committed == reference.PAGES[name](), "run `make docs` and commit what it wrote"


def test_make_docs_writes_every_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A page that the drift test compares and `make docs` does not write could never be mended."""
    monkeypatch.setattr(sys, "argv", ["reference", "--folder", str(tmp_path)])
    reference.main()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        name: make() for name, make in reference.PAGES.items()
    }
    alone = tmp_path / "alone.md"
    monkeypatch.setattr(sys, "argv", ["reference", str(alone)])
    data.main()
    assert alone.read_text() == data.page()
    monkeypatch.setattr(sys, "argv", ["reference"])
    with pytest.raises(SystemExit, match="usage"):
        data.main()


def test_references_are_the_same_whoever_makes_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A default that depends on the user, or on what is set, would differ on another machine."""
    before = reference.settings_page()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RL_EMAILS_PORT", "1")
    assert reference.settings_page() == before


def test_everything_has_a_description() -> None:
    """A reference with empty lines in it helps nobody."""
    bare = [name for name, field in Settings.model_fields.items() if not field.description]
    bare += [f"{table.fullname}" for table in metadata.tables.values() if not table.comment]
    bare += [
        f"{column.table}.{column.name}"
        for table in metadata.tables.values()
        for column in table.c
        if not column.comment
    ]
    bare += [name for name, command in COMMANDS.items() if not command.help]
    bare += [f"{name} {item.name}" for name, command in COMMANDS.items() for item in command.params if not item.help]
    bare += [str(spec.key) for spec in defs.resolve_all_asset_specs() if not spec.description or not spec.owners]
    graph = defs.resolve_asset_graph()
    bare += [str(key) for key in graph.asset_check_keys if not graph.get(key).description]
    assert bare == []


def test_everything_that_runs_is_described() -> None:
    """A setting, command, asset, check, job, sensor or make target that nobody can find."""
    headings = {name: page(f"docs/reference/{name}").anchors for name in reference.PAGES if name.endswith(".md")}
    assets = page("docs/reference/assets.md")
    assert {f"rl_emails_{name}" for name in Settings.model_fields} <= headings["settings.md"]
    assert set(COMMANDS) <= headings["cli.md"]
    assert {slug_of(name) for name in metadata.tables} <= headings["data.md"]
    assert {slug_of(spec.key.to_user_string()) for spec in defs.resolve_all_asset_specs()} <= headings["assets.md"]
    assert {key.name for key in defs.resolve_asset_graph().asset_check_keys} <= set(assets.spans)
    repository = defs.get_repository_def()
    running = [job.name for job in repository.get_all_jobs() if not job.name.startswith("__")]
    running += [sensor.name for sensor in repository.sensor_defs]
    running += [schedule.name for schedule in repository.schedule_defs]
    assert set(running) <= headings["assets.md"]
    shown = {words[1] for _, words in _spans_of("make")} | {
        words[1] for _, words in _shell_lines() if words[0] == "make"
    }
    assert TARGETS - {"help"} <= shown


def test_links_lead_somewhere() -> None:
    """A link to a page, a picture or a heading that was renamed."""
    broken = []
    for one in pages():
        for link in one.links:
            if re.match(r"[a-z]+:", link):
                continue
            path, _, anchor = link.partition("#")
            target = (one.path.parent / path).resolve() if path else one.path
            if not target.exists():
                broken.append(f"{one.name}: {link}")
            elif anchor and anchor not in page(str(target.relative_to(ROOT))).anchors:
                broken.append(f"{one.name}: {link} (no such heading)")
    assert broken == []


def test_every_page_and_picture_can_be_found_from_the_readme() -> None:
    """A page that nothing links to is a page that nobody reads or keeps true."""
    reached, waiting = set(), ["README.md"]
    while waiting:
        name = waiting.pop()
        reached.add(name)
        if not name.endswith(".md"):
            continue
        one = page(name)
        for link in one.links:
            target = (one.path.parent / link.partition("#")[0]).resolve()
            if not re.match(r"[a-z]+:", link) and target.is_relative_to(ROOT) and target.is_file():
                found = str(target.relative_to(ROOT))
                waiting += [found] if found not in reached else []
    images = (ROOT / "docs" / "images").rglob("*")
    pictures = {str(path.relative_to(ROOT)) for path in images if path.is_file()}
    expected = {one.name for one in pages()} | pictures
    assert expected - reached <= {"CHANGELOG.md", "SECURITY.md"}


def test_commands_that_are_shown_work() -> None:
    """Somebody who types what the documentation says would get "No such option"."""
    wrong = []
    for block, words in _shell_lines():
        program = words[0].removeprefix(".venv/bin/")
        if program == "rl-emails" and (why := _wrong_in([program, *words[1:]], is_complete=True)):
            wrong.append(f"{block.page}: {' '.join(words)}: {why}")
        if program == "make" and (unknown := [word for word in words[1:] if "=" not in word and word not in TARGETS]):
            wrong.append(f"{block.page}: {' '.join(words)}: no target {unknown}")
    for name, words in _spans_of("rl-emails"):
        if words[1] != "..." and (why := _wrong_in(words, is_complete=False)):
            wrong.append(f"{name}: {' '.join(words)}: {why}")
    wrong += [f"{name}: {' '.join(words)}" for name, words in _spans_of("make") if words[1] not in TARGETS]
    assert wrong == []


def test_the_check_of_commands_can_fail() -> None:
    """A checker that accepts everything proves nothing."""
    assert _wrong_in(["rl-emails", "reindex"], is_complete=False)
    assert _wrong_in(["rl-emails", "inbox", "--loud"], is_complete=False)
    assert _wrong_in(["rl-emails", "import", "PATH"], is_complete=True)
    assert _wrong_in(["rl-emails", "explain"], is_complete=True)
    assert _wrong_in(["rl-emails", "status", "now"], is_complete=True)
    assert not _wrong_in(["rl-emails", "import", "PATH", "--mailbox", "ADDRESS", "--json"], is_complete=True)


def test_the_architecture_tells_which_group_reads_which() -> None:
    """A drawing of a flow that the graph does not have."""
    table = re.findall(
        r"^\| (\w+) \| [^|]+ \| ([a-z, ]+) \| `steps/", page("docs/architecture.md").content, re.MULTILINE
    )
    told = {group: set(reads.split(", ")) for group, reads in table}
    read: dict[str, set[str]] = {}
    for spec in defs.resolve_all_asset_specs():
        group = spec.key.path[0]
        read.setdefault(group, set()).update({dep.asset_key.path[0] for dep in spec.deps} - {group})
    assert told == {group: groups for group, groups in read.items() if groups}


def test_settings_that_are_named_exist() -> None:
    """A variable that nothing reads is silently ignored."""
    known = {f"RL_EMAILS_{name.upper()}" for name in Settings.model_fields} | OTHER_VARIABLES
    named = {(one.name, variable) for one in pages() for variable in re.findall(r"\bRL_EMAILS_[A-Z_]+\b", one.content)}
    assert [where for where in sorted(named) if where[1] not in known] == []


def test_files_that_are_named_exist() -> None:
    """A reader sent to a file that was renamed."""
    missing = []
    for one in pages():
        for span in one.spans:
            is_ours = span.startswith(FOLDERS) and re.fullmatch(r"[\w./-]+", span)
            if not (is_ours or A_FILE.fullmatch(span)) or span.startswith(("postgres/", "logs/")):
                continue
            if not any((base / span).exists() for base in (ROOT, ROOT / "rl_emails_assets", ROOT / "rl_emails_api")):
                missing.append(f"{one.name}: {span}")
    assert missing == []


def test_pages_that_the_code_names_exist() -> None:
    """A comment that sends to a page that is not there."""
    sources = [
        path for folder in ("rl_emails_assets", "rl_emails_api", "scripts") for path in (ROOT / folder).rglob("*.*")
    ]
    sources = [path for path in sources if path.suffix in {".py", ".sh", ".sql", ".yaml", ".js"}]
    named = {(path, found) for path in sources for found in re.findall(r"\bdocs/[\w/.-]+\.md\b", path.read_text())}
    missing = [f"{path.relative_to(ROOT)}: {found}" for path, found in sorted(named) if not (ROOT / found).exists()]
    assert missing == []


def test_each_promise_names_tests_that_exist() -> None:
    """A promise whose proof was deleted or renamed is only a sentence."""
    sections = re.split(r"^## ", page("docs/promises.md").content, flags=re.MULTILINE)[1:]
    assert [int(section.partition(".")[0]) for section in sections] == list(range(1, PROMISE_COUNT + 1))
    for section in sections:
        proofs = 0
        file = ""
        for span in re.findall(r"`([^`\n]+)`", section):
            if span.startswith("tests/"):
                file = span
            elif span.startswith("test_"):
                assert re.search(rf"^(?:async )?def {span}\(", (ROOT / file).read_text(), re.MULTILINE), (file, span)
                proofs += 1
        assert proofs >= 1, section.partition("\n")[0]


def test_tests_that_are_named_anywhere_exist() -> None:
    """The same for the decision records and references."""
    defined = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)\(", path.read_text(), re.MULTILINE)
    }
    named = {(one.name, span) for one in pages() for span in one.spans if re.fullmatch(r"test_\w+", span)}
    assert [where for where in sorted(named) if where[1] not in defined] == []


def test_decisions_are_numbered_and_listed() -> None:
    """A record that the index does not have, or two with one number."""
    files = sorted(path.name for path in (ROOT / "docs" / "decisions").iterdir())
    assert [int(name[:4]) for name in files] == list(range(1, len(files) + 1))
    assert sorted(link.removeprefix("decisions/") for link in page("docs/decisions.md").links) == files
    listed = dict(re.findall(r"\(decisions/([^)]+)\) \| (.+) \|", page("docs/decisions.md").content))
    for name in files:
        one = page(f"docs/decisions/{name}")
        assert one.content.startswith(f"# {name[:4]} {listed[name]}\n")
        assert "**Why.**" in one.content
        assert "**Decision.**" in one.content
        assert "**Cost.**" in one.content


def _python_blocks() -> list[Block]:
    """What somebody may copy and run; a reference shows sketches, too."""
    copied = [one for one in pages() if not one.name.startswith("docs/reference/")]
    return [block for one in copied for block in one.blocks if block.language == "python"]


@pytest.mark.parametrize("block", _python_blocks(), ids=lambda block: Path(block.page).stem)
def test_examples_in_python_import_what_there_is(block: Block) -> None:
    """An example that fails in its first line."""
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.ImportFrom) and node.module:
            module: Any = importlib.import_module(node.module)
            assert [name.name for name in node.names if not hasattr(module, name.name)] == []


def test_the_backfill_configuration_is_accepted() -> None:
    """A launchpad that refuses what the documentation says to type."""
    shown = [block.text for block in page("docs/how-to/backfill.md").blocks if block.language == "yaml"]
    assert len(shown) == 1
    dg.validate_run_config(defs.resolve_job_def("recompute"), yaml.safe_load(shown[0]))
