#!/usr/bin/env python3
"""A fake API server on 127.0.0.1 for bad-input tests. It is not Kubernetes: it knows the lists of a tiny healthy cluster
and some ways of going wrong. The first part of the path chooses the way: https://127.0.0.1:PORT/html is one that
answers with a web page.

    fakeapi.py CERT KEY     prints "ready PORT", serves HTTPS until its standard input ends
"""
import http.server
import json
import os
import ssl
import sys
import threading
import time

META = {"resourceVersion": "1"}
LABELS = {"k8s-app": "kube-dns"}
READY = [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ok"}]
PODS = [{
    "metadata": {"name": "coredns-1", "namespace": "kube-system", "uid": "u1", "labels": LABELS},
    "spec": {"nodeName": "n1", "containers": [{"name": "coredns", "image": "coredns",
             "ports": [{"name": "dns", "containerPort": 53, "protocol": "UDP"}]}]},
    "status": {"phase": "Running", "podIP": "10.244.0.2", "podIPs": [{"ip": "10.244.0.2"}], "hostIP": "192.0.2.1",
               "conditions": [{"type": "Ready", "status": "True"}],
               "containerStatuses": [{"name": "coredns", "ready": True, "state": {"running": {}}}]}}, {
    "metadata": {"name": "kube-proxy-1", "namespace": "kube-system", "uid": "u2", "labels": {"k8s-app": "kube-proxy"}},
    "spec": {"nodeName": "n1", "hostNetwork": True, "containers": [{"name": "kube-proxy", "image": "kube-proxy"}]},
    "status": {"phase": "Running", "podIP": "192.0.2.1", "podIPs": [{"ip": "192.0.2.1"}], "hostIP": "192.0.2.1",
               "conditions": [{"type": "Ready", "status": "True"}],
               "containerStatuses": [{"name": "kube-proxy", "ready": True, "state": {"running": {}}}]}}]


def daemonset(name):
    return {"metadata": {"name": name, "namespace": "kube-system"},
            "spec": {"selector": {"matchLabels": {"k8s-app": name}},
                     "template": {"metadata": {"labels": {"k8s-app": name}}, "spec": {"containers": []}}},
            "status": {"desiredNumberScheduled": 1, "currentNumberScheduled": 1, "numberReady": 1, "numberAvailable": 1}}


LISTS = {
    "/api/v1/nodes": [{
        "metadata": {"name": "n1"}, "spec": {"podCIDR": "10.244.0.0/24", "podCIDRs": ["10.244.0.0/24"]},
        "status": {"conditions": READY, "addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]}}],
    "/api/v1/namespaces": [{"metadata": {"name": "kube-system"}}],
    "/api/v1/pods": PODS,
    "/api/v1/services": [{
        "metadata": {"name": "kube-dns", "namespace": "kube-system", "labels": LABELS},
        "spec": {"clusterIP": "10.96.0.10", "clusterIPs": ["10.96.0.10"], "type": "ClusterIP", "selector": LABELS,
                 "ports": [{"name": "dns", "port": 53, "targetPort": 53, "protocol": "UDP"},
                           {"name": "dns-tcp", "port": 53, "targetPort": 53, "protocol": "TCP"}]}}],
    "/apis/discovery.k8s.io/v1/endpointslices": [{
        "metadata": {"name": "kube-dns-1", "namespace": "kube-system",
                     "labels": {"kubernetes.io/service-name": "kube-dns"}},
        "addressType": "IPv4", "ports": [{"name": "dns", "port": 53, "protocol": "UDP"},
                                         {"name": "dns-tcp", "port": 53, "protocol": "TCP"}],
        "endpoints": [{"addresses": ["10.244.0.2"], "nodeName": "n1", "conditions": {"ready": True},
                       "targetRef": {"kind": "Pod", "name": "coredns-1", "namespace": "kube-system"}}]}],
    "/apis/apps/v1/daemonsets": [daemonset("kube-proxy"), daemonset("kindnet")],
    "/apis/apps/v1/deployments": [{
        "metadata": {"name": "coredns", "namespace": "kube-system", "labels": LABELS},
        "spec": {"replicas": 1, "selector": {"matchLabels": LABELS}, "template": {"metadata": {"labels": LABELS}}},
        "status": {"replicas": 1, "readyReplicas": 1, "availableReplicas": 1}}],
    "/apis/networking.k8s.io/v1/networkpolicies": [],
    "/api/v1/events": [],
    "/api/v1/configmaps": [],
}
FORBIDDEN = ("/api/v1/events", "/apis/networking.k8s.io/v1/networkpolicies")


def status(code, reason, message):
    return code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "message": message,
                  "code": code}


def answer(path):
    """(code, object) as a healthy server would give it."""
    if path == "/version":
        return 200, {"major": "1", "minor": "33", "gitVersion": "v1.33.0"}
    if path not in LISTS:
        return status(404, "NotFound", "the server could not find the requested resource")
    return 200, {"kind": "List", "apiVersion": "v1", "metadata": META, "items": LISTS[path]}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        _, way, path = self.path.split("?")[0].split("/", 2)
        path = "/" + path
        code, reply = answer(path)
        kind, body = "application/json", json.dumps(reply).encode()
        if way == "html":
            code, kind, body = 200, "text/html", b"<html><body>Please log in</body></html>"
        elif way == "hang":
            time.sleep(30)
        elif way == "cut":  # whole for HTTP, not for JSON
            body = body[:len(body) // 2]
        elif way == "cutlists" and path in ("/api/v1/pods", "/api/v1/events"):
            body = body[:len(body) // 2]
        elif way == "unauthorized":
            code, reply = status(401, "Unauthorized", "Unauthorized")
            body = json.dumps(reply).encode()
        elif way == "fresh" and self.headers["Authorization"] != "Bearer fresh":
            code, reply = status(401, "Unauthorized", "Unauthorized")
            body = json.dumps(reply).encode()
        elif way == "extra" and self.headers["Impersonate-Extra-scopes"] != "view":
            code, reply = status(403, "Forbidden", "no scope")
            body = json.dumps(reply).encode()
        elif way == "forbidden" and path in FORBIDDEN:
            code, reply = status(403, "Forbidden", 'cannot list: User "\x1b[31mbob" may not')
            body = json.dumps(reply).encode()
        elif way == "forbidall":
            code, reply = status(403, "Forbidden", "cannot list: no rights at all")
            body = json.dumps(reply).encode()
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients that do not trust us hang up


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("ready", server.server_address[1], flush=True)
    sys.stdin.read()
    os._exit(0)


main()
