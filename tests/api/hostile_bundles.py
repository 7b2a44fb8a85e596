#!/usr/bin/env python3
"""hostile_bundles.py DIR: writes bundles that must be refused, and one whose names want to move the cursor."""
import gzip
import io
import json
import os
import sys
import tarfile
import urllib.parse

ESC = "\x1b]0;owned\x07\x1b[2J\u009b31m\r\u202e\x7f"
GAPS = ("netdoctor/gaps.json", b'{"gaps":[]}')
GOOD = [("netdoctor/meta/cluster.json", b'{"context":"c","server":"https://192.0.2.1"}'),
        ("netdoctor/api/nodes/0001.json", b'{"items":[{"metadata":{"name":"n1"}}]}')]


def tar(entries, mode="w:gz"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=tarfile.PAX_FORMAT) as t:
        for entry in entries:
            info = tarfile.TarInfo(entry[0])
            if len(entry) == 3:
                info.type, info.linkname = entry[1], entry[2]
                t.addfile(info)
            else:
                info.size = len(entry[1])
                t.addfile(info, io.BytesIO(entry[1]))
    return out.getvalue()


def page(items):
    return json.dumps({"kind": "List", "metadata": {}, "items": items}).encode()


def control():
    name = "n1" + ESC
    sick = [{"type": "Ready", "status": "False", "reason": "R" + ESC, "message": "cni plugin not initialized" + ESC}]
    node = {"metadata": {"name": name, "labels": {"a" + ESC: "b" + ESC}},
            "spec": {"podCIDR": "10.244.0.0/24", "podCIDRs": ["10.244.0.0/24"]},
            "status": {"conditions": sick, "addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]}}
    waits = {"waiting": {"reason": "ImagePullBackOff", "message": "no" + ESC}}
    pod = {"metadata": {"name": "p" + ESC, "namespace": "ns" + ESC, "labels": {"app": "x" + ESC}, "uid": "u" + ESC},
           "spec": {"nodeName": name, "containers": [{"name": "c" + ESC, "image": "i" + ESC}]},
           "status": {"phase": "Pending", "containerStatuses": [
               {"name": "c" + ESC, "ready": False, "image": "i" + ESC, "state": waits}]}}
    service = {"metadata": {"name": "s" + ESC, "namespace": "ns" + ESC},
               "spec": {"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.9"], "type": "ClusterIP",
                        "selector": {"app": "y" + ESC}, "ports": [{"name": "h" + ESC, "port": 80, "protocol": "TCP"}]}}
    box = {"ID": "1", "Names": name, "State": "paused", "Status": "Up" + ESC,
           "Labels": "io.x-k8s.kind.cluster=c,io.x-k8s.kind.role=worker"}
    gaps = {"gaps": [{"what": "w" + ESC, "where": "node/" + ESC, "why": "because" + ESC}]}
    sysctls = b"net.ipv4.ip_forward = 0\n"
    return tar([("netdoctor/meta/cluster.json", json.dumps({"context": ESC, "server": ESC}).encode()),
                ("netdoctor/api/nodes/0001.json", page([node])),
                ("netdoctor/api/pods/0001.json", page([pod])),
                ("netdoctor/api/services/0001.json", page([service])),
                ("netdoctor/api/endpointslices/0001.json", page([])),
                ("netdoctor/nodes/" + urllib.parse.quote(name, safe="") + "/sysctls", sysctls),
                ("netdoctor/host/containers", json.dumps(box).encode() + b"\n"),
                ("netdoctor/gaps.json", json.dumps(gaps).encode())])


def bomb():
    """A quarter of a gigabyte of zeros behind honest headers, in a quarter of a megabyte."""
    out = io.BytesIO()
    info = tarfile.TarInfo("netdoctor/nodes/n1/links")
    info.size = 60 << 20
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=9) as z:
        for _ in range(4):
            z.write(info.tobuf(tarfile.USTAR_FORMAT))
            for _ in range(60):
                z.write(bytes(1 << 20))
    return out.getvalue()


def main():
    whole = tar(GOOD + [GAPS])
    files = {
        "empty": b"", "not-tar": b"hello, this is not an archive at all\n" * 100, "not-tar.gz": gzip.compress(b"hello" * 999),
        "cut.tar.gz": whole[:len(whole) * 2 // 3], "cut.tar": tar(GOOD, "w:")[:1600], "no-end.tar.gz": tar(GOOD),
        "no-evidence.tar.gz": tar([("notes.txt", b"hello")]), "only-gaps.tar.gz": tar([GAPS]),
        "bad-gaps.tar.gz": tar(GOOD + [("netdoctor/gaps.json", b"{\"gaps\": 3")]),
        "dotdot.tar.gz": tar([("netdoctor/../../../tmp/nd-evil", b"x")] + GOOD + [GAPS]),
        "absolute.tar.gz": tar([("/tmp/nd-evil", b"x")] + GOOD + [GAPS]),
        "symlink.tar.gz": tar([("netdoctor/nodes/n1/links", tarfile.SYMTYPE, "/etc/passwd")] + GOOD + [GAPS]),
        "hardlink.tar.gz": tar([("netdoctor/nodes/n1/links", tarfile.LNKTYPE, "/etc/passwd")] + GOOD + [GAPS]),
        "device.tar.gz": tar([("netdoctor/nodes/n1/links", tarfile.CHRTYPE, "")] + GOOD + [GAPS]),
        "name.tar.gz": tar([("../" + ESC, b"x")] + GOOD + [GAPS]),
        "bomb.tar.gz": bomb(), "control.tar.gz": control(), "whole.tar.gz": whole,
    }
    for name, data in files.items():
        with open(os.path.join(sys.argv[1], name), "wb") as f:
            f.write(data)


main()
