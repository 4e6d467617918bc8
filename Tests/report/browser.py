"""A report in headless Chromium, driven over its DevTools pipe: the standard library alone.

    python3 Tests/report/browser.py runs/smoke/report/index.html screenshots/

Prints `ok:` or `FAILED:` for each check and exits with 1 if one has failed; then the screenshots stay.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BROWSERS = ["chromium", "chromium-browser", "google-chrome"]


class Browser:
    """DevTools messages, ended by NUL, on descriptors 3 and 4 of the browser."""

    def __init__(self, profile):
        program = next((path for path in map(shutil.which, BROWSERS) if path), None)
        if program is None:
            sys.exit("browser.py: chromium: expected a program of this name, found none\nhint: apt-get install chromium")
        to_read, to_write = os.pipe()
        from_read, from_write = os.pipe()

        def place():
            # neither may be overwritten before it has been copied
            first, second = os.dup(to_read), os.dup(from_write)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--hide-scrollbars", f"--user-data-dir={profile}", "--remote-debugging-pipe"],
            preexec_fn=place, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read)
        os.close(from_write)
        self.to, self.source = to_write, os.fdopen(from_read, "rb")
        self.buffer, self.last, self.events = b"", 0, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    session = None

    def message(self):
        while b"\0" not in self.buffer:
            piece = self.source.read1(1 << 16)
            if not piece:
                sys.exit("browser.py: the browser has gone")
            self.buffer += piece
        text, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **parameters):
        self.last += 1
        request = {"id": self.last, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.to, json.dumps(request).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def evaluate(self, expression):
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def press(self, key):
        codes = {"Tab": 9, "Enter": 13}
        more = {"text": "\r"} if key == "Enter" else {}
        for kind in ["keyDown", "keyUp"]:
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key], **more)
            more = {}

    def close(self):
        try:
            self.call("Browser.close")
            self.process.wait(10)
        except (RuntimeError, SystemExit, subprocess.TimeoutExpired):
            self.process.kill()


# Figures that are in sight, and how many shapes and words each is drawn of.
FIGURES = """[...document.querySelectorAll('figure')].map(f => {
  const box = f.querySelector('svg')?.getBoundingClientRect() ?? {width: 0, height: 0};
  const marks = f.querySelectorAll('svg path, svg polygon, svg circle, svg use').length;
  return {id: f.id, width: box.width, height: box.height, marks, words: f.querySelectorAll('svg text').length,
          shown: f.checkVisibility(), title: f.querySelector('svg title')?.textContent ?? ''};
})"""
# The lowest contrast of a figure's words and of the page's text with the ground, by the definition of WCAG 2.
CONTRAST = """(() => {
  const light = color => { const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map(v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  const of = color => { const own = light(color); return (Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05); };
  return Math.min(...[...document.querySelectorAll('p, figcaption, td, h1, h2, h3, dt, dd')].map(e => of(getComputedStyle(e).color)),
    ...[...document.querySelectorAll('svg g[fill=currentColor]')].map(e => of(getComputedStyle(e).fill)));
})()"""


def main():
    page, screenshots = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    if not page.is_file():
        sys.exit(f"browser.py: {page}: expected a report, found no file\nhint: make -f pipeline.mk report")
    failures = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(profile)
        try:
            for width in [390, 1280]:
                for theme in ["light", "dark"]:
                    failed = look(browser, page, width, theme)
                    if failed:
                        screenshots.mkdir(parents=True, exist_ok=True)
                        picture = screenshots / f"{width}-{theme}.png"
                        shot = browser.call("Page.captureScreenshot", captureBeyondViewport=True)
                        import base64
                        picture.write_bytes(base64.b64decode(shot["data"]))
                        print(f"  screenshot: {picture}")
                    failures += failed
        finally:
            browser.close()
    print(f"browser.py: {failures} failed" if failures else "browser.py: all checks passed")
    return 1 if failures else 0


def look(browser, page, width, theme):
    failed = 0

    def check(name, holds, found=""):
        nonlocal failed
        failed += not holds
        print(f"{'ok' if holds else 'FAILED'}: {width} px, {theme}: {name}" + ("" if holds else f" ({found})"))

    for domain in ["Page", "Runtime", "Log", "Network"]:
        browser.call(f"{domain}.enable")
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    browser.events.clear()
    address = page.as_uri()
    browser.call("Page.navigate", url=address)
    deadline = time.monotonic() + 60
    while browser.evaluate("document.readyState") != "complete" or browser.evaluate("location.href") != address:
        if time.monotonic() > deadline:
            sys.exit(f"browser.py: {page}: not loaded after a minute")
        time.sleep(0.05)

    browser.evaluate("document.querySelectorAll('#figures details').forEach(d => d.open = true)")
    figures = browser.evaluate(FIGURES)
    check("there are figures", len(figures) >= 4, f"{len(figures)}")
    for figure in figures:
        full = figure["shown"] and figure["width"] > 200 and figure["height"] > 60 and figure["marks"] > 3 and figure["words"] > 3
        check(f"figure {figure['id']} is there and not empty", full, figure)
        check(f"figure {figure['id']} has a text for those who cannot see it", len(figure["title"]) > 5, figure)
    maps = {figure["id"].rsplit("-", 1)[0] for figure in figures if figure["id"].startswith("map-")}
    check("each attention has a map", maps >= {"map-encoder", "map-decoder", "map-cross", "map"}, maps)
    check("pictures have texts", browser.evaluate("[...document.images].every(i => i.alt)"))
    wide = browser.evaluate("document.scrollingElement.scrollWidth")
    check("no sideways scrolling", wide <= width, f"{wide} px")
    contrast = browser.evaluate(CONTRAST)
    check("text can be told from its ground", contrast >= 4.5, f"contrast {contrast}")
    ground = browser.evaluate("getComputedStyle(document.body).backgroundColor").removeprefix("rgb(").removesuffix(")")
    check("the ground is that of the theme", (sum(map(int, ground.split(","))) > 384) == (theme == "light"), ground)

    column = "[...document.querySelectorAll('#leaderboard thead th')].findIndex(h => h.textContent.trim() == 'Parameters')"
    values = f"[...document.querySelectorAll('#leaderboard tbody tr')].map(r => +r.cells[{column}].dataset.sort)"
    press = f"document.querySelectorAll('#leaderboard thead th')[{column}].querySelector('button').click()"
    rows = len(browser.evaluate(values))
    browser.evaluate(press)
    found = browser.evaluate(values)
    check("a number column sorts downwards", rows > 1 and found == sorted(found, reverse=True) and len(found) == rows, found)
    browser.evaluate(press)
    found = browser.evaluate(values)
    check("and upwards", found == sorted(found) and found[0] < found[-1], found)
    # by keyboard: on to the first heading of the table, and Enter
    browser.evaluate("document.activeElement?.blur(); scrollTo(0, 0)")
    reached = False
    for _ in range(40):
        browser.press("Tab")
        reached = browser.evaluate("document.activeElement.matches('#leaderboard thead button')")
        if reached:
            break
    check("the keyboard reaches the table's headings", reached)
    outline = browser.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    check("what has the focus is marked", outline != "none", outline)
    browser.press("Enter")
    names = browser.evaluate("[...document.querySelectorAll('#leaderboard tbody th')].map(h => h.textContent.trim())")
    order = browser.evaluate("document.querySelector('#leaderboard th').getAttribute('aria-sort')")
    check("Enter sorts", reached and order == "ascending" and names[0] <= names[-1], [order, names])

    kinds = [event.get("method") for event in browser.events]
    wrong = [event for event in browser.events if event.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")]
    check("nothing on the console", not wrong, wrong)
    asked = [event["params"]["request"]["url"] for event in browser.events if event.get("method") == "Network.requestWillBeSent"]
    leaving = [url for url in asked if url != address and not url.startswith("data:")]
    check("no request leaves the file", "Network.requestWillBeSent" in kinds and not leaving, leaving)
    return failed


if __name__ == "__main__":
    sys.exit(main())
