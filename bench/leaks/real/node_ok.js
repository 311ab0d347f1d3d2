// A service that parses and answers; what requests make is dropped.
const http = require("http");
http.createServer((q, r) => {
    const rows = new Array(2000).fill(0).map((_, i) => ({ i, at: q.url + i }));
    r.end(JSON.stringify(rows).slice(0, 500));
}).listen(Number(process.env.PORT), "127.0.0.1");
setTimeout(() => process.exit(0), 1000 * Number(process.env.REAL_S || 100));
