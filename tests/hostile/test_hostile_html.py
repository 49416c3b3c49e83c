"""Whatever HTML a mail brings, what is left of it can neither run nor load anything: by two independent parsers."""

import random
import re
from pathlib import Path

import hostile_html
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from rl_emails_assets.mail import display
from rl_emails_assets.mail.display import safe_html
from rl_emails_assets.mail.parse import parse

CHROMIUM = Path("/usr/bin/chromium")
SITE = "http://mail.example/"
FUZZED = 60
BATCH = 25

_SHOW = """async (bodies) => {
    document.body.replaceChildren();
    const frames = bodies.map((body) => {
        const frame = document.createElement("iframe");
        frame.srcdoc = `<!doctype html><script>function hacked() { window.ran = true }</script><body>${body}</body>`;
        return frame;
    });
    const shown = (frame) => new Promise((done) => { frame.onload = done; document.body.append(frame); });
    await Promise.all(frames.map(shown));
    return frames.map((frame) => {
        const inside = frame.contentDocument;
        // What another program makes of it: written out, read again, twice.
        for (let time = 0; time < 2; time++) inside.body.innerHTML = inside.body.innerHTML;
        const all = [...inside.body.querySelectorAll("*")];
        for (const each of all) for (const kind of ["mouseover", "focus", "click"]) {
            if (each.tagName !== "A") each.dispatchEvent(new Event(kind, { bubbles: true }));
        }
        return {
            ran: frame.contentWindow.ran === true,
            where: frame.contentWindow.location.href,
            placed: all.filter((each) => getComputedStyle(each).position !== "static").length,
            links: all.filter((each) => each.hasAttribute("href")).map((each) => each.protocol),
        };
    });
}"""

_WRAPPERS = {"html", "head", "body", "-text", "-comment", "-doctype"}
_OURS = {"a": {"href", "target", "rel"}, "img": {"src"}}
_STYLE = re.compile(r"[a-z-]+:[^;:\\/*<>{}@]+(?:;[a-z-]+:[^;:\\/*<>{}@]+)*")
_PIECE = st.sampled_from(
    [
        piece
        for case in hostile_html.ALL
        for piece in re.split(r"(?=<)|(?<=>)|(?<=[\"'])", case)
        if piece and len(piece) < 200
    ]
)


def cleaned(html: str, rewrite=None) -> str:
    """What is shown of an HTML mail."""
    content = b"Content-Type: text/html; charset=utf-8\n\n" + html.encode("utf-8", "surrogatepass")
    return safe_html(parse(content), content, rewrite=rewrite).html


def check(html: str) -> None:
    """Only known elements with known attributes, whose addresses and styles load nothing."""
    tree = LexborHTMLParser(f"<!doctype html><body>{html}")
    for node in tree.root.traverse(include_text=False):
        tag = node.tag
        if tag in _WRAPPERS and not node.attributes:
            continue
        assert tag in display._TAGS, html
        for name, value in node.attributes.items():
            assert name in display._ATTRIBUTES["*"] | display._ATTRIBUTES.get(tag, set()) | _OURS.get(tag, set()), html
            if name == "href":
                assert re.match(r"https?://|mailto:", value.strip(), re.IGNORECASE), html
                assert (node.attributes["target"], node.attributes["rel"]) == ("_blank", "noopener noreferrer")
            if name == "src":
                assert re.fullmatch(r"data:image/(png|jpe?g|gif|webp);base64,[\w+/=\s]*|/proxied\?\d+", value), html
            if name == "style":
                assert _STYLE.fullmatch(value), html
                for function in re.findall(r"([\w-]+)\(", value):
                    assert function.lower() in ("rgb", "rgba", "hsl", "hsla"), html
                assert {part.partition(":")[0] for part in value.split(";")} <= display._STYLES, html


@pytest.mark.parametrize("html", hostile_html.ALL)
def test_nothing_hostile_is_left(html):
    """A trick that the sanitizer does not know."""
    left = cleaned(f"<p>before</p>{html}<p>after</p>")
    check(left)
    assert "evil.example" not in re.sub(r">[^<]*<", "><", left) or "href" in left
    check(cleaned(html, lambda url: f"/proxied?{len(url)}"))


@pytest.mark.parametrize("html", hostile_html.ALL)
def test_what_is_left_stays_what_it_is(html):
    """Markup that is harmless as it is written and something else once it was parsed and written again (mXSS)."""
    once = cleaned(f"words{html}")
    # A link in a link is parted by whoever reads it next, which takes a second time.
    twice = cleaned(once)
    assert cleaned(twice) == twice
    assert twice == once or "<a" in once
    check(LexborHTMLParser(once).body.inner_html)
    check(twice)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(st.lists(_PIECE | st.text(max_size=3), max_size=12).map("".join))
@example("<svg><style><img src='</style><p title=")
def test_no_mixture_of_tricks_gets_through(html):
    """Two tricks that are known one by one and not together."""
    left = cleaned(html)
    check(left)
    check(LexborHTMLParser(left).body.inner_html if LexborHTMLParser(left).body else "")
    check(cleaned(html, lambda url: f"/proxied?{len(url)}"))


@pytest.mark.parametrize(
    ("address", "stays"),
    [
        ("mailto:a@b.example?subject=Unsubscribe&body=x", True),
        ("mailto:a@b.example", True),
        ("mailto:?to=a@b.example&In-Reply-To=1", True),
        ("mailto:a@b.example?attach=/etc/passwd", False),
        ("MAILTO:a@b.example?subject=x&%61ttach=/etc/passwd", False),
        ("https://a.example/?attach=x", True),
    ],
)
def test_a_mail_to_somebody_attaches_nothing(address, stays):
    """A link that makes the reader's mail program attach a file of theirs."""
    assert ("href" in cleaned(f"<a href='{address}'>x</a>")) == stays


@pytest.mark.browser
def test_nothing_runs_or_loads_in_a_real_browser():
    """A trick that only a browser knows; it has no sandbox and no policy here, which are the second line of defence."""
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed: apt-get install chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    pieces = [piece for case in hostile_html.ALL for piece in re.split(r"(?=<)", case)]
    chosen = random.Random(20261123)  # noqa: S311 - the same mixtures each time
    cases = [*hostile_html.ALL, *("".join(chosen.choices(pieces, k=10)) for _ in range(FUZZED))]
    asked: list[str] = []
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        page = browser.new_page()
        page.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        page.on("popup", lambda popup: said.append(popup.url))

        def served(route):
            if route.request.url == SITE:
                route.fulfill(
                    content_type="text/html; charset=utf-8", body="<!doctype html><link rel=icon href=data:,>"
                )
                return
            asked.append(route.request.url)
            route.abort()

        page.context.route("**/*", served)
        page.goto(SITE)
        for start in range(0, len(cases), BATCH):
            batch = cases[start : start + BATCH]
            for html, found in zip(batch, page.evaluate(_SHOW, [cleaned(each) for each in batch]), strict=True):
                assert (found["ran"], found["where"], found["placed"]) == (False, "about:srcdoc", 0), html
                assert set(found["links"]) <= {"http:", "https:", "mailto:"}, html
            assert (asked, said) == ([], []), batch
        assert page.url == SITE
        # The page can tell: what was not cleaned runs and loads.
        (found,) = page.evaluate(_SHOW, ["<img src=//evil.example/ onerror=hacked()><p style=position:fixed>"])
        assert (found["ran"], found["placed"], set(asked)) == (True, 1, {"http://evil.example/"})
        page.context.unroute_all(behavior="ignoreErrors")
        browser.close()
