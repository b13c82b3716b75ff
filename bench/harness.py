"""
What the benchmark programs share: building the load tools, starting targets, reading /proc.

A target is a name and a way to make its command line from (port it listens on, port of the canned upstream). With TLS the latter
is that of a second nginx before it, which ends the TLS.
"""
import os, shlex, shutil, signal, socket, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD, RUN = os.path.join(HERE, ".build"), os.path.join(HERE, ".run")
SECRET = "hvs.CAESIJbench"          # the value in the canned replies begins like this

# --- building --------------------------------------------------------------------------------------------------------------

def tool(name):
    """NGINX=, HAPROXY= in the environment name other binaries."""
    return os.environ.get(name.upper()) or shutil.which(name) or name

def build(names=("upstream", "floor", "load")):
    os.makedirs(BUILD, exist_ok=True)
    os.makedirs(RUN, exist_ok=True)
    for n in names:
        src, out, header = f"{HERE}/src/{n}.c", f"{BUILD}/{n}", f"{HERE}/src/net.h"
        if not os.path.exists(out) or os.path.getmtime(out) < max(os.path.getmtime(src), os.path.getmtime(header)):
            subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", out, src, "-lm"], check=True)
    subprocess.run([sys.executable, f"{HERE}/mkbodies.py", RUN], check=True)

def template(src, dst, **values):
    text = open(src).read()
    for k, v in values.items():
        text = text.replace(f"@{k}@", str(v))
    open(dst, "w").write(text)

# --- targets ---------------------------------------------------------------------------------------------------------------

class Target:
    def __init__(self, name, command, checks=(), fixed=None):
        self.name, self.command, self.checks = name, command, list(checks)   # checks: options of src/load.c
        self.fixed = fixed                                                   # (port, pid) of one that runs already
        self.port = self.pid = self.process = None
        self.samples = {}

def upstream_words(up):
    """What the templates say of the upstream: the same for every target of a run."""
    cert = f"{RUN}/tls.pem"
    if up not in tls_ports:
        return dict(UP=up, SCHEME="http", NGINX_TLS="", HAPROXY_TLS="", TLS="")
    return dict(UP=up, SCHEME="https", TLS=f'tls: {{ca: "{cert}"}}, ',
                HAPROXY_TLS=f"ssl verify required ca-file {cert} verifyhost localhost sni str(localhost)",
                NGINX_TLS=f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {cert}; proxy_ssl_name localhost; proxy_ssl_server_name on;")

def floor(port, up):
    return [f"{BUILD}/floor", "-p", str(port), "-U", str(up)]

def nginx(port, up, extra=""):
    conf = f"{RUN}/nginx-{port}.conf"
    template(f"{HERE}/peers/nginx.conf.in", conf, PORT=port, RUN=RUN, EXTRA=extra, **upstream_words(up))
    return [tool("nginx"), "-c", conf, "-p", RUN]

def haproxy(port, up):
    conf = f"{RUN}/haproxy-{port}.cfg"
    template(f"{HERE}/peers/haproxy.cfg.in", conf, PORT=port, **upstream_words(up))
    return [tool("haproxy"), "-db", "-f", conf]

def narrowgate(binary, profile):
    binary = os.path.abspath(binary)
    def command(port, up):
        conf = f"{RUN}/narrowgate-{profile}-{port}.yaml"
        template(f"{HERE}/narrowgate/{profile}.yaml.in", conf, PORT=port, BENCH=HERE, **upstream_words(up))
        return [binary, "serve", "-c", conf]
    return command

def given(text):
    def command(port, up):
        words = [x.replace("{port}", str(port)).replace("{up}", str(up)).replace("{run}", RUN) for x in shlex.split(text)]
        return words
    return command

def add_options(parser):
    parser.add_argument("--narrowgate", metavar="BINARY", help="adds the targets `pass` and `guards` (narrowgate/*.yaml.in)")
    parser.add_argument("--proxy", action="append", default=[], metavar="NAME=COMMAND", help="any other; {port} {up} {run} are filled in")
    parser.add_argument("--peers", default="floor,nginx,haproxy", help="of floor,nginx,haproxy; empty for none")

def targets(args):
    peers = {"floor": floor, "nginx": nginx, "haproxy": haproxy}
    out = [Target(p, peers[p]) for p in args.peers.split(",") if p]
    if args.narrowgate:
        if not os.access(args.narrowgate, os.X_OK):
            raise SystemExit(f"{args.narrowgate}: no such program; build it with ./demo --once")
        out += [Target("pass", narrowgate(args.narrowgate, "pass"), ["-e", SECRET]),
                Target("guards", narrowgate(args.narrowgate, "guards"), ["-e", "\u2022" * 6, "-E", SECRET])]
    for s in args.proxy:
        name, text = s.split("=", 1)
        out.append(Target(name, given(text)))
    return out

# --- processes -------------------------------------------------------------------------------------------------------------

def free_port():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
    s.close()
    return port

def wait_port(port, process=None, secs=15):
    end = time.time() + secs
    while time.time() < end:
        if process and process.poll() is not None:
            raise SystemExit(f"target exited with {process.returncode}: see {RUN}/*.log")
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.005)
    raise SystemExit(f"nothing listens on {port}")

def spawn(name, command, cpu, port=None):
    log = open(f"{RUN}/{name}.log", "w")
    p = subprocess.Popen(["taskset", "-c", str(cpu)] + command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
    if port:
        try:
            wait_port(port, p)
        except SystemExit:
            stop([p])
            raise
    return p

def stop(processes):
    for p in processes:
        try:
            os.killpg(p.pid, signal.SIGTERM)
        except OSError:
            pass
    for p in processes:
        try:
            p.wait(3)
        except subprocess.TimeoutExpired:
            os.killpg(p.pid, signal.SIGKILL)
            p.wait()

def start(target, up, cpu):
    """Starts a target on a free port and waits until it listens."""
    if target.fixed:
        target.port, target.pid = target.fixed
        return
    target.port = free_port()
    target.process = spawn(target.name, target.command(target.port, up), cpu, target.port)
    target.pid = target.process.pid

def start_upstream(cpu, sse=False, port=None):
    port = port or free_port()
    return port, spawn("upstream", [f"{BUILD}/upstream", "-p", str(port)] + (["-m", "sse"] if sse else []), cpu, port)

tls_ports = set()                   # of upstreams that speak TLS

def start_tls(up, cpu):
    """An nginx that ends TLS before the upstream at `up`, with a certificate of its own for localhost."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", f"{RUN}/tls.key",
                    "-out", f"{RUN}/tls.pem"], check=True, stderr=subprocess.DEVNULL)
    port, conf = free_port(), f"{RUN}/tls.conf"
    template(f"{HERE}/peers/tls.conf.in", conf, PORT=port, RUN=RUN, UP=up)
    tls_ports.add(port)
    return port, spawn("tls", [tool("nginx"), "-c", conf, "-p", RUN], cpu, port)

def load_command(port, cpu, conns, body, *more):
    return ["taskset", "-c", str(cpu), f"{BUILD}/load", "-p", str(port), "-c", str(conns), "-b", f"{RUN}/{body}", *more]

# --- /proc -----------------------------------------------------------------------------------------------------------------

def tree(pid):
    """The process and all below it."""
    out, todo = [], [pid]
    while todo:
        p = todo.pop()
        out.append(p)
        try:
            for t in os.listdir(f"/proc/{p}/task"):
                todo += [int(x) for x in open(f"/proc/{p}/task/{t}/children").read().split()]
        except OSError:
            pass
    return out

def cpu_ns(pid):
    n = 0
    for p in tree(pid):
        try:
            for t in os.listdir(f"/proc/{p}/task"):
                n += int(open(f"/proc/{p}/task/{t}/schedstat").read().split()[0])
        except OSError:
            pass
    return n

def ticks(pid):
    """User and system time in ticks of 10 ms: only for the split."""
    user = system = 0
    for p in tree(pid):
        try:
            f = open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()
            user += int(f[11])
            system += int(f[12])
        except OSError:
            pass
    return user, system

def mem_kb(pid, key):
    """VmRSS or Pss."""
    n = 0
    for p in tree(pid):
        try:
            for line in open(f"/proc/{p}/{'smaps_rollup' if key == 'Pss' else 'status'}"):
                if line.startswith(key + ":"):
                    n += int(line.split()[1])
        except OSError:
            pass
    return n
