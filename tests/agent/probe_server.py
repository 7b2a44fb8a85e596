#!/usr/bin/env python3
"""Servers that answer well and badly, for t_probe.sh: probe_server.py. Prints "ready"."""
import socket
import struct
import threading
import time

HELD = []


def spawn(fn, *args):
    threading.Thread(target=fn, args=args, daemon=True).start()


def listen(port, serve):
    def loop(s):
        while True:
            conn, _ = s.accept()
            spawn(serve, conn)

    s = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=65535)
    spawn(loop, s)


def http(conn):
    head = b""
    while b"\r\n\r\n" not in head:
        piece = conn.recv(4096)
        if not piece:
            return
        head += piece
    path = head.split()[1].decode()
    body = b"x" * 1000000
    sized = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    if path == "/ok":
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    elif path == "/big":
        conn.sendall(sized + body)
    elif path == "/endless-head":
        conn.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10000)
    elif path == "/to-the-end":
        conn.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + body)
    elif path == "/stall":
        conn.sendall(sized + body[:300000])
        HELD.append(conn)
        return
    elif path == "/slow":  # slower in all than a timeout, but never silent for one
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n")
        for _ in range(8):
            time.sleep(0.1)
            conn.sendall(b"z")
    elif path == "/trickle":  # and never comes to its end
        conn.sendall(sized)
        for _ in range(100):
            time.sleep(0.1)
            try:
                conn.sendall(b"z")
            except OSError:
                return
    elif path == "/short":
        conn.sendall(sized + body[:10])
    elif path == "/pieces":
        for c in b"HTTP/1.1 204 No Content\r\n\r\n":
            conn.sendall(bytes([c]))
            time.sleep(0.002)
    elif path == "/host":
        is_good = b"\r\nHost: 10.91.2.2:8080\r\n" in head and b"\r\nConnection: close\r\n" in head
        conn.sendall(b"HTTP/1.1 200 OK\r\n\r\n" if is_good else b"HTTP/1.1 400 Bad\r\n\r\n")
    else:
        conn.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    conn.close()


def hold(conn):
    HELD.append(conn)


def reset(conn):
    conn.recv(10)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


def babble(conn):
    conn.sendall(b"SSH-2.0-OpenSSH\r\n")
    time.sleep(1)
    conn.close()


def answer(query, is_tcp):
    """The reply to a DNS query, by its first label; None: none."""
    ident, end = query[:2], 12
    while query[end]:
        end += query[end] + 1
    question = query[12:end + 5]
    label = query[13:13 + query[12]].decode().lower()
    qtype = struct.unpack("!H", question[-4:-2])[0]
    a = b"\xc0\x0c\0\x01\0\x01\0\0\0\x05\0\x04\x0a\x5b\x02\x02"
    aaaa = b"\xc0\x0c\0\x1c\0\x01\0\0\0\x05\0\x10" + bytes(16)
    cname = b"\xc0\x0c\0\x05\0\x01\0\0\0\x05\0\x02\xc0\x0c"

    def reply(flags, answers, q=question, i=ident):
        return i + struct.pack("!HHHHH", 0x8180 | flags, 1 if q else 0, len(answers), 0, 0) + q + b"".join(answers)

    good = reply(0, [a, cname, a] if qtype == 1 else [aaaa])
    return {
        "ok": good,
        "nx": reply(3, []),
        "nodata": reply(0, [cname]),
        "servfail": reply(2, []),
        "refused": reply(5, [], b""),
        "formerr": reply(1, []),
        "silent": None,
        "garbage": b"\x01\x02\x03" * 20,
        "short": good[:20],
        "trunc": good if is_tcp else reply(0x200, []),
        "otherid": reply(0, [a], question, bytes([ident[0] ^ 1, ident[1]])),
        "othername": reply(0, [a], b"\x03abc" + question[1 + query[12]:]),
        "cut": reply(0, [a, a])[:-8],
        "case": reply(0, [a], question[:13].upper() + question[13:]),
        "many": reply(0, [a] * 3000),
    }.get(label, reply(3, []))


def dns_tcp(conn):
    n = struct.unpack("!H", conn.recv(2))[0]
    reply = answer(conn.recv(n), True)
    if reply is None:
        HELD.append(conn)
        return
    conn.sendall(struct.pack("!H", len(reply)))
    time.sleep(0.01)
    conn.sendall(reply)
    conn.close()


def udp(port, serve):
    def loop(s):
        while True:
            msg, peer = s.recvfrom(65536)
            reply = serve(msg)
            if reply is not None:
                s.sendto(reply, peer)

    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.bind(("::", port))
    spawn(loop, s)


listen(8080, http)
listen(8090, hold)
listen(8091, reset)
listen(8092, babble)
listen(53, dns_tcp)
udp(53, lambda m: answer(m, False))
udp(7, lambda m: m)
udp(9, lambda m: None)
print("ready", flush=True)
time.sleep(600)
