"""board.py OWN ALL IMAGES: the pages of a training and of a board in headless Chromium. OWN, ALL: their addresses."""
import sys

from browser import Browser, PageChecks

own, every, images = sys.argv[1:4]
base = every.split("/?")[0]
holds = PageChecks()
whole = holds.whole


def show_pictures(b):
    b.js("""(async () => {
        for (let y = 0; y < document.body.scrollHeight; y += 400) { scrollTo(0, y); await new Promise(r => setTimeout(r, 30)); }
        scrollTo(0, 0);
        await Promise.all([...document.images].map(i => i.decode().catch(() => 0)));
    })()""")


with Browser() as b:
    # ---- the list, at both widths ----
    b.size(1280, 800)
    b.open(base + "/")
    b.wait("Number(document.body.dataset.heard) >= 1", "news of the list")
    rows = b.js("[...document.querySelectorAll('td.name')].map(e => e.textContent)")
    holds("train/one" in rows and "watch/job" in rows, "the list has %s" % rows)
    holds(any("<img src=x onerror" in r for r in rows), "the hostile name is not text: %s" % rows)
    holds(b.js("document.querySelectorAll('td.name img').length") == 0, "the hostile name is markup")
    whole(b, "the list")
    b.key("/")
    holds(b.js("document.activeElement.name") == "q", "/ does not lead to the filter")
    b.call("Input.insertText", text="two")
    b.wait("document.querySelectorAll('td.name').length == 1", "the filtered list")
    holds(b.js("document.querySelector('td.name').textContent") == "train/two", "the filter found another run")
    b.size(390, 844, dark=True)
    b.open(base + "/")
    whole(b, "the list on a phone")
    dark = b.js("getComputedStyle(document.body).backgroundColor")
    b.key("t")
    holds(b.js("getComputedStyle(document.body).backgroundColor") != dark, "t does not change to light")
    b.key("t")

    # ---- a run that is over ----
    b.size(1280, 800)
    b.js("localStorage.clear()")
    b.open(base + "/run/train/two")
    show_pictures(b)
    holds(b.js("[...document.images].length >= 3 && [...document.images].every(i => i.naturalWidth > 0)"), "pictures did not load")
    holds(b.js("document.querySelector('.chart[data-chart=\"loss/box\"] g[data-name=train]').dataset.x") == "1,2,3,4,5,6,7,8", "its epochs")
    whole(b, "a run")
    # Values under the pointer, in all charts at once; then by keys.
    box = b.js("(r => [r.left, r.top, r.width, r.height])(document.querySelector('.chart[data-chart=\"loss/box\"] > svg')"
               ".getBoundingClientRect())")
    b.move(box[0] + box[2] * 0.97, box[1] + box[3] / 2)
    b.wait("document.querySelector('.tip')", "values under the pointer")
    tip = b.js("document.querySelector('.tip b').textContent")
    holds(tip == "8", "the pointer is at epoch %s" % tip)
    value = b.js("document.querySelector('.tip div span').textContent")
    last = b.js("document.querySelector('.chart[data-chart=\"loss/box\"] g[data-name=train]').dataset.y.split(',').pop()")
    holds(abs(float(value) - float(last)) < 0.001 * max(1, abs(float(last))), "%s is shown, and %s is the value" % (value, last))
    holds(b.js("document.querySelectorAll('.cursor').length") > 3, "the other charts do not follow")
    b.move(5, 5)
    b.js("document.querySelector('.chart[data-chart=\"loss/cls\"] > svg').focus()")
    b.key("ArrowLeft")
    b.key("ArrowLeft")
    holds(b.js("document.querySelector('.tip b').textContent") == "7", "the arrow key does not lead to epoch 7")
    b.key("Escape")
    b.key("l")
    b.wait("document.querySelector('.chart[data-chart=\"loss/box\"] > svg').dataset.log == '1'", "the logarithm")
    holds("log=1" in b.js("location.href"), "the view is not in the address")
    b.js("document.querySelector('[data-shot]').click()")
    b.wait("document.querySelector('dialog[open] img').naturalWidth > 0", "the picture, large")
    b.key("Escape")
    b.size(390, 844, dark=True)
    b.open(base + "/run/train/two")
    show_pictures(b)
    whole(b, "a run on a phone")
    b.shot(images + "/board-phone.png")

    # ---- side by side ----
    b.size(1280, 900)
    b.open(base + "/")
    b.js("[...document.querySelectorAll('tr')].filter(r => /train\\/(one|two)$/.test(r.querySelector('.name')?.textContent))"
         ".forEach(r => r.querySelector('input').click())")
    b.js("document.querySelector('#compare button').click()")
    b.wait("location.pathname == '/compare' && document.querySelector('tr[data-argument=lr0]')", "the page of two runs")
    values = b.js("[...document.querySelectorAll('tr[data-argument=lr0] td')].map(e => e.textContent).sort()")
    holds(values == ["0.002", "0.01", "lr0"], "the differing argument: %s" % values)
    holds(b.js("document.querySelector('tr[data-argument=imgsz]')") is None, "an argument that is the same is shown")
    holds(b.js("document.querySelectorAll('.chart[data-chart=\"loss/box/train\"] g[data-name]').length") == 2, "two lines")
    b.key("l")
    b.wait("document.querySelector('.chart[data-chart=\"loss/box/train\"] > svg').dataset.log == '1'", "the logarithm of two runs")
    holds(b.js("document.querySelectorAll('.chart[data-chart=\"loss/box/train\"] g[data-name]').length") == 2, "two lines of it")
    b.key("l")
    b.wait("document.querySelector('.chart[data-chart=\"loss/box/train\"] > svg').dataset.log == '0'", "and back")
    whole(b, "two runs")
    b.shot(images + "/board-compare.png")
    b.size(390, 844)
    b.js("new Promise(r => setTimeout(r, 100))")
    holds(b.js("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), "two runs on a phone are too wide")

    # ---- the living one, by its own page; at last its button ----
    b.size(1280, 1440)
    b.open(own)
    b.wait("document.querySelector('[data-figure=epoch]')", "the page behind the token")
    holds("token" not in b.js("location.href"), "the token stays in the address")
    first = b.js("document.querySelector('[data-figure=epoch]').textContent")
    b.wait("document.querySelector('[data-figure=epoch]').textContent != %r" % first, "another epoch")
    b.wait("document.querySelector('.chart[data-chart=\"live/memory\"] .limit')", "memory beside its plan")
    points = "document.querySelector('.chart[data-chart=\"loss/box\"] g[data-name=train]').dataset.x.split(',').length"
    before = b.js(points)
    b.wait(points + " > %d" % before, "another point of the curve")
    show_pictures(b)
    shifts = b.js("window.shifts")
    # What comes for the first time takes its place; the browser's own bound of good is 0.1.
    holds(shifts < 0.02, "the living page moves by itself: %s" % shifts)
    holds(b.js("window.faults") == [], "faults: %s" % b.js("window.faults"))
    b.shot(images + "/board-run.png")
    b.js("document.querySelector('.act summary').click()")
    b.wait("document.querySelector('.act form button')", "the button, for who has the token")
    b.js("document.querySelector('.act form button').click()")
    b.wait("document.querySelector('.act summary').textContent == 'Asked for'", "the button to have been heard")
    print("%d values in the browser" % holds.n)
