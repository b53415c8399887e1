"""A large artifact through a real server: how fast it goes up and down, and how much memory that takes.

    python benchmarks/artifacts.py [GIGABYTES] [FLAGS OF THE SERVER]

Linux only: the memory is read from /proc.
"""

import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

MEGABYTE = 2**20
PATH = "/api/2.0/mlflow-artifacts/artifacts/0/large"


def main() -> None:
    gigabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 2
    megabytes = int(gigabytes * 1024)
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
        probe.close()
        command = [sys.executable, "-m", "minleaf_server", "server", "--port", str(port), "--data", folder]
        server = subprocess.Popen([*command, *sys.argv[2:]], stdout=subprocess.DEVNULL)
        try:
            wait(port)
            print(f"idle             {peak(server.pid):6.0f} MB of memory at most")
            report("up", megabytes, upload(port, megabytes), server.pid)
            report("down", megabytes, download(port, megabytes), server.pid)
            report("down, raw disk", megabytes, read(Path(folder)), server.pid)
        finally:
            server.terminate()
            server.wait(30)


def wait(port: int) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit("The server did not start.")


def upload(port: int, megabytes: int) -> float:
    """Seconds until the server has answered."""
    part = bytes(range(256)) * (MEGABYTE // 256)
    begin = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as conn:
        head = f"PUT {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {megabytes * MEGABYTE}\r\n\r\n"
        conn.sendall(head.encode())
        for _ in range(megabytes):
            conn.sendall(part)
        answer = conn.recv(4096)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise SystemExit(f"The upload failed: {answer!r}")
    return time.perf_counter() - begin


def download(port: int, megabytes: int) -> float:
    """Seconds until the last byte has come."""
    begin = time.perf_counter()
    received = 0
    buffer = memoryview(bytearray(MEGABYTE))
    with socket.create_connection(("127.0.0.1", port)) as conn:
        conn.sendall(f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
        while size := conn.recv_into(buffer):
            received += size
    if received < megabytes * MEGABYTE:
        raise SystemExit("The download broke off.")
    return time.perf_counter() - begin


def read(folder: Path) -> float:
    """Seconds for reading the file from the disk, for comparison."""
    begin = time.perf_counter()
    with (folder / "artifacts" / "0" / "large").open("rb", buffering=0) as file:
        while file.read(MEGABYTE):
            pass
    return time.perf_counter() - begin


def report(what: str, megabytes: int, seconds: float, pid: int) -> None:
    print(f"{what:16} {peak(pid):6.0f} MB of memory at most, {megabytes / seconds:6.0f} MB/s")


def peak(pid: int) -> float:
    """The most memory that a process ever had, in MB."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
