"""A client of the line protocol that shares nothing with the project's own: plain sockets.

usage: client.py COMMAND ARGUMENTS; each command is a function below. It exits with 1 and says why if what
it was told to see did not happen.
"""

import os
import pty
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import time

OK = b"ok\n\n"
WRONG = b"error\nwrong command\n\n"
PATIENCE = 20  # seconds for anything that should come at once


def dial(addr):
    host, _, port = addr.rpartition(":")
    s = socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def check(got, want, what):
    if got != want:
        sys.exit(f"{what}: got {got[:500]!r}, want {want[:500]!r}")


def exactly(s, n):
    """Reads n bytes, fewer only at the end of input."""
    data = b""
    while len(data) < n:
        piece = s.recv(min(n - len(data), 1 << 16))
        if not piece:
            break
        data += piece
    return data


def until_end(s):
    data = bytearray()
    while piece := s.recv(1 << 16):
        data += piece
    return bytes(data)


def expect(s, want, what):
    check(exactly(s, len(want)), want, what)


def transcript(path):
    """Returns the (request, reply) pairs of a file of lines "> request" and "< reply"."""
    pairs = []
    for line in open(path, encoding="utf-8").read().splitlines():
        if line.startswith(">"):
            pairs.append((line[2:].replace("␠", " ").encode() + b"\n", b""))
        else:
            request, reply = pairs[-1]
            pairs[-1] = (request, reply + line[2:].encode() + b"\n")
    return pairs


class Program:
    """A program whose input and output are pipes, with the two calls of a socket that are used here."""

    def __init__(self, *command):
        self.p = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)

    def sendall(self, data):
        self.p.stdin.write(data)

    def recv(self, n):
        if not select.select([self.p.stdout], [], [], PATIENCE)[0]:
            sys.exit("no more output")
        return os.read(self.p.stdout.fileno(), n)


def converse(s, path):
    for request, reply in transcript(path):
        s.sendall(request)
        expect(s, reply, f"reply to {request!r}")


def talk(addr, path):
    """The transcript over a socket; nothing comes after it."""
    s = dial(addr)
    converse(s, path)
    s.shutdown(socket.SHUT_WR)
    check(until_end(s), b"", "after the last reply")


def nc(addr, path):
    """The transcript through nc."""
    s = Program("nc", "-N", *addr.rsplit(":", 1))
    converse(s, path)
    s.p.stdin.close()
    check(s.recv(1), b"", "after the last reply")
    check(s.p.wait(PATIENCE), 0, "exit code of nc")


def telnet(addr, path):
    """The transcript through telnet, and its own words around it."""
    s = Program("telnet", *addr.rsplit(":", 1))
    head = b""
    while not head.endswith(b"Escape character is '^]'.\n"):
        piece = s.recv(1)
        if not piece:
            sys.exit(f"telnet said {head!r}")
        head += piece.replace(b"\r", b"")
    converse(s, path)
    s.p.stdin.close()
    s.p.wait(PATIENCE)


def send(addr, path):
    """Sends a file at once, ends the input and prints what comes."""
    s = dial(addr)
    s.sendall(open(path, "rb").read())
    s.shutdown(socket.SHUT_WR)
    sys.stdout.buffer.write(until_end(s))


def ask(addr, *words):
    """Sends one line and prints what comes until the end of a reply."""
    s = dial(addr)
    s.sendall(" ".join(words).encode() + b"\n")
    data = b""
    while not data.endswith(b"\n\n"):
        piece = s.recv(1 << 16)
        if not piece:
            sys.exit(f"cut short: {data!r}")
        data += piece
    sys.stdout.buffer.write(data)


def unread(addr):
    """How many connections the server has not read all from. A line of /proc/net/tcp: number, local address,
    remote address, state (01: established), send queue:receive queue; numbers are hexadecimal."""
    port = "%04X" % int(addr.rpartition(":")[2])
    lines = [line.split() for line in open("/proc/net/tcp")][1:]
    ours = [w for w in lines if w[1].endswith(":" + port) and w[3] == "01"]
    return sum(w[4].split(":")[1] != "00000000" for w in ours)


def cut(addr):
    """The same requests, cut in two at every byte, give the same replies. The second part is sent when
    the server has read the first."""
    text = b"put cut;a=1 -1.5e3 1150864247\r\n\n  get\tcut;a=1 \nput cut;a=1 x 1\nget cut;a=1\n"
    row = b"ok\ncut;a=1 -1500.0 1150864247\n\n"
    want = OK + row + WRONG + row
    socks = [dial(addr) for _ in range(len(text) + 1)]
    for at, s in enumerate(socks):
        s.sendall(text[:at])
    while unread(addr):
        pass
    for at, s in enumerate(socks):
        s.sendall(text[at:])
        s.shutdown(socket.SHUT_WR)
        check(until_end(s), want, f"cut at {at}")


def bytewise(addr):
    """Requests that come a byte at a time."""
    s = dial(addr)
    for c in b"put slow 1 2\nget slow\n":
        s.sendall(bytes([c]))
    expect(s, b"ok\n\nok\nslow 1.0 2\n\n", "byte by byte")


def unfinished(addr):
    """A line without its end is never carried out."""
    s = dial(addr)
    s.sendall(b"put unfinished 1 1\nput unfinished 2 2")
    s.shutdown(socket.SHUT_WR)
    check(until_end(s), OK + WRONG, "an unfinished line")
    s = dial(addr)
    s.sendall(b"get unfinished\n")
    expect(s, b"ok\nunfinished 1.0 1\n\n", "get of what was unfinished")


def pipeline(addr, n):
    """n puts, all sent before a reply is read; then one get of all of them."""
    n = int(n)
    s = dial(addr)
    s.sendall(b"".join(b"put pipe %d %d\n" % (i, i) for i in range(n)) + b"get pipe\n")
    want = OK * n + b"ok\n" + b"".join(b"pipe %d.0 %d\n" % (i, i) for i in range(n)) + b"\n"
    expect(s, want, "pipelined")


def many(addr, n):
    """n connections that are all open and all ask at once."""
    socks = [dial(addr) for _ in range(int(n))]
    for i, s in enumerate(socks):
        s.sendall(b"put many;i=%d %d 1\nget many;i=%d\n" % (i, i, i))
    for i, s in enumerate(socks):
        expect(s, b"ok\n\nok\nmany;i=%d %d.0 1\n\n" % (i, i), f"connection {i}")


def each(addr, n):
    """A connection for each request."""
    for i in range(int(n)):
        with dial(addr) as s:
            s.sendall(b"put each %d 7\n" % i)
            expect(s, OK, "put")
        with dial(addr) as s:
            s.sendall(b"get each\n\n")
            expect(s, b"ok\neach %d.0 7\n\n" % i, "get")


def resets(addr, n):
    """Connections reset in the middle of a request, of pipelined puts and of replies that nobody reads."""
    s = dial(addr)
    s.sendall(b"".join(b"put reset;i=%d 1 1\n" % i for i in range(5000)))
    expect(s, OK * 5000, "puts")
    for text in (b"put reset 1", b"put reset 1 1\n" * 1000 + b"put", b"get *\n" * 20) * int(n):
        r = dial(addr)
        r.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        r.sendall(text)
        r.close()
    s.sendall(b"get reset;i=0\n")
    expect(s, b"ok\nreset;i=0 1.0 1\n\n", "get after the resets")


def resident(pid):
    """Resident bytes of a process."""
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    sys.exit("no VmRSS")


def longline(addr, pid, size, bound):
    """A line of size bytes: one error, and the server's memory stays below bound bytes all along."""
    s = dial(addr)
    piece = b"x" * (1 << 20)
    most = 0
    for i in range(int(size) >> 20):
        s.sendall(piece)
        if i % 16 == 0:
            most = max(most, resident(pid))
    s.sendall(b"\nget nothing\n")
    expect(s, WRONG + OK, "a long line and a get")
    most = max(most, resident(pid))
    if most > int(bound):
        sys.exit(f"the server took {most:,} bytes, want at most {int(bound):,}")


def garbage(addr, seed, n):
    """n random bytes, then a get: one reply a line that is not blank."""
    data = random.Random(int(seed)).randbytes(int(n)) + b"\nget nothing\n"
    lines = [line.removesuffix(b"\r").strip(b" \t") for line in data.split(b"\n")]
    s = dial(addr)
    s.sendall(data)
    expect(s, WRONG * (sum(map(bool, lines)) - 1) + OK, "garbage")


def closes(addr):
    """The server closes a connection that sends nothing."""
    check(until_end(dial(addr)), b"", "an idle connection")


def crowd(addr, n):
    """n connections are served, one more is told so and closed."""
    socks = [dial(addr) for _ in range(int(n))]
    for s in socks:
        s.sendall(b"get nothing\n")
        expect(s, OK, "a connection within the limit")
    check(until_end(dial(addr)), b"error\ntoo many connections\n\n", "one more")


def stopload(addr, pid, n):
    """SIGTERM while n connections put: every reply is a whole ok, and the connections end."""
    socks = [dial(addr) for _ in range(int(n))]
    text = b"".join(b"put load;i=%d %d %d\n" % (i % 100, i, i) for i in range(2000))
    for s in socks:
        s.sendall(text)
    for s in socks:
        expect(s, OK * 2000, "before the stop")
        s.setblocking(False)
    started = time.monotonic()
    sent = dict.fromkeys(socks, 0)
    got = dict.fromkeys(socks, 0)
    told = False
    while got:
        if time.monotonic() - started > 10:
            sys.exit("connections are still open 10 s after SIGTERM")
        readable, writable, _ = select.select(list(got), list(sent), [], 1)
        for s in writable:
            try:
                sent[s] += s.send(text[sent[s] % len(text) :])
            except BlockingIOError:
                pass
            except OSError:
                del sent[s]
        for s in readable:
            at = got[s] % len(OK)
            try:
                piece = s.recv(1 << 16)
            except ConnectionResetError:
                piece = b""
            if piece:
                check(piece, (OK * (len(piece) // len(OK) + 2))[at : at + len(piece)], "replies during the stop")
                got[s] += len(piece)
                continue
            if at:
                sys.exit("a reply was cut")
            if not got[s]:
                sys.exit("no reply came before the stop")
            del got[s]
            sent.pop(s, None)
        if not told and all(got.values()):
            os.kill(int(pid), signal.SIGTERM)
            started = time.monotonic()
            told = True


def second(addr, pid):
    """Two SIGTERMs to a server that waits for a client which does not read its replies."""
    s = dial(addr)
    s.sendall(b"".join(b"put second %d %d\n" % (i, i) for i in range(50000)))
    expect(s, OK * 50000, "puts")
    s.sendall(b"get second\n" * 50)
    select.select([s], [], [], PATIENCE)
    os.kill(int(pid), signal.SIGTERM)
    while True:  # until the server has stopped listening, which is the first thing it does
        try:
            dial(addr).close()
        except OSError:
            break
    started = time.monotonic()
    os.kill(int(pid), signal.SIGTERM)
    try:
        until_end(s)
    except ConnectionResetError:
        pass
    if time.monotonic() - started > 5:
        sys.exit("the second signal did not end it at once")


def complete(line, want):
    """Types line and a tab into a real bash, with the completion of metricd loaded, and waits for want."""
    pid, fd = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "dumb"
        os.execlp("bash", "bash", "--norc", "--noprofile", "-i")
    seen = b""

    def wait(text):
        nonlocal seen
        while text not in seen:
            if not select.select([fd], [], [], PATIENCE)[0]:
                sys.exit(f"bash shows {seen!r}, want {text!r}")
            seen += os.read(fd, 4096)
        seen = seen[seen.index(text) + len(text) :]

    os.write(fd, b"source <(metricd completion bash); echo load''ed\n")
    wait(b"loaded")
    os.write(fd, line.encode() + b"\t")
    wait(want.encode())
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def terminal(*command):
    """Runs a command with a terminal as its stderr, and prints what that shows."""
    ours, theirs = pty.openpty()
    p = subprocess.Popen(command, stderr=theirs)
    os.close(theirs)
    try:
        while piece := os.read(ours, 4096):
            sys.stdout.buffer.write(piece)
    except OSError:  # what the end of a terminal is on Linux
        pass
    sys.exit(p.wait())


def unheard(*command):
    """A server goes on when nobody reads its output any more, and ends as usual."""
    p = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    addr = p.stdout.readline().split(b" listens on ")[1].split()[0].decode()
    p.stdout.close()
    p.stderr.close()
    with dial(addr) as s:
        s.sendall(b"GET / HTTP/1.1\r\n")
        check(until_end(s), WRONG, "an HTTP request")
    each(addr, 3)
    p.send_signal(signal.SIGTERM)
    check(p.wait(PATIENCE), 0, "exit code")


def hanging(data):
    """A check that waits for a file for ever is ended by the second signal at the latest."""
    log = os.path.join(data, "log")
    names = [os.path.join(log, name) for name in os.listdir(log)]
    for name in names:
        os.remove(name)
        os.mkfifo(name)
    p = subprocess.Popen(["metricd", "check", data])
    until = time.monotonic() + PATIENCE

    def opening():
        """Whether a thread waits for somebody to write to a FIFO; kernels that don't tell have a second for it."""
        tasks = f"/proc/{p.pid}/task"
        for task in os.listdir(tasks):
            with open(os.path.join(tasks, task, "wchan")) as f:
                if f.read() == "wait_for_partner":
                    return True
        return time.monotonic() > until - PATIENCE + 1

    while not opening():
        time.sleep(0.01)
    while p.poll() is None and time.monotonic() < until:
        p.send_signal(signal.SIGTERM)
        time.sleep(0.01)
    p.kill()
    if p.wait() != -signal.SIGTERM:
        sys.exit(f"it ended with {p.returncode}, want it ended by the signal")


def occupied():
    """A server whose default address is taken says so."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", 8888))
            s.listen()
        except OSError as e:  # by somebody else, which is as good
            print(e)
        code = subprocess.run(["metricd", "--data", ":memory:"], timeout=PATIENCE).returncode
        if code != 1:
            sys.exit(f"exit code: got {code}, want 1")


def taken():
    """A server whose default address for HTTP is taken does without; what it prints goes to files."""
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", 8889))
            s.listen()
        except OSError as e:  # by somebody else, which is as good
            print(e)
        with open("taken.out", "w+") as out, open("taken.err", "w") as err:
            p = subprocess.Popen(["metricd", "serve", "--listen", "127.0.0.1:0"], stdout=out, stderr=err)
            until = time.monotonic() + PATIENCE
            while "telnet" not in open("taken.out").read() and time.monotonic() < until and p.poll() is None:
                time.sleep(0.01)
            p.send_signal(signal.SIGTERM)
            check(p.wait(PATIENCE), 0, "exit code")


def answer(reply, *command):
    """Runs a command against a server that answers one request with reply and ends; prints the exit code."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        addr = "127.0.0.1:%d" % listener.getsockname()[1]
        p = subprocess.Popen([addr if word == "ADDR" else word for word in command])
        while True:  # a connection may be made and never used
            s, _ = listener.accept()
            ready, _, _ = select.select([s, listener], [], [], PATIENCE)
            if s in ready and s.recv(1 << 16):
                break
    s.sendall(reply.encode().decode("unicode_escape").encode())
    s.close()
    print("exit code", p.wait(PATIENCE))


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
