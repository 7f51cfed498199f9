#!/usr/bin/env node
// Imports orders from a service that is sometimes down, and tells the state of the circuit breaker in front of it.
//
//   moko-mon run -- ./import-orders.mjs URL

import { execFileSync } from "node:child_process";

const CLOSED = 0;
const OPEN = 1;

const url = process.argv[2];
if (!url) {
  console.error("usage: import-orders.mjs URL");
  process.exit(2);
}

function push(...words) {
  execFileSync("moko-mon", ["push", ...words], { stdio: "inherit" });
}

try {
  const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
  const orders = await answer.json();
  push("set", "moko_circuit_breaker_state", String(CLOSED), "service=orders");
  push("inc", "orders_imported_total", String(orders.length), "--type", "counter");
} catch (problem) {
  push("set", "moko_circuit_breaker_state", String(OPEN), "service=orders");
  console.error(`import failed: ${problem.message}`);
  process.exitCode = 1;
}
