// A hub on this machine, in a process of its own, with the faults that a test asks for.

import Testing

/// Beside a command it serves the fixture's folders: `model` as `owner/tiny` (and as others of this owner, each with its behaviour, below), and
/// `sets/NAME` as the data set `owner/NAME`, whose commit is the text of `sets/NAME.commit`, and whose list of files is `sets/NAME.json` where
/// that exists. `faults` holds lines `PART KIND COUNT`: of the requests whose path has the part, the first ones get what the kind says.
struct LoopbackHub {
  let place: CommandsFixture

  init() throws {
    place = try CommandsFixture()
    try place.write(Self.program, to: "hub.py")
  }

  static let commit = "c0ffeec0ffeec0ffeec0ffeec0ffeec0ffeec0de"

  /// To be ended with the shell that starts it.
  static let start =
    "rm -f port; python3 hub.py & trap \"kill $!\" EXIT; until [ -s port ]; do sleep 0.02; done; "

  /// Beside the hub, which ends with the command.
  func plumb(_ arguments: String, token: String? = nil) -> (status: Int32, output: String, error: String) {
    place.plumb(
      arguments,
      before: Self.start
        + "export HF_ENDPOINT=http://127.0.0.1:$(cat port) PLUMB_MODELS=models HF_TOKEN='\(token ?? "")'; ")
  }

  /// Where nothing can be fetched.
  func offline(_ arguments: String) -> (status: Int32, output: String, error: String) {
    place.plumb(arguments, before: "export HF_ENDPOINT=http://127.0.0.1:9 PLUMB_MODELS=models; ")
  }

  /// `PATH RANGE TOKEN HOST` of each.
  var requests: [String] { place.text("requests").split(separator: "\n").map(String.init) }

  func digest(_ output: String) -> String? {
    output.split(separator: "\n").first { $0.hasPrefix("sha256: ") }.map { String($0.dropFirst(8)) }
  }

  private static let program = """
    import hashlib, http.server, json, os, re, threading, time, urllib.parse
    COMMIT = "\(commit)"
    class Hub(http.server.BaseHTTPRequestHandler):
        broken = False
        served = {}
        def do_GET(self):
            with open("requests", "a") as log:
                print(self.path, self.headers["Range"] or "-", self.headers["Authorization"] or "-", self.headers["Host"].split(":")[0], file=log)
            path = urllib.parse.unquote(self.path)
            fault = self.fault(path)
            if fault:
                return self.fail(fault, path)
            if "owner/closed" in path and self.headers["Authorization"] != "Bearer sesame":
                return self.send_error(401)
            if re.fullmatch(r"/api/models/owner/\\w+/revision/main\\?blobs=true", path):
                files = [{"rfilename": n, "size": os.path.getsize("model/" + n)} for n in sorted(os.listdir("model"))]
                return self.give(json.dumps({"sha": COMMIT, "siblings": files}).encode())
            if "owner/endless" in path or "owner/slow" in path or "/lies" in path:
                return self.pour(path)
            listing = re.fullmatch(r"/api/datasets/owner/(\\w+)/revision/(\\w+)\\?blobs=true", path)
            if listing and os.path.isdir("sets/" + listing[1]):
                return self.give(self.listing(listing[1]))
            file = re.fullmatch(r"/datasets/owner/(\\w+)/resolve/(\\w{40})/(.+)", path)
            if file and file[2] == self.commit(file[1]) and os.path.isfile(f"sets/{file[1]}/{file[3]}"):
                return self.give(self.read(f"sets/{file[1]}/{file[3]}"))
            file = re.fullmatch(r"/owner/\\w+/resolve/" + COMMIT + r"/([\\w.-]+)", path)
            if not file or not os.path.exists("model/" + file[1]):
                return self.send_error(404)
            self.give(self.read("model/" + file[1]), breaks=file[1] == "model.safetensors")
        def read(self, path):
            with open(path, "rb") as file:
                return file.read()
        def commit(self, name):
            return self.read(f"sets/{name}.commit").decode().strip() if os.path.exists(f"sets/{name}.commit") else COMMIT
        def listing(self, name):
            if os.path.exists(f"sets/{name}.json"):
                return self.read(f"sets/{name}.json")
            files = []
            for folder, _, names in os.walk("sets/" + name):
                for n in names:
                    path = os.path.join(folder, n)
                    entry = {"rfilename": os.path.relpath(path, "sets/" + name), "size": os.path.getsize(path)}
                    if n.endswith(".parquet"):
                        entry["lfs"] = {"sha256": hashlib.sha256(self.read(path)).hexdigest()}
                    files.append(entry)
            return json.dumps({"sha": self.commit(name), "siblings": files}).encode()
        def fault(self, path):
            for line in open("faults") if os.path.exists("faults") else []:
                part, kind, count = line.split()
                if part in path and Hub.served.setdefault(line, 0) < int(count):
                    Hub.served[line] += 1
                    return kind
        def fail(self, kind, path):
            if kind.isdigit():
                self.send_response(int(kind))
                if kind == "429":
                    self.send_header("Retry-After", "2")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            if kind == "redirect":
                self.send_response(302)
                self.send_header("Location", f"http://localhost:{other.server_port}{self.path}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
            body = b"<html><body>Please log in</body></html>"
            if kind != "html":
                file = re.fullmatch(r"/datasets/owner/(\\w+)/resolve/\\w{40}/(.+)", path)
                body = self.read(f"sets/{file[1]}/{file[2]}")
            if kind == "changed":
                body = bytes(byte ^ 1 for byte in body)
            if kind == "short":
                body = body[: len(body) // 2]
            if kind == "long":
                body += body
            self.give(body, breaks=kind == "breaks", again=True)
        def give(self, body, breaks=False, again=False):
            first = int((self.headers["Range"] or "bytes=0-")[6:-1])
            self.send_response(206 if first else 200)
            self.send_header("Content-Length", str(len(body) - first))
            if first:
                self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
            self.end_headers()
            body = body[first:]
            if breaks and (again or not Hub.broken):
                Hub.broken = True
                body = body[:len(body) // 2]
            self.wfile.write(body)
        def pour(self, path):
            self.send_response(200)
            if "/lies" in path:
                self.send_header("Content-Length", str(10 ** 16))
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"0" * (2000 if "owner/slow" in path else 1 << 16))
                    if "owner/slow" in path: time.sleep(0.1)
            except OSError: pass
        def log_message(self, *_): pass
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    open("port.part", "w").write(str(server.server_port))
    os.rename("port.part", "port")
    server.serve_forever()
    """
}
