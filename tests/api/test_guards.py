"""What must not get in."""

import socket
from pathlib import Path

import pytest
from service_jobs import settings_at
from starlette.testclient import TestClient

from atunner.api import keys
from atunner.api.app import Serving, create
from atunner.api.guards import MAX_BODY
from atunner.api.keys import Scope
from atunner.api.serving import Place, new_key, serve
from atunner.core.errors import UserError

JOBS = "/api/v1/jobs"
TOY = {"task": {"kind": "toy"}, "budget": {"trials": 4}}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::", "localhost@evil.example"])
def test_another_host_is_refused(http: TestClient, host: str) -> None:
    assert http.get("/", headers={"host": host}).status_code == 421


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_page_of_another_origin_changes_nothing(http: TestClient, headers: dict[str, str]) -> None:
    answer = http.post(JOBS, json=TOY, headers=headers)

    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert http.get(JOBS).json()["total"] == 0


def test_a_form_without_any_sign_of_its_origin_is_refused(http: TestClient) -> None:
    assert http.post("/submit", data={"kind": "toy"}).status_code == 403


def test_an_oversized_body_is_refused(http: TestClient) -> None:
    declared = http.post(JOBS, content=b"x" * (MAX_BODY + 1), headers={"content-type": "application/json"})
    chunked = http.post(JOBS, content=iter([b"x" * MAX_BODY, b"x"]), headers={"content-type": "application/json"})

    assert (declared.status_code, chunked.status_code) == (413, 413)


@pytest.mark.parametrize(
    "path",
    [
        f"{JOBS}/../../../etc/passwd",
        f"{JOBS}/..%2f..%2fetc%2fpasswd",
        f"{JOBS}/%00",
        "/static/../app.py",
        "/static/..%2fapp.py",
        "/static/%2e%2e/keys.py",
        f"{JOBS}/{'0' * 16}/candidates/..%2f..%2fetc",
        f"{JOBS}?limit=99999999999999999999",
        f"{JOBS}?offset=-1",
        f"{JOBS}?sort=created;drop",
        f"{JOBS}/{'0' * 16}/events?after=99999999999999999999",
    ],
)
def test_paths_and_numbers_out_of_bounds_are_refused(http: TestClient, path: str) -> None:
    answer = http.get(path)

    assert answer.status_code in (404, 422), answer.text
    assert "root:" not in answer.text


def test_every_answer_has_the_security_headers(http: TestClient) -> None:
    for path in ("/", "/static/live.js", JOBS, "/nowhere"):
        headers = http.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_keys_have_scopes_and_only_hashes_are_kept(tmp_path: Path) -> None:
    settings = settings_at(tmp_path)
    read, full = (new_key(settings, n, s) for n, s in (("reader", ("read",)), ("boss", ("read", "submit", "admin"))))
    known = keys.read(tmp_path / "api-keys")
    app = create(settings, Serving(slots=0, keys=known))
    with TestClient(app, base_url="http://127.0.0.1") as http:
        as_reader, as_boss = ({"authorization": f"Bearer {key}"} for key in (read, full))
        job = http.post(JOBS, json=TOY, headers=as_boss).json()
        http.post(f"{JOBS}/{job['id']}/cancel", headers=as_boss)

        assert http.get(JOBS).status_code == 401
        assert http.get(JOBS, headers={"authorization": "Bearer wrong"}).status_code == 401
        assert http.get(JOBS, headers=as_reader).status_code == 200
        assert http.post(JOBS, json=TOY, headers=as_reader).status_code == 403
        assert http.delete(f"{JOBS}/{job['id']}", headers=as_reader).status_code == 403
        assert http.get(JOBS, auth=("", read)).status_code == 200
        assert http.get("/healthz").status_code == 200
        assert job["request"]["owner"] == "boss"
        assert http.delete(f"{JOBS}/{job['id']}", headers=as_boss).status_code == 204
    assert read not in (tmp_path / "api-keys").read_text()
    assert {k.name: k.scopes for k in known}["reader"] == {Scope.READ}


def test_a_key_file_that_others_read_is_refused(tmp_path: Path) -> None:
    new_key(settings_at(tmp_path), "one", ("read",))
    (tmp_path / "api-keys").chmod(0o644)

    with pytest.raises(UserError, match="chmod 600"):
        keys.read(tmp_path / "api-keys")


def test_beyond_loopback_needs_a_key(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--new-key"):
        serve(settings_at(tmp_path), Place(host="0.0.0.0"))


def test_a_port_in_use_names_the_flag(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UserError, match="--port"):
            serve(settings_at(tmp_path), Place(port=taken.getsockname()[1]))
