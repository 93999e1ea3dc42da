"""Who may look: the whole table of routes, with and without a token, from here and elsewhere."""

from __future__ import annotations

import http.cookies
import json

import pytest

from streamgauge.console.access import OPEN, SIGN_IN, Access
from streamgauge.ingest.tokens import TokenError
from tests.console.serving import serving

TOKEN, OTHER, OPERATOR, ADMIN = "a" * 40, "b" * 40, "o" * 40, "c" * 40
GUARDED = [
    "/",
    "/static/app.js",
    "/api/fleet",
    "/api/model?model=fraud",
    "/api/feature?model=fraud&feature=x",
    "/api/alarms",
    "/api/pipeline",
    "/api/start",
    "/api/stream",
    "/api/session",
    "/nothing",
]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org"])
def test_a_host_that_others_reach_needs_a_token(host: str) -> None:
    with pytest.raises(TokenError, match=r"STREAMGAUGE_EXPORTER__TOKEN_FILE"):
        Access(host=host)
    Access(host=host, token=TOKEN)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.9.1"])
def test_this_machine_needs_none(host: str) -> None:
    Access(host=host)


def test_a_token_that_is_guessed_soon_is_refused_and_not_repeated() -> None:
    with pytest.raises(TokenError) as refused:
        Access(host="0.0.0.0", token=f"{TOKEN} hunter2")
    assert "hunter2" not in str(refused.value)


def test_a_mistake_in_a_roles_tokens_says_whose() -> None:
    with pytest.raises(TokenError, match=r"exporter\.operator_token: token 1 is shorter"):
        Access(host="0.0.0.0", token=TOKEN, operator_token="hunter2")
    with pytest.raises(TokenError, match=r"exporter\.token and exporter\.admin_token") as refused:
        Access(host="0.0.0.0", token=TOKEN, admin_token=f"{OTHER} {TOKEN}")
    assert TOKEN not in str(refused.value)
    # One role's tokens are enough
    Access(host="0.0.0.0", admin_token=ADMIN)


@pytest.mark.parametrize("path", GUARDED)
def test_without_the_token_nothing_is_shown(path: str) -> None:
    with serving(token=TOKEN) as console:
        for header in ({}, {"Authorization": f"Bearer {OTHER}"}, {"Cookie": "streamgauge=x"}):
            status, body, headers = console.ask(path, headers=header)
            assert status == 401
            assert b"rows" not in body
            assert "Set-Cookie" not in headers


@pytest.mark.parametrize("path", sorted(OPEN | SIGN_IN))
def test_probes_scrapers_and_the_form_have_none(path: str) -> None:
    with serving(token=TOKEN) as console:
        assert console.ask(path)[0] == 200


def test_each_of_several_tokens_is_taken() -> None:
    with serving(token=f"{TOKEN}\n{OTHER}") as console:
        for token in (TOKEN, OTHER):
            headers = {"Authorization": f"Bearer {token}"}
            assert console.ask("/api/fleet", headers=headers)[0] == 200


def test_signing_in_gives_a_cookie_that_holds_no_token() -> None:
    with serving(token=TOKEN) as console:
        # Given a browser, which is shown the form in place of the page
        status, body, headers = console.ask("/")
        assert status == 401
        assert b'id="signin"' in body
        assert headers["Content-Security-Policy"].startswith("default-src 'self'")
        # When it shows the token once
        headers = {"Authorization": f"Bearer {TOKEN}"}
        status, body, answered = console.ask("/api/session", headers=headers)
        assert (status, json.loads(body)) == (200, {"role": "viewer"})
        (morsel,) = http.cookies.SimpleCookie(answered["Set-Cookie"]).values()
        assert morsel["httponly"] and morsel["samesite"] == "Strict" and morsel["path"] == "/"
        assert TOKEN not in answered["Set-Cookie"]
        # Then the cookie is enough
        cookie = {"Cookie": f"{morsel.key}={morsel.value}"}
        assert b"app.js" in console.ask("/", headers=cookie)[1]
        assert console.ask("/api/fleet", headers=cookie)[0] == 200
    # and outlives a restart, but not its token
    with serving(token=f"{OTHER} {TOKEN}") as console:
        assert console.ask("/api/fleet", headers=cookie)[0] == 200
    with serving(token=OTHER) as console:
        assert console.ask("/api/fleet", headers=cookie)[0] == 401


@pytest.mark.parametrize(
    ("token", "role"), [(TOKEN, "viewer"), (OPERATOR, "operator"), (ADMIN, "admin")]
)
def test_a_session_has_the_role_of_its_token(token: str, role: str) -> None:
    operators = f"{OTHER} {OPERATOR}"
    with serving(token=TOKEN, operator_token=operators, admin_token=ADMIN) as console:
        headers = {"Authorization": f"Bearer {token}"}
        _, body, answered = console.ask("/api/session", headers=headers)
        assert json.loads(body) == {"role": role}
        (morsel,) = http.cookies.SimpleCookie(answered["Set-Cookie"]).values()
        cookie = {"Cookie": f"{morsel.key}={morsel.value}"}
        assert json.loads(console.ask("/api/session", headers=cookie)[1]) == {"role": role}
        assert console.ask("/api/alarms", headers=cookie)[0] == 200
        # A token of more wins over an older cookie, so that a person can sign in anew
        both = {**cookie, "Authorization": f"Bearer {ADMIN}"}
        assert json.loads(console.ask("/api/session", headers=both)[1]) == {"role": "admin"}


def test_who_is_on_this_machine_without_tokens_may_do_all() -> None:
    with serving() as console:
        assert json.loads(console.ask("/api/session")[1]) == {"role": "admin"}


@pytest.mark.parametrize("scheme", ["https", "HTTPS", "https, http"])
def test_behind_tls_the_cookie_is_sent_over_it_alone(scheme: str) -> None:
    with serving(token=TOKEN) as console:
        headers = {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-Proto": scheme}
        assert "Secure" in console.ask("/api/session", headers=headers)[2]["Set-Cookie"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:9808", 200),
        ("LOCALHOST", 200),
        ("[::1]:9808", 200),
        ("evil.example", 403),
        ("127.0.0.1.evil.example:9808", 403),
        ("localhost.evil.example", 403),
        ("", 403),
    ],
)
def test_a_name_that_was_made_to_mean_this_machine_is_refused(host: str, status: int) -> None:
    with serving() as console:
        for path in ("/api/fleet", "/", "/metrics", "/api/stream?screen=nothing"):
            expected = 404 if status == 200 and "nothing" in path else status
            assert console.ask(path, headers={"Host": host})[0] == expected


def test_without_tokens_there_is_nothing_to_sign_in_to() -> None:
    with serving() as console:
        assert "Set-Cookie" not in console.ask("/api/session")[2]
