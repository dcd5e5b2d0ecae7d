#!/usr/bin/env python3
# web.py - servers for tests: a Redfish service over HTTPS, a page of JSON, a Prometheus; each fails as it is told
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""The shapes of the documents are those of real controllers; the machines behind them are made up."""
import http.server
import json
import os
import signal
import ssl
import subprocess
import threading
import time

V1 = "/redfish/v1"


def link(path):
    return {"@odata.id": path}


def collection(path, *members):
    return {"@odata.id": path, "Members": [link(m) for m in members], "Members@odata.count": len(members)}


def make_certificate(place, name="localhost", stem="bmc"):
    """A self-signed certificate for NAME and 127.0.0.1; returns the paths of certificate and key."""
    cert, key = os.path.join(place, stem + ".pem"), os.path.join(place, stem + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + name,
                    "-addext", f"subjectAltName=DNS:{name},IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return cert, key


def fingerprint(cert):
    """What the manual says prints the fingerprint of a server's key."""
    public = subprocess.run(["openssl", "x509", "-pubkey", "-noout", "-in", cert], check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=public, check=True,
                         capture_output=True).stdout
    return "sha256:" + subprocess.run(["sha256sum"], input=der, check=True, capture_output=True).stdout.decode().split()[0]


class Server:
    """A threaded server on 127.0.0.1; answer(request) gives (status, headers, bytes)."""

    def __init__(self, answer, certificate=None):
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # clients go away
        self.requests = []  # (method, path with query, headers)
        self.delay_s = 0.0
        self.is_gone = False
        self.connections = 0
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                server.connections += 1
                super().setup()

            def serve(self):
                size = int(self.headers.get("Content-Length") or 0)
                self.body = self.rfile.read(size) if size else b""
                if server.is_gone:
                    self.close_connection = True
                    return
                server.requests.append((self.command, self.path, dict(self.headers)))
                if server.delay_s:
                    time.sleep(server.delay_s)
                status, headers, body = answer(self)
                self.send_response(status)
                whole = len(body) + headers.pop("cut", 0)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(whole))
                self.end_headers()
                self.wfile.write(body)
                if whole != len(body):
                    self.close_connection = True

            do_GET = do_POST = do_DELETE = serve

            def log_message(self, *_):
                pass

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # a client that does not trust us, or went away

        self.httpd = Quiet(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.httpd.socket = context.wrap_socket(self.httpd.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.httpd.server_address[1]
        self.thread = threading.Thread(target=self.httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def close(self):
        self.is_gone = True  # connections that are open, too
        self.httpd.shutdown()
        self.httpd.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def count(self, method, start):
        return sum(1 for m, p, _ in self.requests if m == method and p.startswith(start))


class Page(Server):
    """One text for every path: text may be a function of the request."""

    def __init__(self, text="", certificate=None, status=200, headers=None):
        self.text, self.status, self.headers = text, status, headers or {}
        super().__init__(self.answer, certificate)

    def answer(self, request):
        text = self.text(request) if callable(self.text) else self.text
        return self.status, dict(self.headers), text.encode()


class Redfish(Server):
    """A management controller. documents: {path: dict, or function of nothing that gives one}."""

    def __init__(self, documents, certificate=None, user="monitor", password="secret", sessions=True):
        self.documents, self.user, self.password = dict(documents), user, password
        self.has_sessions, self.places = sessions, 8
        self.tokens = {}  # token: name of its session
        self.made = self.deleted = self.denied = 0
        self.broken = {}  # path: (status, headers, bytes)
        super().__init__(self.answer, certificate)

    def may(self, request):
        import base64
        token, basic = request.headers.get("X-Auth-Token"), request.headers.get("Authorization")
        if self.user is None:
            return True
        wanted = "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if basic is not None and basic != wanted:
            self.denied += 1
        return token in self.tokens or basic == wanted

    def open_session(self, request):
        told = json.loads(request.body)
        if not self.has_sessions:
            return 404, {}, b"{}"
        if (told.get("UserName"), told.get("Password")) != (self.user, self.password):
            self.denied += 1
            return 401, {}, b"{}"
        if len(self.tokens) >= self.places:
            return 503, {}, b"{}"
        self.made += 1
        token, name = f"t0ken-{self.made}", f"{V1}/SessionService/Sessions/{self.made}"
        self.tokens[token] = name
        return 201, {"X-Auth-Token": token, "Location": f"https://127.0.0.1:{self.port}{name}"}, b"{}"

    def answer(self, request):
        path = request.path.split("?")[0]
        if path.startswith(V1 + "/SessionService/Sessions"):
            if request.command == "POST":
                return self.open_session(request)
            if request.command == "DELETE" and self.may(request):
                self.deleted += 1
                self.tokens = {t: n for t, n in self.tokens.items() if n != path}
                return 204, {}, b""
        if not self.may(request):
            # As iDRAC 8 has it: the page breaks off.
            return 401, {"WWW-Authenticate": 'Basic realm="RedfishService"', "cut": 100}, b"<html>"
        if path in self.broken:
            status, headers, body = self.broken[path]
            return status, dict(headers), body
        document = self.documents.get(path.rstrip("/") or "/")
        if document is None or request.command != "GET":
            return 404, {}, b'{"error": {}}'
        if callable(document):
            document = document()
        return 200, {"Content-Type": "application/json"}, json.dumps(document).encode()


def with_systems(documents, systems):
    """Adds Systems and Chassis: {system: [chassis, …]}; each chassis is linked back."""
    chassis = sorted({c for of in systems.values() for c in of})
    documents[V1] = {"RedfishVersion": "1.6.0"}
    documents[V1 + "/Systems"] = collection(V1 + "/Systems", *(f"{V1}/Systems/{s}" for s in systems))
    documents.setdefault(V1 + "/Chassis", collection(V1 + "/Chassis", *(f"{V1}/Chassis/{c}" for c in chassis)))
    for system, of in systems.items():
        documents[f"{V1}/Systems/{system}"] = {"Links": {"Chassis": [link(f"{V1}/Chassis/{c}") for c in of]}}
    for one in chassis:
        document = documents.setdefault(f"{V1}/Chassis/{one}", {})
        document.setdefault("Links", {})["ComputerSystems"] = [
            link(f"{V1}/Systems/{s}") for s, of in systems.items() if one in of]
    return documents


def legacy(watts, chassis="1", system="1", control=None, limit=None):
    """A chassis with the Power of before 2020; watts may be a function."""
    def power():
        one = {"@odata.id": f"{V1}/Chassis/{chassis}/Power#/PowerControl/0", "MemberId": "0",
               "Name": "System Power Control", "PowerConsumedWatts": watts() if callable(watts) else watts,
               "PowerLimit": {"LimitInWatts": limit},
               "PowerMetrics": {"IntervalInMin": 20, "AverageConsumedWatts": 99}}
        one.update(control or {})
        return {"PowerControl": [one], "n": power.n}
    power.n = 0
    path = f"{V1}/Chassis/{chassis}"
    return with_systems({path: {"Power": link(path + "/Power")}, path + "/Power": power}, {system: [chassis]})


def subsystem(supplies, chassis="1", system="1", environment=None):
    """A chassis with PowerSubsystem: {supply: watts, None, or "Absent"}, and perhaps EnvironmentMetrics."""
    path = f"{V1}/Chassis/{chassis}"
    documents = {path: {"PowerSubsystem": link(path + "/PowerSubsystem")},
                 path + "/PowerSubsystem": {"PowerSupplies": link(path + "/PowerSubsystem/PowerSupplies")}}
    if environment is not None:
        documents[path]["EnvironmentMetrics"] = link(path + "/EnvironmentMetrics")
        documents[path + "/EnvironmentMetrics"] = environment
    names = []
    for name, watts in supplies.items():
        place = f"{path}/PowerSubsystem/PowerSupplies/{name}"
        names.append(place)
        documents[place] = {"Metrics": link(place + "/Metrics"),
                            "Status": {"State": "Absent" if watts == "Absent" else "Enabled"}}
        documents[place + "/Metrics"] = {"InputPowerWatts": {"Reading": None if watts == "Absent" else watts}}
    documents[path + "/PowerSubsystem/PowerSupplies"] = collection(path + "/PowerSubsystem/PowerSupplies", *names)
    return with_systems(documents, {system: [chassis]})
