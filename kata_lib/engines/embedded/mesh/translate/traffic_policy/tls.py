"""trafficPolicy.tls: pods of this engine speak plain text, so only switching it off is understood."""

from kata_lib.engines.embedded.mesh.translate.fields import OneOf, Tree

FIELDS: Tree = {"mode": OneOf(("DISABLE",))}
