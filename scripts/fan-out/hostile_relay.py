#!/usr/bin/env python3
"""A relay that lies: passes on what its upstream says, except where its vice is.

    hostile_relay.py http://ADDRESS:PORT http://UPSTREAM:PORT corrupt|truncate|stall|replay FILE|directory DIR

corrupt: one byte of every large shard is another; truncate: every large shard ends in the middle; stall: falls silent
there; replay: the manifest in FILE is the latest for ever; directory: serves the files of DIR, another run's.
"""

import http.server
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

LARGE = 100_000


class Relay(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream = vice = detail = None

    def log_message(self, *_):
        pass

    def do_GET(self):
        try:
            self.answer()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def answer(self):
        if self.vice == "replay" and self.path.startswith("/manifests/latest"):
            time.sleep(0.2)
            return self.reply(200, open(self.detail, "rb").read())
        if self.vice == "directory" and self.path != "/health":
            path = os.path.join(self.detail, self.path.split("?")[0].strip("/"))
            time.sleep(0.05)
            return self.reply(200, open(path, "rb").read()) if os.path.isfile(path) else self.reply(404, b"")
        try:
            with urllib.request.urlopen(self.upstream + self.path, timeout=120) as response:
                return self.reply(response.status, response.read())
        except urllib.error.HTTPError as error:
            return self.reply(error.code, b"")
        except OSError:
            return self.reply(503, b"")

    def reply(self, status, body):
        is_victim = self.path.startswith("/shards/") and len(body) > LARGE and self.vice in ("corrupt", "truncate", "stall")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not is_victim:
            return self.wfile.write(body)
        half = len(body) // 2
        self.wfile.write(body[:half])
        if self.vice == "stall":
            time.sleep(3600)
        if self.vice == "corrupt":
            self.wfile.write(bytes([body[half] ^ 1]) + body[half + 1:])
        self.close_connection = True


def main():
    address, Relay.upstream, Relay.vice = sys.argv[1:4]
    Relay.detail = sys.argv[4] if len(sys.argv) > 4 else None
    place = urllib.parse.urlsplit(address)
    http.server.ThreadingHTTPServer.daemon_threads = True
    http.server.ThreadingHTTPServer((place.hostname, place.port), Relay).serve_forever()


if __name__ == "__main__":
    main()
