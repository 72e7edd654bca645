"""scripts/pip_settings.py: what uv is told of a person's pip settings, and when pip must install."""

import pip_settings
import pytest

ALWAYS = {"UV_SYSTEM_CERTS": "1", "UV_INDEX_STRATEGY": "unsafe-best-match", "UV_NO_CONFIG": "1"}
PROXY = "http://proxy.example:3128"
PROXIES = dict.fromkeys(("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), PROXY)


@pytest.mark.parametrize(
    ("listed", "told"),
    [
        ("", {}),
        ("global.index-url='https://a.example/simple'", {"UV_DEFAULT_INDEX": "https://a.example/simple"}),
        (
            "install.extra-index-url='https://a.example\\nhttps://b.example'",
            {"UV_INDEX": "https://a.example https://b.example"},
        ),
        ("global.find-links='/wheels\\n/others'", {"UV_FIND_LINKS": "/wheels,/others"}),
        ("global.no-index='true'", {"UV_NO_INDEX": "1"}),
        ("global.no-index='false'", {}),
        (":env:.no-cache-dir='1'", {"UV_NO_CACHE": "1"}),
        (":env:.proxy='proxy.example:3128'", PROXIES),
        (":env:.cert='/ca.pem'", {"SSL_CERT_FILE": "/ca.pem"}),
        ("user.cert='/ca.pem'", {}),
        (
            ":env:.default-timeout='180'\n:env:.retries='2'",
            {"UV_HTTP_TIMEOUT": "180", "UV_HTTP_RETRIES": "2"},
        ),
        ("For variant 'global', will try loading '/etc/pip.conf'\n:env:.quiet='1'\n:env:.cert=''", {}),
    ],
)
def test_uv_is_told_what_pip_is_told(listed: str, told: dict[str, str]) -> None:
    assert pip_settings.for_uv(listed, {}) == ALWAYS | told


def test_a_commands_own_setting_goes_before_the_general_one_and_a_variable_before_both() -> None:
    listed = [":env:.cert='/1'", "install.cert='/2'", "global.cert='/3'", "download.cert='/4'"]
    for first in range(3):
        assert pip_settings.parsed("\n".join(listed[first:])) == {"cert": f"/{first + 1}"}


def test_certificates_of_every_program_go_before_pips_own_unless_it_has_a_proxy() -> None:
    variables = {"CURL_CA_BUNDLE": "/second.pem", "REQUESTS_CA_BUNDLE": "/first.pem"}
    listed = ":env:.cert='/pip.pem'\n"
    for settings, bundle in ((listed, "/first.pem"), (f"{listed}:env:.proxy='{PROXY}'", "/pip.pem")):
        told = pip_settings.for_uv(settings, variables)
        assert told
        assert told["SSL_CERT_FILE"] == bundle


@pytest.mark.parametrize("setting", ["global.constraint='c.txt'", ":env:.keyring-provider='subprocess'"])
def test_pip_installs_where_a_setting_has_no_word_in_uv(setting: str) -> None:
    assert pip_settings.for_uv(setting, {}) is None
