/* page.js: what a page does beyond showing itself: keeps its parts up to date, shows values under the
 * pointer, opens pictures, changes between light and dark. Every page is whole without it. Text that
 * comes from the program is put in as text, or is a part that the program itself has drawn. */
'use strict';
(() => {
  const $ = (what, where = document) => where.querySelector(what);
  const all = (what, where = document) => [...where.querySelectorAll(what)];
  const root = document.documentElement;

  /* ---- light and dark: before the first picture of the page ---- */
  let kept = null;
  try { kept = localStorage.getItem('vigil-theme'); } catch (e) { /* a saved page may have no store */ }
  if (kept === 'light' || kept === 'dark') root.dataset.theme = kept;
  const isDark = () => root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  const turn = () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    try { localStorage.setItem('vigil-theme', root.dataset.theme); } catch (e) { /* then for this page alone */ }
  };

  /* ---- acts ---- */
  /* What was asked for is said where it was asked, also in a part that has come anew: the program may be gone before it
   * could show a page. */
  const asked = new Map();
  const tellAsked = () => {
    for (const form of all('.act form')) if (asked.has(form.action)) $('summary', form.closest('.act')).textContent = asked.get(form.action);
  };

  /* ---- parts ---- */
  const busy = new Map();
  const placeOf = url => { const u = new URL(url, location.href); u.hash = ''; return u; };
  async function fetchPart(name, url) {
    const u = placeOf(url);
    u.searchParams.set('part', name);
    const answer = await fetch(u, {cache: 'no-store'});
    if (!answer.ok) throw new Error(answer.status);
    return new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById(name);
  }
  /* One at a time of each part; a wish that comes meanwhile is kept. */
  async function renew(name) {
    if (busy.has(name)) { busy.set(name, true); return; }
    busy.set(name, false);
    try {
      const fresh = await fetchPart(name, location.href), old = document.getElementById(name);
      if (fresh && old) {
        const open = all('details[open]', old).length > 0, focus = old.contains(document.activeElement) && document.activeElement.matches('input');
        for (const mark of all('input:checked', old)) for (const same of all('input', fresh)) if (same.name === mark.name) same.setAttribute('checked', '');
        if (!open && !focus) old.replaceWith(document.adoptNode(fresh));
        tellAsked();
        if (shown) point(shown.x, shown.group);
      }
    } catch (e) { /* the next news asks again */ }
    const again = busy.get(name);
    busy.delete(name);
    if (again) renew(name);
  }
  function learn(news) {
    for (const [name, text] of Object.entries(news.figures || {}))
      for (const e of all('[data-figure]')) if (e.dataset.figure === name && e.textContent !== text) e.textContent = text;
    for (const [name, value] of Object.entries(news.bars || {}))
      for (const e of all('[data-bar]')) if (e.dataset.bar === name) e.value = value;
    for (const [name, version] of Object.entries(news.parts || {})) {
      const e = document.getElementById(name);
      if (e && e.dataset.part === name && e.dataset.version !== version) renew(name);
    }
    if (news.state) document.body.dataset.state = news.state;
  }
  function listen() {
    const path = document.body.dataset.events;
    if (!path || !window.EventSource) return;
    const word = $('#link span'), say = (text, lost) => { word.textContent = text; document.body.classList.toggle('lost', lost); };
    const stream = new EventSource(path);
    let heard = Date.now();
    stream.onopen = () => { heard = Date.now(); say('live', false); };
    stream.onmessage = e => { heard = Date.now(); document.body.dataset.heard = Number(document.body.dataset.heard || 0) + 1; learn(JSON.parse(e.data)); };
    stream.onerror = () => {
      if (stream.readyState === 2) { say('waiting', true); setTimeout(listen, 10000); } /* no place was free */
      else if (Date.now() - heard > 4000) say('gone', true);
    };
    addEventListener('pagehide', () => stream.close());
  }

  /* ---- pictures that are read again and again, one after another, while somebody looks ---- */
  let stills = 0;
  setInterval(() => {
    if (document.hidden || stills > 0) return;
    const due = all('img[data-still]').filter(i => Date.now() >= (i.due || 0)).sort((a, b) => (a.due || 0) - (b.due || 0))[0];
    if (!due) return;
    const next = new Image(), done = wait => () => { stills--; due.due = Date.now() + wait; };
    stills++;
    due.due = Infinity;
    next.onload = () => { due.src = next.src; done(1000)(); };
    next.onerror = done(4000);
    next.src = due.dataset.still + '?n=' + Date.now();
  }, 50);

  /* ---- charts ---- */
  let shown = null;
  const numbers = text => text.split(/[ ,]/).map(t => t === '' ? NaN : Number(t));
  const figure = (unit, v) => {
    if (!Number.isFinite(v)) return '-';
    const short = n => String(Number(n.toPrecision(4)));
    if (unit === 'percent') return short(100 * v) + ' %';
    if (unit === 'bytes-per-s') return figure('bytes', v) + '/s';
    if (unit === 'bytes') { let i = 0; while (Math.abs(v) >= 1024 && i < 4) { v /= 1024; i++; } return short(v) + ' ' + ['B', 'KB', 'MB', 'GB', 'TB'][i]; }
    if (unit === 'seconds') return v >= 86400 ? short(v / 86400) + ' d' : v >= 3600 ? short(v / 3600) + ' h' : v >= 60 ? short(v / 60) + ' min' : short(v) + ' s';
    if (unit === 'per-s') return short(v) + '/s';
    return short(v);
  };
  function read(svg) {
    if (svg.vigil) return svg.vigil;
    const [left, right, top, bottom] = numbers(svg.dataset.frame), [from, to, low, high] = numbers(svg.dataset.range);
    const lines = all('g[data-x]', svg).map(g => ({name: g.dataset.name, color: [...g.classList].find(c => /^c\d$/.test(c)), x: numbers(g.dataset.x), y: numbers(g.dataset.y)}));
    const [xUnit, yUnit] = svg.dataset.units.split(' ');
    return svg.vigil = {left, right, top, bottom, from, to, low, high, log: svg.dataset.log === '1', lines, xUnit, yUnit};
  }
  function nearest(xs, x) {
    let a = 0, b = xs.length - 1;
    while (b - a > 1) { const m = (a + b) >> 1; if (xs[m] < x) a = m; else b = m; }
    return b >= 0 && Math.abs(xs[b] - x) < Math.abs(xs[a] - x) ? b : a;
  }
  const svgNode = (name, attributes) => {
    const e = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
    return e;
  };
  function clear() {
    all('.cursor, .at').forEach(e => e.remove());
    all('.tip').forEach(e => e.remove());
    shown = null;
  }
  function drawCursor(svg, x) {
    const f = read(svg), px = v => f.left + (f.right - f.left) * (v - f.from) / (f.to - f.from),
          py = v => f.bottom - (f.bottom - f.top) * ((f.log ? Math.log10(v) : v) - f.low) / (f.high - f.low);
    const rows = [];
    let at = null;
    for (const l of f.lines) {
      if (!l.x.length) continue;
      const i = nearest(l.x, x);
      if (at === null || Math.abs(l.x[i] - x) < Math.abs(at - x)) at = l.x[i];
      rows.push({l, i});
    }
    if (at === null) return null;
    svg.append(svgNode('path', {class: 'cursor', d: `M${px(at)} ${f.top}V${f.bottom}`}));
    for (const {l, i} of rows)
      if (Number.isFinite(l.y[i]) && (!f.log || l.y[i] > 0)) svg.append(svgNode('circle', {class: 'at ' + l.color, cx: px(l.x[i]), cy: py(l.y[i]), r: 3.5}));
    return {at, part: px(at) / svg.viewBox.baseVal.width, rows: rows.map(({l, i}) => ({name: l.name, color: l.color, text: figure(f.yUnit, l.y[i])})), xText: figure(f.xUnit, at)};
  }
  /* The same place in every chart of the group: small multiples are read together. */
  function point(x, group, own) {
    clear();
    for (const svg of all('.chart > svg[data-frame]')) {
      if (svg.dataset.units.split(' ')[0] !== group) continue;
      const found = drawCursor(svg, x);
      if (!found || svg !== own) continue;
      const tip = document.createElement('div'), head = document.createElement('b');
      tip.className = 'tip';
      head.textContent = found.xText;
      tip.append(head);
      for (const row of found.rows) {
        const line = document.createElement('div'), dot = document.createElement('i'), name = document.createElement('em'), value = document.createElement('span');
        line.className = row.color; name.textContent = row.name; value.textContent = row.text; name.style.fontStyle = 'normal';
        line.append(dot, name, value);
        tip.append(line);
      }
      const box = svg.parentElement;
      box.append(tip);
      const w = box.clientWidth, at = svg.offsetLeft || 0, px = found.part * svg.getBoundingClientRect().width + at + 12;
      tip.style.left = Math.max(4, px + tip.offsetWidth + 8 > w ? px - tip.offsetWidth - 24 : px) + 'px';
      tip.style.top = '2.6rem';
    }
    shown = {x, group};
  }
  addEventListener('pointermove', e => {
    const svg = e.target.closest && e.target.closest('.chart > svg[data-frame]');
    if (!svg) { if (shown) clear(); return; }
    const f = read(svg), box = svg.getBoundingClientRect(), at = (e.clientX - box.left) * svg.viewBox.baseVal.width / box.width;
    point(f.from + (f.to - f.from) * Math.min(Math.max((at - f.left) / (f.right - f.left), 0), 1), f.xUnit, svg);
  }, {passive: true});
  function step(svg, by) {
    const f = read(svg), l = f.lines[0];
    if (!l || !l.x.length) return;
    const i = shown ? nearest(l.x, shown.x) : l.x.length - 1;
    point(l.x[Math.min(Math.max(i + (shown ? by : 0), 0), l.x.length - 1)], f.xUnit, svg);
  }

  /* ---- pictures ---- */
  function show(link) {
    let box = $('dialog');
    if (!box) {
      box = document.createElement('dialog');
      box.append(document.createElement('img'), document.createElement('p'));
      box.addEventListener('click', () => box.close());
      document.body.append(box);
    }
    const image = $('img', link);
    box.path = link.getAttribute('href');
    $('img', box).src = box.path;
    $('img', box).alt = $('p', box).textContent = image ? image.alt : '';
    if (!box.open) box.showModal();
  }
  const nextPicture = by => {
    const box = $('dialog'), links = all('[data-shot]'), i = links.findIndex(l => l.getAttribute('href') === box.path);
    if (links.length) show(links[(i + by + links.length) % links.length]);
  };

  /* ---- hands ---- */
  addEventListener('click', e => {
    if (e.target.closest('#theme')) { turn(); return; }
    if (e.ctrlKey || e.metaKey || e.shiftKey || e.button !== 0) return;
    const shot = e.target.closest('[data-shot]');
    if (shot && window.HTMLDialogElement) { e.preventDefault(); show(shot); return; }
    /* A view of the same page: its part alone is drawn anew, and nothing jumps. */
    const view = e.target.closest('a[data-view]');
    if (view) {
      e.preventDefault();
      history.replaceState(null, '', view.href);
      renew(view.dataset.view);
      return;
    }
    for (const open of all('details.act[open]')) if (!open.contains(e.target)) open.open = false;
  });
  addEventListener('keydown', e => {
    const box = $('dialog[open]');
    if (box && (e.key === 'ArrowLeft' || e.key === 'ArrowRight')) { nextPicture(e.key === 'ArrowLeft' ? -1 : 1); return; }
    if (e.target.matches && e.target.matches('.chart > svg') && (e.key === 'ArrowLeft' || e.key === 'ArrowRight')) {
      e.preventDefault();
      step(e.target, (e.key === 'ArrowLeft' ? -1 : 1) * (e.ctrlKey ? 10 : 1));
      return;
    }
    if (e.target.matches && e.target.matches('input, textarea, select')) { if (e.key === 'Escape') e.target.blur(); return; }
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === 't') turn();
    else if (e.key === 'l') { const log = $('a[data-key=l]'); if (log) log.click(); }
    else if (e.key === '/') { const field = $('input[type=search]'); if (field) { e.preventDefault(); field.focus(); field.select(); } }
    else if (e.key === 'Escape') { clear(); for (const open of all('details.act[open]')) open.open = false; }
    else if (e.key === 'u') { const up = all('.top nav a'); if (up.length) location.href = up[up.length - 1].href; }
  });
  addEventListener('submit', async e => {
    const act = e.target.closest('.act'), action = e.target.action;
    if (!act) return;
    e.preventDefault();
    act.open = false;
    const say = text => { asked.set(action, text); tellAsked(); };
    say('…');
    try {
      const answer = await fetch(action, {method: 'POST', redirect: 'manual'});
      say(answer.ok || answer.type === 'opaqueredirect' ? 'Asked for' : (await answer.text()).trim().slice(0, 80));
    } catch (fault) {
      say('No answer');
    }
  });
  let typing = 0;
  addEventListener('input', e => {
    const form = e.target.form;
    if (!form || !form.dataset.view) return;
    clearTimeout(typing);
    typing = setTimeout(async () => {
      const u = placeOf(location.href);
      for (const [k, v] of new FormData(form)) u.searchParams.set(k, v);
      history.replaceState(null, '', u);
      const fresh = await fetchPart(form.dataset.view, u).catch(() => null), old = fresh && document.getElementById(form.dataset.view);
      if (old) old.replaceWith(document.adoptNode(fresh));
    }, 200);
  });
  addEventListener('DOMContentLoaded', listen);
})();
