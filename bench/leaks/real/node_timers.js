// A connection's heartbeat is an interval that is never cleared; each holds its connection's buffer.
let n = 0;
setInterval(() => {
    const connection = { id: n++, rows: new Array(6000).fill(n) };
    setInterval(() => { connection.last = connection.rows.length; }, 20000);
}, 12);
setTimeout(() => process.exit(0), 1000 * Number(process.env.REAL_S || 100));
