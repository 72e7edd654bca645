"""Functions that rules in CEL have in Kubernetes besides those of the language: addresses, URLs, expressions.

After https://kubernetes.io/docs/reference/using-api/cel/#kubernetes-cel-libraries. What is not here
(quantities, formats, parts of URLs) is refused by name when a definition is written.
"""

import ipaddress
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit


def declarations(cel: Any) -> list[Any]:
    """Return the functions as the evaluator (its module `cel`) takes them."""
    text, texts, number, truth = cel.Type.STRING, cel.Type.List(cel.Type.STRING), cel.Type.INT, cel.Type.BOOL

    def function(name: str, returned: Any, given: list[Any], does: Callable[..., Any], member: bool) -> Any:
        identity = f"{name}_{len(given)}"
        return cel.FunctionDecl(name, [cel.Overload(identity, returned, given, member, does)])

    return [
        function("isIP", truth, [text], _succeeds(_address), False),
        function("ip", text, [text], _address, False),
        function("family", number, [text], lambda address: ipaddress.ip_address(address).version, True),
        function("isCIDR", truth, [text], _succeeds(_network), False),
        function("isURL", truth, [text], _is_url, False),
        function("find", text, [text, text], _find, True),
        function("findAll", texts, [text, text], _find_all, True),
    ]


def _succeeds(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def does(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return does


def _address(text: str) -> str:
    return str(ipaddress.ip_address(text))


def _network(text: str) -> str:
    if "/" not in text:
        raise ValueError(f"{text} has no prefix")
    return str(ipaddress.ip_interface(text))


def _is_url(text: str) -> bool:
    try:
        return bool(urlsplit(text).scheme) or text.startswith("/")
    except ValueError:
        return False


def _find(text: str, pattern: str) -> str:
    found = re.search(pattern, text)
    return found[0] if found else ""


def _find_all(text: str, pattern: str) -> list[str]:
    return [found[0] for found in re.finditer(pattern, text)]
