"""The protocol's types as the browser's half is checked against them: view/protocol.d.ts.

`python tests/unit/protocol_types.py` writes it anew; test_live_protocol.py holds it.
"""

import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from msgspec import Struct
from msgspec import inspect as kinds

from kata_lib.lab.live import protocol, settings
from kata_lib.machine import PROJECT
from kata_lib.pictures.plots import Style

FILE = PROJECT / "kata_lib" / "lab" / "live" / "view" / "protocol.d.ts"
HEAD = "// Written by tests/unit/protocol_types.py from settings.py and protocol.py in kata_lib/lab/live.\n"
NAMED = {"Message": protocol.Message, "News": protocol.News}
PLAIN: dict[Any, str] = {
    kinds.StrType: "string",
    kinds.IntType: "number",
    kinds.FloatType: "number",
    kinds.BoolType: "boolean",
    kinds.NoneType: "null",
}


def typescript() -> str:
    """Return each of the protocol's types as TypeScript."""
    found = [Style, *_structs(settings), *_structs(protocol)]
    unions = [f"export type {name} = {_name(kinds.type_info(union))};\n" for name, union in NAMED.items()]
    return "\n".join([HEAD, *(_declared(kinds.type_info(struct)) for struct in found), *unions])


def _structs(module: ModuleType) -> list[type[Struct]]:
    """Return the types that a module declares for others, in its order."""
    classes = [c for c in vars(module).values() if inspect.isclass(c) and issubclass(c, Struct)]
    return [c for c in classes if c.__module__ == module.__name__ and not c.__name__.startswith("_")]


def _declared(info: Any) -> str:
    name, words = info.cls.__name__, "\n * ".join(filter(None, (inspect.getdoc(info.cls) or "").splitlines()))
    fields = "".join(f"  {line};\n" for line in _fields(info))
    if getattr(info, "array_like", False):
        body = ", ".join(f"{field.name}: {_name(field.type)}" for field in info.fields)
        return f"/** {words} */\nexport type {name} = [{body}];\n"
    return f"/** {words} */\nexport interface {name} {{\n{fields}}}\n"


def _fields(info: Any) -> Iterator[str]:
    if getattr(info, "tag", None):
        yield f'{info.tag_field}: "{info.tag}"'
    for field in info.fields:
        yield f"{field.name}{'' if field.required else '?'}: {_name(field.type)}"


def _name(kind: Any) -> str:
    """Return what TypeScript calls a type."""
    match kind:
        case kinds.StructType() | kinds.DataclassType():
            return str(kind.cls.__name__)
        case kinds.UnionType():
            return " | ".join(map(_name, kind.types))
        case kinds.LiteralType():
            return " | ".join(str(value).lower() if value is True else f'"{value}"' for value in kind.values)
        case kinds.ListType() | kinds.VarTupleType():
            return f"{_name(kind.item_type)}[]"
        case kinds.TupleType():
            return f"[{', '.join(map(_name, kind.item_types))}]"
        case kinds.DictType():
            return f"Record<string, {_name(kind.value_type)}>"
        case kinds.Metadata():
            return _name(kind.type)
    return PLAIN[type(kind)]


if __name__ == "__main__":
    FILE.write_text(typescript())
