// A Map as an LRU cache of 2,500 pages; the oldest is dropped.
const pages = new Map();
let n = 0;
setInterval(() => {
    const key = Math.floor(Math.random() * Math.random() * 20000);
    const page = pages.get(key) || "x".repeat(20000 + (n++ % 10)) + key;
    pages.delete(key);
    pages.set(key, page.split("").reverse().join("").slice(0, 20000));
    if (pages.size > 2500) pages.delete(pages.keys().next().value);
}, 10);
setTimeout(() => process.exit(0), 1000 * Number(process.env.REAL_S || 100));
