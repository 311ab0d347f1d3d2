"""page.py guard|report|stream WHAT IMAGES: a guard's page while it runs (WHAT: its address), its report (a file), or a stream's page
(an address), in headless Chromium. IMAGES: a folder for screenshots."""
import sys

from browser import Browser, PageChecks

kind, what, images = sys.argv[1:4]
holds = PageChecks()


def drawn(b, name):
    holds(b.js("document.querySelector('h1').textContent").startswith("sh -c while sleep"), "%s does not name the job" % name)
    holds(b.js("document.querySelectorAll('.chart').length") >= 5, "%s has hardly any charts" % name)
    holds(b.js("document.querySelectorAll('.chart[data-chart=\"children.started\"]').length") == 1, "%s: children.started" % name)
    holds(b.js("document.querySelectorAll('#causes article').length") >= 1, "%s does not say what is thought of it" % name)
    holds(b.js("document.querySelectorAll('#verdicts tr').length") > 10, "%s has no verdicts" % name)


SAMPLES = "Number([...document.querySelectorAll('.figures small')].map(e => /^(\\d+) samples/.exec(e.textContent)).find(m => m)[1])"


def guard(b):
    b.size(1280, 900)
    b.open(what)
    b.wait("document.querySelector('.chart[data-chart=\"children.started\"]')", "charts")
    drawn(b, "the page")
    before = b.js(SAMPLES)
    b.wait(SAMPLES + " >= %d" % (before + 5), "five more samples, which come by themselves")
    holds(b.js("document.body.classList.contains('lost')") is False, "the page has lost the guard")
    holds(b.js("window.faults") == [], "the page has faults")
    b.shot(images + "/watch-page.png")
    b.size(390, 844, dark=True)
    b.open(what)
    drawn(b, "the page on a phone")
    wide = b.js("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    holds(wide <= 0, "the page is %s px wider than a phone" % wide)


def report(b):
    for width in (1280, 390):
        b.size(width, 900)
        b.open("file://" + what)
        drawn(b, "the report")
        holds.whole(b, "the report at %d" % width)
    holds("ended" in b.js("document.querySelector('.figures').textContent"), "the report does not say that the run has ended")
    holds(b.js("document.querySelectorAll('script[src], link[rel=stylesheet], img').length") == 0, "the report fetches something")


def stream(b):
    tile = "document.querySelector('[data-camera^=\"lavfi:testsrc2\"]')"
    b.size(1280, 900)
    b.open(what)
    b.wait(tile + "?.classList.contains('playing') && " + tile + ".querySelector('img')?.naturalWidth == 320", "the source's picture")
    holds(b.js("document.querySelectorAll('.camera').length") == 2, "there are two sources")
    b.wait("document.querySelector('.camera.waiting, .camera.connecting')", "the source that does not answer")
    b.wait("Number(document.querySelector('[data-figure=events]').textContent) >= 1", "events")
    b.wait("document.querySelectorAll('#events li').length >= 1", "events in the list")
    b.wait("document.querySelector('#events li img')?.naturalWidth == 320", "the event's picture")
    holds("<door>" in b.js("document.querySelector('#events li b').textContent"), "the zone's name is not text")
    rate = "document.querySelector('.chart[data-chart=rate] g[data-name]')?.dataset.y.split(',').length"
    b.wait(rate + " >= 3", "three seconds of frames in a chart")
    holds(b.js("document.querySelector('.chart[data-chart=rate] g[data-name]').dataset.y.split(',').some(v => Number(v) > 0)"), "no frames")
    heard = b.js("Number(document.body.dataset.heard)")
    b.wait("Number(document.body.dataset.heard) > %d" % heard, "more news")
    holds.whole(b, "the page", 0.02)
    b.shot(images + "/stream.png")
    b.size(390, 844, dark=True)
    b.open(what)
    b.wait(tile + ".querySelector('img')?.naturalWidth == 320", "the picture on a phone")
    holds.whole(b, "the page on a phone", 0.02)


with Browser() as browser:
    {"guard": guard, "report": report, "stream": stream}[kind](browser)
print("%d checks in the browser" % holds.n)
