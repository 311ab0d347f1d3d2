// A socket for each message to a service, never ended.
const net = require("net");
const sockets = [];
setInterval(() => {
    const s = net.connect(Number(process.env.PORT), "127.0.0.1");
    s.on("error", () => {});
    s.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    s.resume();
    sockets.push(s);
}, 200);
setTimeout(() => process.exit(0), 1000 * Number(process.env.REAL_S || 100));
