"""An application that answers with what it was asked, as JSON: who it is, the path and the headers."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            headers[name.lower()] = ",".join(filter(None, (headers.get(name.lower()), value)))
        seen = {"pod": os.environ["HOSTNAME"], "path": self.path, "headers": headers}
        body = json.dumps(seen).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    place = os.environ["LISTEN_ADDRESS"], int(os.environ.get("PORT", "8080"))
    ThreadingHTTPServer(place, Echo).serve_forever()
