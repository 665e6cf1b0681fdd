"""The verifier has no network, and misses none: in a namespace without one, and with every socket forbidden."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "bundle"
VERIFY = "import sys; from sudonglian.chain.verify import main; sys.exit(main())"
REACH = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), timeout=10).close()"


def without_network() -> list[str]:
    """Return what starts a command in a namespace of its own that has no network."""
    if not shutil.which("unshare"):
        pytest.skip("no unshare: apt-get install util-linux")
    command = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this kernel or container gives no network namespace to this user")
    return command


def test_it_verifies_in_a_namespace_without_a_network() -> None:
    alone = without_network()
    with socket.create_server(("127.0.0.1", 0)) as server:
        reach = [sys.executable, "-c", REACH, str(server.getsockname()[1])]
        assert subprocess.run(reach, check=False).returncode == 0
        assert subprocess.run([*alone, *reach], check=False, capture_output=True).returncode != 0
    for case in json.loads((FOLDER / "cases.json").read_text())[::3]:
        argv = [str(FOLDER / case["bundle"]), "--trust", str(FOLDER / case["trust"]), "--json"]
        done = subprocess.run([*alone, sys.executable, "-c", VERIFY, *argv], capture_output=True, check=False)
        assert (json.loads(done.stdout)["verdict"], done.stderr) == (case["verdict"], b"")


FORBID = """
import sys
def watch(event, arguments):
    if event.split(".")[0] in ("socket", "subprocess", "urllib", "http", "ftplib", "smtplib", "sqlite3", "ctypes"):
        raise SystemExit(f"the verifier did {event}")
    if event in ("os.exec", "os.fork", "os.posix_spawn", "os.system", "os.remove", "os.rename", "os.mkdir"):
        raise SystemExit(f"the verifier did {event}")
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wxa+"):
        raise SystemExit(f"the verifier wrote {arguments[0]}")
sys.dont_write_bytecode = True
from sudonglian.chain.verify import main
sys.addaudithook(watch)
code = main(sys.argv[1:])
if "_socket" in sys.modules or "_ssl" in sys.modules:
    raise SystemExit("the verifier can open a socket")
sys.exit(code)
"""


@pytest.mark.parametrize("name", ["dev-signed", "qbft-lot", "dev-other-time"])
def test_it_opens_no_socket_starts_no_program_and_writes_no_file(name: str) -> None:
    argv = [str(FOLDER / f"{name}.json"), "--trust", str(FOLDER / f"{name.split('-')[0]}.trust.json"), "--json"]
    done = subprocess.run([sys.executable, "-c", FORBID, *argv], capture_output=True, check=False)
    assert done.stderr == b""
    assert done.returncode == (1 if name == "dev-other-time" else 0)
    assert json.loads(done.stdout)["verdict"] == ("INVALID" if name == "dev-other-time" else "VALID")


def test_the_watch_sees_what_is_forbidden(tmp_path: Path) -> None:
    deeds = ("import socket; socket.socket()", f"open({str(tmp_path / 'x')!r}, 'w')", "import os; os.system('true')")
    for deed in deeds:
        script = FORBID.replace("code = main(sys.argv[1:])", deed)
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
        assert b"the verifier" in done.stderr
        assert done.returncode == 1


def test_trust_is_written_without_anything_that_makes_bundles() -> None:
    script = "import sys, sudonglian.chain.trust_from_node as _; print('\\n'.join(sys.modules))"
    modules = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout.split()
    assert "sudonglian.chain.trust" in modules
    assert not {"sudonglian.chain.bundle", "sudonglian.records"} & set(modules)
