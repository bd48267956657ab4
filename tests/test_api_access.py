"""The door: closed by default, and nothing tells the token."""

import logging
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from api_world import TOKEN, World, add_wearer

from api.access import COOKIE, Doorkeeper, load_or_create_token
from api.app import make_server
from api.errors import Invalid


def test_a_token_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "admin-token"
    token = load_or_create_token(path)
    assert len(token) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert load_or_create_token(path) == token
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_create_token(tmp_path / "other") != token


def test_an_empty_token_opens_nothing(tmp_path: Path) -> None:
    path = tmp_path / "admin-token"
    path.write_text("\n")
    with pytest.raises(Invalid, match="Delete the file"):
        load_or_create_token(path)
    with pytest.raises(Invalid):
        Doorkeeper("")


def test_everything_is_closed_but_the_few(world: World) -> None:
    closed = sorted(world.app.openapi()["paths"])
    with world.client(signed_in=False) as http:
        for path in [*closed, "/", "/api/v1/openapi.json", "/docs", "/nowhere", "/api/v1/nowhere", "//livez"]:
            if path in {"/livez", "/readyz"}:
                continue
            for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"):
                response = http.request(method, path)
                assert response.status_code == 401, (method, path)
                assert response.headers["www-authenticate"].startswith("Bearer")
        for path in ("/livez", "/readyz", "/static/style.css", "/static/icon.svg"):
            assert http.get(path).status_code == 200


@pytest.mark.parametrize(
    "value",
    ["Bearer wrong", "Bearer ", "", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer \xff"],
)
def test_a_wrong_token_does_not_open(world: World, value: str) -> None:
    with world.client(signed_in=False) as http:
        response = http.get("/api/v1/wearers", headers={"Authorization": value.encode("latin-1")})
        assert response.status_code == 401
        assert response.headers["content-type"] == "application/problem+json"


def test_a_browser_signs_in_by_link_and_never_keeps_the_token(world: World) -> None:
    with world.client(signed_in=False) as http:
        response = http.get("/signin", params={"token": TOKEN})
        assert (response.status_code, response.headers["location"]) == (303, "/")
        cookie = response.headers["set-cookie"]
        assert TOKEN not in cookie
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
        assert http.get("/").status_code == 200
        assert http.get("/api/v1/wearers").status_code == 200
        out = http.post("/signout", headers={"Origin": "http://charley.test"})
        assert out.status_code == 303
        assert http.get("/api/v1/wearers").status_code == 401


def test_a_browser_without_a_session_gets_the_form(world: World) -> None:
    with world.client(signed_in=False) as http:
        page = http.get("/", headers={"Accept": "text/html"})
        assert page.status_code == 401
        assert 'action="/signin"' in page.text
        for place in ("<code>admin-token</code>", "<code>data</code>", "CHARLEY_DATA_DIR", "<code>charley demo</code>"):
            assert place in page.text
        assert "printed when the service started" not in page.text
        wrong = http.post("/signin", data={"token": "<b>wrong</b>"})
        assert wrong.status_code == 401
        assert "not the token" in wrong.text
        assert "<b>" not in wrong.text
        assert http.post("/signin", data={"token": TOKEN}).status_code == 303
        assert http.post("/signin", content=b"x" * 5000).status_code == 422
        assert http.get("/signin", params={"token": "wrong"}).status_code == 401


def test_a_cookie_is_secure_behind_tls(world: World) -> None:
    with world.client(signed_in=False) as http:
        response = http.get("https://charley.test/signin", params={"token": TOKEN})
        assert "Secure" in response.headers["set-cookie"]


def test_sessions_end_and_cannot_be_made_up(world: World) -> None:
    doorkeeper = Doorkeeper(TOKEN)
    session = doorkeeper.new_session(now_s=1000)
    assert doorkeeper.knows_session(session, now_s=1000 + 30 * 86_400 - 1)
    assert not doorkeeper.knows_session(session, now_s=1000 + 30 * 86_400)
    expiry, nonce, signature = session.split(".")
    for forged in (f"{int(expiry) + 1}.{nonce}.{signature}", f"x.{nonce}.{signature}", "", ".", "..", signature):
        assert not doorkeeper.knows_session(forged, now_s=1000)
    assert not Doorkeeper("another-token-0123456789").knows_session(session, now_s=1000)
    with world.client(signed_in=False) as http:
        for value in (session, "1.2.3", '"'):
            http.cookies.clear()
            assert http.get("/api/v1/wearers", headers={"Cookie": f"{COOKIE}={value}"}).status_code == 401


def test_another_site_cannot_change_anything_in_my_name(world: World) -> None:
    body = {"name": "Eve", "zone": "Europe/Berlin"}
    with world.client(signed_in=False) as http:
        http.get("/signin", params={"token": TOKEN})
        for headers in ({}, {"Origin": "http://evil.test"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            assert http.post("/api/v1/wearers", json=body, headers=headers).status_code == 401
        own = {"Origin": "http://charley.test"}
        assert http.post("/api/v1/wearers", json=body, headers=own).status_code == 201


def test_every_answer_bears_the_security_headers(world: World) -> None:
    with world.client() as http:
        add_wearer(http, "<script>alert(1)</script>")
        for path in ("/", "/signin", "/livez", "/api/v1/wearers", "/api/v1/nowhere", "/static/page.js"):
            headers = http.get(path).headers
            policy = headers["content-security-policy"]
            assert "script-src 'self'" in policy
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["cache-control"] == "private, no-cache"


def test_pages_hold_no_inline_scripts_styles_or_foreign_addresses(world: World) -> None:
    folder = Path(__file__).parents[1] / "api" / "web"
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()]
    with world.client() as http:
        texts += [http.get("/").text, http.get("/signin").text]
    assert len(texts) > 8
    for text in texts:
        stripped = text.replace("http://www.w3.org/2000/svg", "")
        assert "http://" not in stripped
        assert "https://" not in stripped
        for inline in ("<style", " style=", " onclick=", "javascript:", "<script>", "innerHTML"):
            assert inline not in stripped


@contextmanager
def running(server: uvicorn.Server) -> Iterator[int]:
    """The server on a free port, in a thread."""
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline and thread.is_alive():
        thread.join(0.02)
    try:
        yield int(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def access_log() -> Iterator[None]:
    """uvicorn switches its access log off for the whole process: give it back."""
    logger = logging.getLogger("uvicorn.access")
    before = logger.propagate
    logger.propagate = True
    yield
    logger.propagate = before


@pytest.mark.usefixtures("access_log")
@pytest.mark.parametrize("careless", [False, True])
def test_the_token_of_a_link_is_never_logged(
    world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], *, careless: bool
) -> None:
    """Not even by a server that was started with its access log on."""
    caplog.set_level(logging.DEBUG)
    if careless:
        config = uvicorn.Config(world.app, host="127.0.0.1", port=0, log_config=None, access_log=True, lifespan="off")
        server = uvicorn.Server(config)
    else:
        server = make_server(world.app, host="127.0.0.1", port=0)
    with running(server) as port, httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
        assert http.get("/livez").status_code == 200
        assert http.get("/signin", params={"token": TOKEN}).status_code == 303
        assert ("server" in http.get("/").headers) == careless
    own = [record.getMessage() for record in caplog.records if record.name.startswith(("uvicorn", "api"))]
    output = capfd.readouterr()
    assert not any(TOKEN in text for text in [*own, output.out, output.err])
    assert any("/signin" in text for text in own) == careless
