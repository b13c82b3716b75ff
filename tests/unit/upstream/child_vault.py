"""A stdio server for test_child.c: the method of each request says how it behaves."""
import json
import os
import signal
import subprocess
import sys
import time


def say(text, end="\n"):
    sys.stdout.write(text + end)
    sys.stdout.flush()


def answer(request, result, end="\n"):
    say(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}), end)


def handle(request):
    method = request.get("method")
    if "id" not in request or method is None:
        say('{"jsonrpc":"2.0","method":"notifications/heard"}')
    elif method == "echo":
        answer(request, request.get("params", {}))
    elif method == "env":
        answer(request, dict(os.environ))
    elif method == "args":
        answer(request, {"args": sys.argv[1:], "pid": os.getpid()})
    elif method == "noise":
        say("starting up ...\r\n\r\n{not json}\n[]\n\x00\x01")
        say('{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\r')
        say('{"jsonrpc":"2.0","id":1,"method":"ping"}')
        answer(request, {}, "\r\n")
    elif method == "flood":
        for i in range(100000):
            sys.stderr.write("\x1b[31mline %d of many that nobody asked for\n" % i)
        sys.stderr.flush()
        answer(request, {})
    elif method == "die":
        os._exit(3)
    elif method == "die-speaking":
        answer(request, {"last": True}, "")
        os._exit(0)
    elif method == "big":
        say('"' + "x" * 200000 + '"')
    elif method == "mute":
        sys.stdout.close()
        os.close(1)
        time.sleep(30)
    elif method == "deaf":
        say('{"jsonrpc":"2.0","method":"notifications/deaf"}')
        time.sleep(0.5)
        answer(request, {})
    elif method == "grandchild":
        child = subprocess.Popen(["sleep", "30"])
        answer(request, {"pid": child.pid})
    elif method == "stay":
        if request["params"]["how"] == "hard":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        answer(request, {"pid": os.getpid()})
        for _ in sys.stdin:
            pass
        time.sleep(30)
    elif method == "late":
        time.sleep(0.2)
        answer(request, {"late": True})
    elif method == "twice":
        answer(request, {"n": 1})
        answer(request, {"n": 2})


for line in iter(sys.stdin.readline, ""):
    handle(json.loads(line))
