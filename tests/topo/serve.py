#!/usr/bin/env python3
# serve.py: what listens in a pod of the topology: HTTP on 8080 (GET /bulk/N: N bytes) and DNS on 53, both transports.
# One process and one thread a listener, no logging; ends when it is killed.
import http.server
import socketserver
import struct
import sys
import threading

# a name that ends so gets that code; every other name is 10.96.0.1
RCODES = {b"missing": 3, b"broken": 2, b"forbidden": 5}


class Http(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        parts = self.path.split("/")
        n = int(parts[2]) if len(parts) == 3 and parts[1] == "bulk" and parts[2].isdigit() else 3
        self.send_response(200)
        self.send_header("Content-Length", str(n))
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            self.wfile.write(b"x" * n)
        except OSError:
            pass

    def log_message(self, *args):
        pass


def answer(query):
    """One A record for the first question, or the code that its last label asks for; AAAA: no data."""
    end, last = 12, b""
    while query[end]:
        last = query[end + 1:end + 1 + query[end]]
        end += 1 + query[end]
    end += 5
    qtype = struct.unpack("!H", query[end - 4:end - 2])[0]
    rcode = RCODES.get(last, 0)
    record = b""
    if rcode == 0 and qtype == 1:
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 5, 4) + bytes([10, 96, 0, 1])
    flags = 0x8580 | rcode
    return query[:2] + struct.pack("!HHHHH", flags, 1, 1 if record else 0, 0, 0) + query[12:end] + record


class DnsUdp(socketserver.BaseRequestHandler):
    def handle(self):
        data, sock = self.request
        if len(data) > 16:
            sock.sendto(answer(data), self.client_address)


class DnsTcp(socketserver.StreamRequestHandler):
    def handle(self):
        head = self.rfile.read(2)
        if len(head) == 2:
            data = self.rfile.read(struct.unpack("!H", head)[0])
            if len(data) > 16:
                reply = answer(data)
                self.wfile.write(struct.pack("!H", len(reply)) + reply)


class Quiet(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # a client that went away


class QuietUdp(socketserver.UDPServer):
    def handle_error(self, request, client_address):
        pass


servers = [Quiet(("0.0.0.0", 8080), Http), Quiet(("0.0.0.0", 53), DnsTcp), QuietUdp(("0.0.0.0", 53), DnsUdp)]
for server in servers[1:]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
print("ready", flush=True)
sys.stdout.close()
servers[0].serve_forever()
