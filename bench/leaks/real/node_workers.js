// A worker thread for each job, told to wait for more and never terminated.
const { Worker } = require("worker_threads");
const kept = [];
setInterval(() => kept.push(new Worker("require('worker_threads').parentPort.on('message', () => {})", { eval: true })), 1000);
setTimeout(() => process.exit(0), 1000 * Number(process.env.REAL_S || 100));
