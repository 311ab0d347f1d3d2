"""browser.py: headless Chromium for tests, driven over its debugging pipe: no package but Python's own.

    with Browser() as b:
        b.size(1280, 900); b.open(url); b.wait("document.title == 'x'"); b.js("..."); b.shot("a.png")

Exits with 77 (skipped) where there is no Chromium."""
import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

from checks import Checks

PATIENCE_S = 60

# Every move of what was already shown, without a hand of the reader: the sum of the browser's own scores.
SHIFTS = """
window.shifts = 0;
new PerformanceObserver(l => { for (const e of l.getEntries()) if (!e.hadRecentInput) window.shifts += e.value; })
    .observe({type: 'layout-shift', buffered: true});
window.faults = [];
addEventListener('error', e => window.faults.push(String(e.message)));
addEventListener('unhandledrejection', e => window.faults.push(String(e.reason)));
addEventListener('securitypolicyviolation', e => window.faults.push(e.violatedDirective + ' ' + e.blockedURI));
"""


class Failed(Exception):
    pass


class PageChecks(Checks):
    def whole(self, b, what, most_shift=0.001):
        """Nothing is wider than the window, moved by itself, or was a fault. most_shift: by the browser's score, of which 0.1
        is called good: of a page that runs, what comes in for the first time takes its place."""
        wide = b.js("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        self(wide <= 0, "%s is %s px wider than its window" % (what, wide))
        shifts = b.js("window.shifts")
        self(shifts < most_shift, "%s moves by itself: %s" % (what, shifts))
        faults = b.js("window.faults")
        self(faults == [], "%s: %s" % (what, faults))


class Browser:
    def __init__(self):
        program = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
        if program is None:
            print("no Chromium here (on Debian: apt-get install chromium)")
            sys.exit(77)
        self.folder = tempfile.mkdtemp(prefix="vigil-browser-")
        to_r, self.to = os.pipe()
        self.back, back_w = os.pipe()

        def place():  # Chromium reads from 3 and writes to 4
            os.dup2(to_r, 30)
            os.dup2(back_w, 31)
            os.dup2(30, 3)
            os.dup2(31, 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe",
             "--no-first-run", "--disable-extensions", "--user-data-dir=" + self.folder, "about:blank"],
            preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        os.close(to_r)
        os.close(back_w)
        self.rest = b""
        self.n = 0
        self.session = None
        self.failed_loads = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Runtime.enable")
        self.call("Page.addScriptToEvaluateOnNewDocument", source=SHIFTS)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.back)
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, **params):
        self.n += 1
        message = {"id": self.n, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            while b"\0" in self.rest:
                text, self.rest = self.rest.split(b"\0", 1)
                answer = json.loads(text)
                if answer.get("id") == self.n:
                    if "error" in answer:
                        raise Failed(method + ": " + answer["error"]["message"])
                    return answer["result"]
            if select.select([self.back], [], [], 1)[0]:
                got = os.read(self.back, 1 << 20)
                if not got:
                    raise Failed("the browser has ended")
                self.rest += got
        raise Failed("no answer to " + method)

    def size(self, width, height, dark=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 700)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.wait("document.readyState == 'complete' && location.href != 'about:blank'")

    def js(self, text):
        answer = self.call("Runtime.evaluate", expression=text, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise Failed(text + ": " + json.dumps(answer["exceptionDetails"])[:500])
        return answer["result"].get("value")

    def wait(self, text, why=None):
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                if self.js("Boolean(%s)" % text):
                    return
            except Failed:
                pass  # between two pages
            time.sleep(0.05)
        raise Failed("waited in vain for: " + (why or text))

    def key(self, key):
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, text=key if len(key) == 1 and kind == "keyDown" else "",
                      code=key, windowsVirtualKeyCode={"ArrowLeft": 37, "ArrowRight": 39, "Escape": 27}.get(key, 0))

    def move(self, x, y):
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def shot(self, path, full=False, kind="png"):
        size = {}
        if full:
            content = self.call("Page.getLayoutMetrics")["cssContentSize"]
            size = {"clip": {"x": 0, "y": 0, "width": content["width"], "height": min(content["height"], 8000), "scale": 1},
                    "captureBeyondViewport": True}
        data = self.call("Page.captureScreenshot", format=kind, **size)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))
