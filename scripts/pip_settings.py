"""What a person has set up for pip (index, proxy, certificates, ...), in uv's words.

`pip config list` has all of it, from pip.conf and from the environment. A setting that uv has no word for is
not passed over: then pip has to install.
"""

import ast
import re
from collections.abc import Mapping

SECTIONS = ("global", "install", ":env:")
"""What holds for `pip install`; the later goes before the earlier, as with pip."""

VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "no-index": "UV_NO_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "retries": "UV_HTTP_RETRIES",
    "no-cache-dir": "UV_NO_CACHE",
}
"""pip's settings, and what uv reads in their place."""

OF_NO_CONSEQUENCE = frozenset(
    (
        *("config-file", "disable-pip-version-check", "no-input", "no-python-version-warning"),
        *("quiet", "verbose", "no-color", "progress-bar", "root-user-action", "no-warn-script-location"),
        *("compile", "no-compile", "user", "no-user", "require-virtualenv", "break-system-packages"),
        *("upgrade-strategy", "prefer-binary", "only-binary"),
    )
)
"""Settings that change nothing where a whole lock file is installed into an environment of its own."""


def for_uv(listed: str, environment: Mapping[str, str]) -> dict[str, str] | None:
    """Return the variables that tell uv what pip is told, or None where only pip can do as it is told.

    listed: what `pip config list` printed. environment: this process's variables.
    """
    settings = parsed(listed)
    if settings.keys() - VARIABLES.keys() - OF_NO_CONSEQUENCE:
        return None
    # pip trusts what the machine trusts, and takes the best version of all its indexes.
    found = {"UV_SYSTEM_CERTS": "1", "UV_INDEX_STRATEGY": "unsafe-best-match", "UV_NO_CONFIG": "1"}
    for name, value in settings.items():
        if name in VARIABLES:
            found |= _variables(name, value)
    if "proxy" not in settings:  # with which pip asks the environment for nothing
        bundle = environment.get("REQUESTS_CA_BUNDLE") or environment.get("CURL_CA_BUNDLE")
        found |= {"SSL_CERT_FILE": bundle} if bundle else {}
    return found


def parsed(listed: str) -> dict[str, str]:
    """Return each setting that holds for `pip install`, by its name; one that is empty holds nothing."""
    lines = re.findall(r"^([\w:-]+)\.([\w-]+)=(.+)$", listed, re.MULTILINE)
    found = {
        name: str(ast.literal_eval(value))
        for wanted in SECTIONS
        for section, name, value in lines
        if section == wanted
    }
    return {name: value for name, value in found.items() if value}


def _variables(name: str, value: str) -> dict[str, str]:
    variable = VARIABLES[name]
    match name:
        case "proxy":
            proxy = value if "://" in value else f"http://{value}"
            return dict.fromkeys((variable, "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy)
        case "no-index" | "no-cache-dir":
            return {variable: "1"} if value.lower() in ("1", "true", "yes", "on", "y", "t") else {}
        case "find-links":
            return {variable: ",".join(value.split())}
    return {variable: " ".join(value.split())}
