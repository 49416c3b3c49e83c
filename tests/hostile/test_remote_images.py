"""Remote images of a message: off until asked for, then only through us, only for who may see the mailbox."""

import re
import ssl
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from mails import OWNER, Mail, seed_id
from prometheus_client import CollectorRegistry
from seed import add_mail
from serving import TOKEN, Server
from sqlalchemy import delete, insert
from stranger import Stranger, answer, png

from rl_emails_api.remote_images import links
from rl_emails_api.remote_images.fetching import Fetcher
from rl_emails_api.remote_images.links import ImageLink, ImageLinks
from rl_emails_api.remote_images.proxy import AT_A_TIME_A_MAILBOX, ImageProxy
from rl_emails_assets.db.tables import identity
from rl_emails_assets.mail.display import safe_html
from rl_emails_assets.mail.parse import parse
from rl_emails_assets.settings import Settings

KEY = b"k" * 32
ADDRESS = re.compile(r'src="(/v1/images\?[^"]+)"')


def mail(html: str) -> bytes:
    """An HTML mail."""
    return b"Content-Type: text/html; charset=utf-8\n\n" + html.encode()


def rewritten(html: str, rewrite=lambda url: f"/p?{url}&x"):
    """The safe form of a mail whose images were asked for."""
    return safe_html(parse(mail(html)), mail(html), rewrite=rewrite)


def test_only_images_of_the_web_get_a_new_address():
    """A style, a background, a srcset or another scheme that still leads to a stranger's server."""
    safe = rewritten(
        "<img src=http://a.example/1.png alt=one><img src=//b.example/2.png><IMG SRC=' HTTPS://c.example/3.png '>"
        "<img src=ftp://d.example/4.png><img src=/image-0><img src=/image-9><img src=rel.png><a href=/image-0>x</a>"
        "<img srcset='http://e.example/5.png 2x'><table background=http://f.example/6.png><td>"
        "<p style='background:url(http://g.example/7.png)'>x</p><img src='http://h.example/\"onerror=\"8'>"
        "<p title='<img src=\"/image-0\">'>t</p>"
    )
    assert re.findall(r'src="([^"]*)"', safe.html) == [
        "/p?http://a.example/1.png&amp;x",
        "/p?https://b.example/2.png&amp;x",
        "/p?HTTPS://c.example/3.png&amp;x",
        "/p?http://h.example/&quot;onerror=&quot;8&amp;x",
    ]
    assert (safe.proxied_count, safe.blocked_count, safe.tracker_count) == (4, 1, 0)
    for gone in ("d.example", "e.example", "f.example", "g.example", "srcset", "background"):
        assert gone not in safe.html


def test_without_asking_nothing_is_remote():
    """A remote image in a message that was merely opened."""
    html = "<img src=http://a.example/1.png><img src=http://a.example/2.png width=1 height=1>"
    safe = safe_html(parse(mail(html)), mail(html))
    assert "a.example" not in safe.html
    assert "src" not in safe.html
    assert (safe.proxied_count, safe.blocked_count, safe.tracker_count) == (0, 2, 1)


@pytest.mark.parametrize(
    ("attributes", "is_tracker"),
    [
        ("width=1 height=1", True),
        ("width='1px' height='1px'", True),
        ("height=1", True),
        ("width=0 height=200", True),
        ("width=2 height=2", True),
        ("style='width:1px;height:1px'", True),
        ("style='display:none'", True),
        ("style='color:red; display: none !important; visibility:hidden'", True),
        ("style='max-width:1px;max-height:0'", False),
        ("width=600 height=1", False),
        ("width='100%' height=1", False),
        ("width=100 height=20", False),
        ("width=100", False),
        ("alt='width=1 height=1'", False),
        ("", False),
    ],
)
def test_tracking_pixels_stay_out(attributes, is_tracker):
    """A sender told of the opening by an image that nobody can see; or a line of a layout taken for one."""
    safe = rewritten(f"<img {attributes} src=http://a.example/1.png>")
    assert (safe.tracker_count, safe.proxied_count) == ((1, 0) if is_tracker else (0, 1))
    assert ("a.example" in safe.html) != is_tracker


def test_addresses_that_cannot_be_rewritten_are_left_out():
    """A mail with ten thousand images, or an address that fits into none of ours, loaded directly or for ever."""
    assert rewritten("<img src=http://a.example/>", lambda _: None).html == "<img>"
    safe = rewritten("<img src=http://a.example/>" * 300)
    assert (safe.proxied_count, safe.blocked_count) == (200, 100)


LINK = ImageLink(uuid4(), uuid4(), uuid4(), "https://a.example/é?x=1")


async def as_loopback(host: str, port: int) -> list[str]:
    """Every name is this machine's."""
    return ["127.0.0.1"]


def token(path: str) -> str:
    """The sealed part of an address."""
    return parse_qs(urlsplit(path).query)["image"][0]


def test_a_link_says_nothing_and_lasts_an_hour_or_two():
    """The reader's name, which is in the image's address, in our addresses and so in a proxy's log."""
    now = [1_000_000.0]
    made = ImageLinks(lambda: [KEY], lambda: now[0])
    path = made.path(LINK)
    assert path == made.path(LINK)
    assert "a.example" not in path
    sealed = token(path)
    for seconds, is_open in ((0, True), (3_600, True), (7_201, False), (10**7, False)):
        now[0] = 1_000_000 + seconds
        assert (made.opened(sealed) == LINK) == is_open
    assert made.path(LINK) != path
    assert made.path(ImageLink(LINK.organization_id, LINK.user_id, LINK.mailbox_id, "http://a/" + "x" * 2_000)) is None


def test_a_link_cannot_be_changed_or_made():
    """Another mailbox, person, hour or image put into an address of ours."""
    made = ImageLinks(lambda: [KEY])
    sealed = token(made.path(LINK))
    for place in range(0, len(sealed), 5):
        other = "A" if sealed[place] != "A" else "B"
        assert made.opened(sealed[:place] + other + sealed[place + 1 :]) is None
    for wrong in ("", "A", "AAAA", "=", "%", "é", "\x00", sealed[:-4], sealed + "AAAA", "A" * 4_096):
        assert made.opened(wrong) is None
    assert ImageLinks(lambda: [b"o" * 32]).opened(sealed) is None


def test_a_link_of_an_old_key_is_opened():
    """Images broken for an hour by every rotation of the keys."""
    old = ImageLinks(lambda: [KEY])
    assert ImageLinks(lambda: [b"n" * 32, KEY]).opened(token(old.path(LINK))) == LINK


def test_each_reader_has_links_of_their_own():
    """What one person's link opens, opened by another one's."""
    made = ImageLinks(lambda: [KEY])
    for name in ("organization_id", "user_id", "mailbox_id"):
        values = {each: getattr(LINK, each) for each in LINK.__dataclass_fields__} | {name: uuid4()}
        assert made.path(ImageLink(**values)) != made.path(LINK)


class Proxied:
    """A message on the shared server, whose images come from a stranger on loopback."""

    def __init__(self, server: Server, stranger: Stranger, images: int = 1) -> None:
        html = "".join(f"<img src='http://images.example:{stranger.port}/{number}.png'>" for number in range(images))
        name = f"letter {uuid4()}"
        item = Mail(name, ("S", "s@sender.example"), "Images", "text", 0.01, 0.5, html=f"<p>Look</p>{html}")
        with server.engine.begin() as connection:
            self.message_id = add_mail(connection, seed_id(OWNER), item)
        self.server = server
        self.fetcher = Fetcher(
            ssl_context=ssl.create_default_context(),
            resolve=as_loopback,
            is_allowed=lambda _: True,
            ports=frozenset({stranger.port}),
        )
        server.app.state.remote_images._fetcher = self.fetcher

    def addresses(self) -> list[str]:
        """Where the message's images are."""
        with self.server.client() as client:
            page = client.get(f"/v1/messages/{self.message_id}/html", params={"images": "proxy"}).raise_for_status()
        assert "img-src 'self' data:;" in page.headers["content-security-policy"]
        assert "images.example" not in page.text
        return [each.replace("&amp;", "&") for each in ADDRESS.findall(page.text)]

    def get(self, address: str) -> httpx.Response:
        """As the sandboxed frame asks: with no token and no cookie."""
        return httpx.get(self.server.url + address, timeout=30)


def shown_count(server: Server, outcome: str) -> float:
    """How many images ended so."""
    with server.client() as client:
        text = client.get("/metrics").text
    return float(re.search(rf'rl_emails_remote_images_total{{outcome="{outcome}"}} (\S+)', text)[1])


@pytest.fixture
def stranger():
    """A server with an image."""
    with Stranger(answer(png(), "Content-Type: image/jpeg; charset=x", "Set-Cookie: a=b")) as made:
        yield made


def test_an_image_is_served_as_what_it_is_and_can_do_nothing(shared_server, stranger):
    """A stranger's header, cookie or type passed on; or an image that another site may embed and keep."""
    proxied = Proxied(shared_server, stranger)
    with proxied.server.client() as client:
        plain = client.get(f"/v1/messages/{proxied.message_id}/html")
        assert "img-src data:;" in plain.headers["content-security-policy"]
        assert "<img>" in plain.text
        assert client.get(f"/v1/messages/{proxied.message_id}").json()["blocked_count"] == 1
    assert stranger.requests == []
    (address,) = proxied.addresses()
    got = proxied.get(address)
    assert (got.status_code, got.content) == (200, png())
    headers = dict(got.headers)
    assert headers["content-type"] == "image/png"
    assert headers["cache-control"] == "private, max-age=3600"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert "set-cookie" not in headers
    assert len(stranger.requests) == 1
    assert shown_count(shared_server, "shown") >= 1


def test_the_host_name_is_looked_at_for_images_too(shared_server, stranger):
    """DNS rebinding through the one path that asks for no token."""
    proxied = Proxied(shared_server, stranger)
    (address,) = proxied.addresses()
    got = httpx.get(proxied.server.url + address, headers={"Host": "evil.example"})
    assert got.status_code == 421


def test_a_member_who_is_removed_sees_no_more_images(shared_server, stranger):
    """A link that outlives the right to see the mailbox."""
    proxied = Proxied(shared_server, stranger)
    (address,) = proxied.addresses()
    with shared_server.engine.begin() as connection:
        members = connection.execute(delete(identity.memberships).returning(identity.memberships)).mappings().all()
    got = proxied.get(address)
    with shared_server.engine.begin() as connection:
        connection.execute(insert(identity.memberships), [dict(each) for each in members])
    assert got.status_code == 404
    assert got.json()["type"] == "urn:rl-emails:problem:image-link-invalid"
    assert stranger.requests == []


def test_a_refused_image_says_why(shared_server):
    """A 500, or a picture of nothing, for an image that cannot be had."""
    before = shown_count(shared_server, "type")
    with Stranger(answer(b"<svg/>")) as stranger:
        proxied = Proxied(shared_server, stranger)
        got = proxied.get(proxied.addresses()[0])
    assert got.status_code == 502
    assert got.headers["content-type"] == "application/problem+json"
    assert got.json()["type"] == "urn:rl-emails:problem:image-type"
    assert "images.example" not in got.text
    assert shown_count(shared_server, "type") == before + 1


@pytest.mark.parametrize("sealed", ["", "x", "A" * 100, "\x00", "%"])
def test_a_made_up_address(shared_server, sealed):
    """An open proxy: any address that somebody asks for."""
    got = httpx.get(shared_server.url + "/v1/images", params={"image": sealed})
    assert got.status_code == 404
    assert got.json()["type"] == "urn:rl-emails:problem:image-link-invalid"


def test_few_images_of_a_mailbox_are_fetched_at_a_time(shared_server):
    """A mail of a hundred slow images that takes every slot of the process, and its memory."""
    under_way, most = [0], [0]

    def say(connection, _):
        connection.sendall(answer(png()))

    with Stranger(say) as stranger:
        proxied = Proxied(shared_server, stranger, images=AT_A_TIME_A_MAILBOX * 3)
        proxy: ImageProxy = proxied.server.app.state.remote_images

        class Counting:
            async def fetch(self, url: str):
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
                try:
                    return await proxied.fetcher.fetch(url)
                finally:
                    under_way[0] -= 1

        proxy._fetcher = Counting()
        with ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(proxied.get, proxied.addresses()))
    assert {each.status_code for each in answers} == {200}
    assert 1 <= most[0] <= AT_A_TIME_A_MAILBOX
    assert len(proxy._turns) == 0


@pytest.mark.parametrize(
    "settings",
    [
        {"remote_images": False},
        {"remote_images_proxy": "http://127.0.0.1:1"},
        {"remote_images": False, "remote_images_proxy": "http://127.0.0.1:1", "remote_images_proxy_filters": True},
    ],
)
def test_where_addresses_cannot_be_checked_nothing_is_fetched(serve, engine, mailbox_id, home, settings):
    """Private addresses reached through an HTTP proxy that nobody said would refuse them."""
    server = serve(home=home, **settings)
    with server.client() as client:
        refused = client.get(f"/v1/messages/{seed_id('hostile')}/html", params={"images": "proxy"})
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:rl-emails:problem:remote-images-off")
        assert client.get(f"/v1/messages/{seed_id('hostile')}/html").status_code == 200
    made = server.app.state.remote_images.links.path(
        ImageLink(identity.LOCAL_ORGANIZATION, identity.LOCAL_USER, seed_id(OWNER), "http://a.example/")
    )
    got = httpx.get(server.url + made)
    assert (got.status_code, got.json()["type"]) == (409, "urn:rl-emails:problem:remote-images-off")


def test_a_proxy_of_the_environment_counts_and_one_that_filters_is_used(monkeypatch, home):
    """An environment's proxy overlooked, so that images are fetched past it."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:3128")
    assert not ImageProxy.of(Settings(home=home), CollectorRegistry()).is_on
    filtering = ImageProxy.of(Settings(home=home, remote_images_proxy_filters=True), CollectorRegistry())
    assert filtering._make_fetcher().proxy_url == "http://127.0.0.1:3128"
    monkeypatch.delenv("HTTPS_PROXY")
    direct = ImageProxy.of(Settings(home=home), CollectorRegistry())._make_fetcher()
    assert (direct.proxy_url, direct.ports) == (None, frozenset({80, 443}))
    assert not direct.is_allowed("127.0.0.1")
    assert direct.ssl_context.verify_mode == ssl.CERT_REQUIRED


def test_links_fit_into_the_query(home):
    """The longest address accepted, and refused again because it has grown."""
    made = ImageLinks(lambda: [KEY]).path(ImageLink(UUID(int=1), UUID(int=2), UUID(int=3), "x" * links.LONGEST_URL))
    assert len(token(made)) <= links.LONGEST_TOKEN


@pytest.mark.browser
def test_a_browser_shows_the_images_in_the_sandboxed_frame(shared_server, stranger):
    """Images that our own policies, the frame's missing cookie or its opaque origin keep out."""
    if not Path("/usr/bin/chromium").exists():
        pytest.skip("chromium is not installed: apt-get install chromium")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    proxied = Proxied(shared_server, stranger)
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{proxied.server.url}/?token={TOKEN}")
        page.evaluate(
            """(address) => {
                const frame = document.createElement("iframe");
                frame.setAttribute("sandbox", "allow-popups allow-popups-to-escape-sandbox");
                frame.src = address;
                document.body.append(frame);
            }""",
            f"/v1/messages/{proxied.message_id}/html?images=proxy",
        )
        shown = page.frame_locator(f"iframe[src*='{proxied.message_id}']").locator("img")
        shown.wait_for()
        size = shown.evaluate(
            "async (image) => { await image.decode(); return [image.naturalWidth, image.naturalHeight]; }"
        )
        browser.close()
    assert size == [20, 10]
    assert len(stranger.requests) == 1
    assert b"ookie" not in stranger.requests[0]
    assert b"127.0.0.1:" + proxied.server.url.rpartition(":")[2].encode() not in stranger.requests[0]
    assert [url for url in asked if not url.startswith((proxied.server.url, "data:"))] == []
