// Parts of an upload are kept in a Map by their id; the entry is removed when the upload ends, and many never do.
const uploads = new Map();
let n = 0;
setInterval(() => {
    uploads.set(n++, Buffer.alloc(100000, 1));
    if (n % 3 === 0) uploads.delete(n - 3);
}, 14);
setTimeout(() => process.exit(0), 1000 * Number(process.env.REAL_S || 100));
