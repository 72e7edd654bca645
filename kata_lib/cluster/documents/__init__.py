"""Manifests as kubectl reads them: text or bytes go in, JSON values come out.

`stream` splits a text into its documents, `nodes` composes one document, `values` makes JSON of its nodes,
`scalars` has the meaning of plain scalars, `json_text` reads JSON. kubectl's reader, go-yaml v2 in
sigs.k8s.io/yaml, is a translation of libyaml: the grammar is PyYAML's; the meaning of scalars, keys, merges
and aliases is not.
"""

from kata_lib.cluster.documents.json_text import count, read_json
from kata_lib.cluster.documents.stream import documents, read_yaml
from kata_lib.cluster.documents.words import MAX_DEPTH, TooMany, Unreadable

__all__ = ["MAX_DEPTH", "TooMany", "Unreadable", "count", "documents", "read_json", "read_yaml"]
