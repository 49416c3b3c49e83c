"""What the page is made of: small, complete, nothing from elsewhere, nothing that its policy would not stop."""

import json
import re
from pathlib import Path

import pytest
from page_places import rows
from playwright.sync_api import expect

WEB = Path(__file__).parents[2] / "rl_emails_api" / "web"


FIRST_VIEW = 125_000
"""Bytes of the page and all that it imports at once, as they are; compressed they are about a quarter."""
WHOLE = 220_000


def test_the_page_is_small_and_complete():
    """A page that grows unseen, a file that nothing loads, or something loaded from elsewhere."""
    files = {each.name: each for each in WEB.rglob("*") if each.is_file()}
    first, later, admin = _loaded("index.html"), _loaded("index.html", later=True), _loaded("admin.html")
    assert later | admin == set(files)
    assert sum(files[name].stat().st_size for name in first) < FIRST_VIEW
    assert sum(each.stat().st_size for each in files.values()) < WHOLE
    for each in files.values():
        source = each.read_text()
        assert len(source.splitlines()) <= 400, each.name
        assert not re.search(r"(src|href)=[\"']https?:|@import|url\(", source), each.name
        assert "innerHTML" not in source
        assert not re.search(r"<script(?![^>]*src)|\bon\w+=|style=\"", source) or each.suffix == ".svg", each.name


def _loaded(name, *, later=False):
    """The names of the files that a page loads: itself, what it links to, what that imports, and `later` what it
    imports once it is wanted."""
    pattern = r"(?:/web/|from \"\./|import\(\"\./)([\w.-]+)" if later else r"(?:/web/|from \"\./)([\w.-]+)"
    loaded, waiting = set(), [name]
    while waiting:
        one = waiting.pop()
        loaded.add(one)
        waiting += [each for each in re.findall(pattern, (WEB / one).read_text()) if each not in loaded]
    return loaded


def keymap():
    """The keys of the page, as its own list has them."""
    source = (WEB / "keymap.js").read_text()
    found = json.loads(source[source.index("= [") + 2 : source.index("];") + 1])
    assert isinstance(found, list)
    return found


def test_no_key_means_two_things():
    """A key that does something else than the help says."""
    keys = [key for each in keymap() for key in each["keys"]]
    assert sorted(keys) == sorted(set(keys))


def test_the_keys_in_the_guide_are_those_of_the_page():
    """A guide that tells of keys that do nothing."""
    table = "".join(
        f"| {' '.join(f'`{key}`' for key in each['keys'])} | {each['group']} | {each['text']} |\n" for each in keymap()
    )
    guide = Path(__file__).parents[2] / "docs" / "how-to" / "use-the-page.md"
    assert f"| keys | for | what |\n|---|---|---|\n{table}" in guide.read_text(), table


@pytest.mark.browser
def test_markup_in_the_page_is_blocked_by_its_policy(server, visit):
    """A mistake in the page that would run script from mail: the policy has to stop it."""
    page = visit(server)
    expect(rows(page).first).to_be_visible()
    blocked = page.evaluate(
        """() => {
            try { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="hacked=1">'); return 'done'; }
            catch (error) { return error.name; }
        }"""
    )
    assert blocked == "TypeError"
    page.watch.complaints.clear()
