// Each request adds a listener to the shared bus, with its body in the closure, and takes it off never.
const { EventEmitter } = require("events");
const bus = new EventEmitter();
bus.setMaxListeners(0);
setInterval(() => {
    const body = new Array(8000).fill(0).map(() => Math.random());
    bus.on("flush", () => body.length);
}, 14);
setTimeout(() => process.exit(0), 1000 * Number(process.env.REAL_S || 100));
