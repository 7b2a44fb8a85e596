#!/usr/bin/env python3
"""A fake API server on 127.0.0.1 for tests/unit/t_api.c. It is not Kubernetes: each list has made-up items.
The first part of the path says in which way it goes wrong: https://127.0.0.1:PORT/html answers with a web page.

    fake.py CERT KEY     prints PORT, serves HTTPS until its standard input ends
"""
import http.server
import json
import os
import ssl
import sys
import threading
import time
import urllib.parse

SEEN = {}  # (mode, path) -> requests so far


def page(names, token=""):
    return {"kind": "ThingList", "apiVersion": "v1", "metadata": {"continue": token},
            "items": [{"metadata": {"name": n, "continue": "not-this-one"}} for n in names]}


def status(code, message, token=""):
    return code, {"kind": "Status", "status": "Failure", "code": code, "message": message, "metadata": {"continue": token}}


def paged(query):
    """Three pages; the tokens need escaping in a URL, and JSON escapes one of them."""
    token = query.get("continue", [""])[0]
    if query.get("limit") != ["500"]:
        return status(400, "limit is missing")
    order = {"": (["a"], "t/1+=&"), "t/1+=&": (["b"], "t\"2"), "t\"2": (["c"], "")}
    return (200, page(*order[token])) if token in order else status(400, "bad token")


def gone(query, token):
    """The second page has expired; its Status may bring a token to go on with."""
    asked = query.get("continue", [""])[0]
    if asked == "go-on" or "limit" not in query:
        return 200, page(["b"])
    return status(410, "expired", token) if asked else (200, page(["a"], "old"))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def send(self, code, body, kind="application/json", **headers):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        url = urllib.parse.urlparse(self.path)
        mode, _, path = url.path[1:].partition("/")
        count = SEEN[mode, path] = SEEN.get((mode, path), 0) + 1
        query = urllib.parse.parse_qs(url.query)
        way = getattr(self, "way_" + mode, None)
        if way is None or not way("/" + path, query, count):
            self.send(200, {"gitVersion": "v0.0.0-fake"} if path == "version" else page(["x"]))

    def way_html(self, path, query, count):
        self.send(200, b"<html>please log in</html>", "text/html")
        return True

    def way_cut(self, path, query, count):
        if path != "/version":
            self.send(200, json.dumps(page(["x"] * 50)).encode()[:700])
        return path != "/version"

    def way_unauthorized(self, path, query, count):
        self.send(*status(401, "Unauthorized \x1b[31mred"))
        return True

    def way_forbidden(self, path, query, count):
        if path.endswith("/pods") or path.endswith("/events"):
            self.send(*status(403, "cannot list \x1b[31m things"))
            return True

    def way_paged(self, path, query, count):
        if path.endswith("/pods"):
            self.send(*paged(query))
            return True

    def way_gone(self, path, query, count):
        if path.endswith("/pods"):
            self.send(*gone(query, "go-on"))
            return True

    def way_gonehard(self, path, query, count):
        if path.endswith("/pods"):
            self.send(*gone(query, ""))
            return True

    def way_throttle(self, path, query, count):
        if path.endswith("/pods") and count == 1:
            self.send(*status(429, "slow down"), Retry_After="1")
            return True

    def way_hang(self, path, query, count):
        if path.endswith("/pods"):
            time.sleep(20)
            return True

    def way_kind(self, path, query, count):
        if path.endswith("/pods"):
            self.send(200, {"kind": "Pod", "metadata": {"name": "x"}})
            return True

    def way_who(self, path, query, count):
        want = {"Authorization": "Bearer s3cret", "Impersonate-User": "jane", "Impersonate-Extra-a%2fb": "c"}
        if any(self.headers.get(k) != v for k, v in want.items()) or \
                self.headers.get_all("Impersonate-Group") != ["dev", "ops"]:
            self.send(*status(401, "wrong headers"))
            return True


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64  # with Python's 5, eight connections at once lose one for a second

    def handle_error(self, request, client_address):
        pass  # clients that do not trust us, or hang up, are what the tests are about


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    os.write(1, b"%d\n" % server.server_address[1])  # one write, whatever PYTHONUNBUFFERED says
    server.serve_forever()


main()
