// Fetching curves from the server.
import { root } from "./dom.js";
import { read } from "./series.js";

const RUNS_PER_REQUEST = 50; // keeps the address well under what servers and proxies take
const PAUSES_MS = [250, 1000];
const BUCKETS_MIN = 100;
const BUCKETS_MAX = 2000;
const POINTS_AIM = 100_000; // of all runs of a chart together, at four points a bucket

function address(path, fields) {
  return `${root()}/charts/${path}?${new URLSearchParams(fields)}`;
}

/** The address of every point of a metric, as CSV. */
export function csvAddress(runs, metric) {
  return address("series.csv", [...runs.map((run) => ["run", run]), ["metric", metric]]);
}

/**
 * One bucket for each CSS pixel, in steps of 50 so that a small change of width asks for the same again. Of many runs
 * each gets fewer, and keeps the lowest and highest value of every bucket as ever.
 */
export function bucketsFor(width, runs) {
  const share = Math.ceil(POINTS_AIM / 4 / runs);
  return Math.min(BUCKETS_MAX, Math.max(BUCKETS_MIN, Math.min(share, Math.ceil(width / 50) * 50)));
}

/** Fetches, and tries again where no answer came at all: a network that changes drops whatever is under way. */
async function patientFetch(url, options, pauses = PAUSES_MS) {
  try {
    return await fetch(url, options);
  } catch (error) {
    if (options.signal.aborted || !pauses.length) throw error;
    await new Promise((resume) => setTimeout(resume, pauses[0]));
    return patientFetch(url, options, pauses.slice(1));
  }
}

async function request(fields, signal) {
  const headers = { Accept: "application/json" };
  const answer = await patientFetch(address("curves", fields), { signal, headers });
  const body = await answer.json().catch(() => null);
  if (!answer.ok) throw new Error(body?.message ?? `The server answered ${answer.status}`);
  return body.series.map(read);
}

/** The curves of `metric` for all runs, in their order. `range` is [start, end] on the axis, or null for everything. */
export async function loadCurves({ runs, metric, axis, range, buckets }, signal) {
  const common = [["metric", metric], ["axis", axis], ["buckets", buckets]];
  if (range) common.push(["start", range[0]], ["end", range[1]]);
  const parts = [];
  for (let first = 0; first < runs.length; first += RUNS_PER_REQUEST) {
    const some = runs.slice(first, first + RUNS_PER_REQUEST);
    parts.push(request([...some.map((run) => ["run", run]), ...common], signal));
  }
  return (await Promise.all(parts)).flat();
}
