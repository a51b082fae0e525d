// Two minutes of figures: each snapshot of the server's counters becomes a point of rates and percentiles.

const KEPT = 120; // points
const PAUSE = 5000; // milliseconds without a snapshot after which a line has a gap
const LEAST = 30; // points that a line has room for, so that the first ones are not lost in a corner
const WINDOW = 10; // seconds that percentiles look back over

export class History {
  constructor() {
    this.snapshots = [];
    this.points = [];
  }

  // Takes a snapshot; gives false if it is one that is already known.
  add(overview) {
    const last = this.snapshots.at(-1);
    if (last && overview.instance !== last.instance) this.snapshots = []; // another process counts from zero
    else if (last && overview.uptime_seconds === last.uptime_seconds) return false;
    this.snapshots.push(overview);
    if (this.snapshots.length > KEPT + 1) this.snapshots.shift();
    if (this.points.length && Date.now() - this.points.at(-1).at > PAUSE) this.points.push({ at: Date.now() });
    this.points.push({ at: Date.now(), ...point(this.snapshots) });
    this.points.splice(0, this.points.length - KEPT);
    return true;
  }

  // How many points a line has room for now.
  get span() { return Math.max(LEAST, this.points.length); }

  // How much a counter grew in the time kept.
  grown(read) {
    const newest = this.snapshots.at(-1);
    return read(newest) - read(this.snapshots[0]);
  }
}

function point(snapshots) {
  const now = snapshots.at(-1), before = snapshots.at(-2);
  const found = { readers: now.readers.total, held: now.readers.held_bytes, memory: now.stats.process.memory_bytes };
  if (!before) return found;
  const past = snapshots.findLast(one => one.uptime_seconds <= now.uptime_seconds - WINDOW) ?? snapshots[0];
  const rate = read => (read(now) - read(before)) / (now.uptime_seconds - before.uptime_seconds);
  return {
    ...found,
    appends: rate(one => one.stats.appends),
    deliveries: rate(one => one.stats.deliveries),
    cpu: rate(one => one.stats.process.cpu_seconds),
    p50: quantile(0.5, now.stats.lag, past.stats.lag),
    p99: quantile(0.99, now.stats.lag, past.stats.lag),
    delay: quantile(0.99, now.stats.loop_delay, past.stats.loop_delay),
  };
}

// The value below which a share of what was counted between two looks at a histogram lies; null: nothing was.
export function quantile(share, now, before) {
  const counts = now.counts.map((count, index) => count - (before?.counts[index] ?? 0));
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (!total) return null;
  let rest = share * total, index = 0;
  while (index < counts.length - 1 && rest > counts[index]) rest -= counts[index++];
  const low = index ? now.bounds[index - 1] : 0, high = now.bounds[index];
  return high === undefined ? low : low + (high - low) * Math.min(1, rest / counts[index]); // above the last bound: at least it
}

export function mean(now, before) {
  const count = now.counts.reduce((sum, one, index) => sum + one - (before?.counts[index] ?? 0), 0);
  return count ? (now.sum - (before?.sum ?? 0)) / count : null;
}
