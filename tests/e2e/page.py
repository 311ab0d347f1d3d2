"""page.py LIVE REPORT IMAGES: a guard's page in headless Chromium, while it runs, and its report as a file. LIVE: its address;
REPORT: "" or a file to look at instead."""
import sys

from browser import Browser

live, report, images = sys.argv[1:4]
n = 0


def holds(truth, why):
    global n
    if not truth:
        raise SystemExit("FAILED: " + why)
    n += 1


def whole(b, what):
    wide = b.js("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    holds(wide <= 0, "%s is %s px wider than its window" % (what, wide))
    faults = b.js("window.faults")
    holds(faults == [], "%s: %s" % (what, faults))


def drawn(b, what):
    holds(b.js("document.querySelector('h1').textContent").startswith("sh -c while sleep"), "%s does not name the job" % what)
    holds(b.js("document.querySelectorAll('.chart').length") >= 5, "%s has hardly any charts" % what)
    holds(b.js("document.querySelectorAll('.chart[data-chart=\"children.started\"]').length") == 1, "%s: children.started" % what)
    holds(b.js("document.querySelectorAll('#causes article').length") >= 1, "%s does not say what is thought of it" % what)
    holds(b.js("document.querySelectorAll('#verdicts tr').length") > 10, "%s has no verdicts" % what)


SAMPLES = "Number([...document.querySelectorAll('.figures small')].map(e => /^(\\d+) samples/.exec(e.textContent)).find(m => m)[1])"

with Browser() as b:
    if report:
        for width in (1280, 390):
            b.size(width, 900)
            b.open("file://" + report)
            drawn(b, "the report")
            whole(b, "the report at %d" % width)
        holds("ended" in b.js("document.querySelector('.figures').textContent"), "the report does not say that the run has ended")
        holds(b.js("document.querySelectorAll('script[src], link[rel=stylesheet], img').length") == 0, "the report fetches something")
    else:
        b.size(1280, 900)
        b.open(live)
        b.wait("document.querySelector('.chart[data-chart=\"children.started\"]')", "charts")
        drawn(b, "the page")
        before = b.js(SAMPLES)
        b.wait(SAMPLES + " >= %d" % (before + 5), "five more samples, which come by themselves")
        holds(b.js("document.body.classList.contains('lost')") is False, "the page has lost the guard")
        whole(b, "the page")
        b.shot(images + "/watch-page.png")
        b.size(390, 844, dark=True)
        b.open(live)
        drawn(b, "the page on a phone")
        whole(b, "the page on a phone")
print("%d checks in the browser" % n)
