"""A node that is behind: a JSON-RPC proxy which shows another node's chain as it was some blocks ago.

Ethereum execution APIs (eth_*). Behind by 0 it shows everything, down it answers nobody.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

AT_A_BLOCK = {
    "eth_call": 1,
    "eth_getBalance": 1,
    "eth_getCode": 1,
    "eth_getProof": 2,
    "eth_getTransactionCount": 1,
}
"""Which parameter of a question names the block whose state is asked for."""


class LaggingNode:
    """What the proxy shows."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.behind = 0
        self.is_down = False
        self._session = requests.Session()

    def ask(self, method: str, *params: Any) -> Any:
        question: Any = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        return self._session.post(self.upstream, json=question, timeout=20).json()

    def answer(self, method: str, params: list[Any]) -> dict[str, Any]:
        head = max(int(self.ask("eth_blockNumber")["result"], 16) - self.behind, 0)
        if not self.behind:
            return dict(self.ask(method, *params))
        if method == "eth_blockNumber":
            return {"result": hex(head)}
        if method in AT_A_BLOCK or method == "eth_getBlockByNumber":
            at = AT_A_BLOCK.get(method, 0)
            asked = params[at]
            if asked in ("latest", "pending"):
                params = [*params[:at], hex(head), *params[at + 1 :]]
            elif int(asked, 16) > head:
                return {"result": None} if at == 0 else {"error": {"code": -32000, "message": "header not found"}}
        if method == "eth_getLogs":
            params = [{**params[0], "toBlock": hex(min(int(params[0]["toBlock"], 16), head))}]
        said = dict(self.ask(method, *params))
        if (
            method == "eth_getTransactionReceipt"
            and (found := said.get("result"))
            and int(found["blockNumber"], 16) > head
        ):
            return {"result": None}
        return said


@contextmanager
def lagging(upstream: str) -> Iterator[tuple[str, LaggingNode]]:
    """Serve the proxy on a port of its own."""
    node = LaggingNode(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if node.is_down:
                self.close_connection = True
                return
            said = {"jsonrpc": "2.0", "id": asked["id"], **node.answer(asked["method"], asked.get("params", []))}
            data = json.dumps(said).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", node
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
