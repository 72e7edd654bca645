"""The rules for names, labels and ports, each as a function from the text to what is wrong with it.

After k8s.io/apimachinery/pkg/util/validation, whose words these are.
"""

import re
from collections.abc import Callable, Iterator

NameRule = Callable[[str], Iterator[str]]

LABEL_LENGTH = 63
SUBDOMAIN_LENGTH = 253
PORT_NAME_LENGTH = 15

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"
_PERCENT = "[0-9]+%"


def dns_label(text: str) -> Iterator[str]:
    """A label of a DNS name by RFC 1123, such as a namespace's or a container's name."""
    yield from _at_most(text, LABEL_LENGTH)
    if re.fullmatch(_SUBDOMAIN, text, re.ASCII) and "." in text:
        yield "must not contain dots"
        return
    yield from _matches(
        text,
        _LABEL,
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
        "and must start and end with an alphanumeric character",
        "my-name",
        "123-abc",
    )


def dns_subdomain(text: str, unit: str = "characters") -> Iterator[str]:
    """A DNS name by RFC 1123, such as most objects' names. unit: in which its length is told."""
    yield from _at_most(text, SUBDOMAIN_LENGTH, unit)
    yield from _matches(
        text,
        _SUBDOMAIN,
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
        "and must start and end with an alphanumeric character",
        "example.com",
    )


def dns_1035_label(text: str) -> Iterator[str]:
    """A label by RFC 1035, which begins with a letter: the names of a definition."""
    yield from _at_most(text, LABEL_LENGTH)
    yield from _matches(
        text,
        _LABEL_1035,
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', "
        "start with an alphabetic character, and end with an alphanumeric character",
        "my-name",
        "abc-123",
    )


def qualified_name(text: str) -> Iterator[str]:
    """A key of a label or annotation: a name with an optional DNS name before a slash."""
    words = "must consist of alphanumeric characters, '-', '_' or '.', " + (
        "and must start and end with an alphanumeric character"
    )
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        found = _regex_words(f"a valid label key {words}", _QUALIFIED, "MyName", "my.name", "123-abc")
        yield f"{found} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return
    if slash and not prefix:
        yield "prefix part must be non-empty"
    elif slash:
        yield from (f"prefix part {problem}" for problem in dns_subdomain(prefix, "bytes"))
    if not name:
        yield "name part must be non-empty"
    yield from (f"name part {problem}" for problem in _at_most(name, LABEL_LENGTH, "bytes"))
    yield from _matches(name, _QUALIFIED, f"name part {words}", "MyName", "my.name", "123-abc")


def label_value(text: str) -> Iterator[str]:
    """A label's value; it may be empty."""
    yield from _at_most(text, LABEL_LENGTH, "bytes")
    yield from _matches(
        text,
        _LABEL_VALUE,
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
        "and must start and end with an alphanumeric character",
        "MyValue",
        "my_value",
        "12345",
    )


def config_key(text: str) -> Iterator[str]:
    """A key of a ConfigMap's or Secret's data."""
    yield from _at_most(text, SUBDOMAIN_LENGTH)
    words = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
    yield from _matches(text, _CONFIG_KEY, words, "key.name", "KEY_NAME", "key-name")
    if text == ".":
        yield "must not be '.'"
    elif text.startswith(".."):
        yield "must not be '..'" if text == ".." else "must not start with '..'"


def variable_name(text: str) -> Iterator[str]:
    """An environment variable's name."""
    if not re.fullmatch(r"[ -<>-~]+", text):
        yield (
            "a valid environment variable name must consist only of printable ASCII characters other than '='"
        )


def port_name(text: str) -> Iterator[str]:
    """The name of a container's port (RFC 6335)."""
    if len(text) > PORT_NAME_LENGTH:
        yield f"must be no more than {PORT_NAME_LENGTH} characters"
    if not re.fullmatch("[-a-z0-9]+", text):
        yield "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
    if not re.search("[a-z]", text):
        yield "must contain at least one letter (a-z)"
    if "--" in text:
        yield "must not contain consecutive hyphens"
    if text.startswith("-") or text.endswith("-"):
        yield "must not begin or end with a hyphen"


def port_number(number: int) -> Iterator[str]:
    """A TCP, UDP or SCTP port."""
    if not 1 <= number <= 65535:
        yield "must be between 1 and 65535, inclusive"


def percent(text: str) -> Iterator[str]:
    """A share such as 25%."""
    words = "a valid percent string must be a numeric string followed by an ending '%'"
    yield from _matches(text, _PERCENT, words, "1%", "93%")


def _at_most(text: str, limit: int, unit: str = "characters") -> Iterator[str]:
    if len(text.encode()) > limit:
        yield f"must be no more than {limit} {unit}"


def _matches(text: str, pattern: str, words: str, *examples: str) -> Iterator[str]:
    if not re.fullmatch(pattern, text, re.ASCII):
        yield _regex_words(words, pattern, *examples)


def _regex_words(words: str, pattern: str, *examples: str) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{words} (e.g. {shown}regex used for validation is '{pattern}')"
