// Where the axes of parallel coordinates stand and how a run's line runs. Pure functions, in CSS pixels.

export const HEIGHT_PX = 340;
const HEAD_PX = 34; // names of the axes above
const LANE_PX = 22; // below an axis: where runs without a place on it pass
const FOOT_PX = 18;
const SIDE_PX = 44;
const AXIS_WIDTH_MIN = 92;
const NEAR_PX = 9;

/** { width, head, foot, lane, gap, axes: [{ column, x }] }. Wider than `available` when the axes would be too close. */
export function layout(columns, available) {
  const gaps = Math.max(1, columns.length - 1);
  const gap = Math.max(AXIS_WIDTH_MIN, (available - 2 * SIDE_PX) / gaps);
  const width = Math.max(available, Math.ceil(gap * gaps + 2 * SIDE_PX));
  const foot = HEIGHT_PX - FOOT_PX - LANE_PX;
  const axes = columns.map((column, i) => ({ column, x: SIDE_PX + i * gap }));
  return { width, head: HEAD_PX, foot, lane: foot + LANE_PX, gap, axes };
}

/** The corners of a run's line; in the lane where it has no value, or one that has no place. */
export function polyline({ axes, head, foot, lane }, run) {
  return axes.map(({ column, x }) => {
    const place = column.place(run);
    return [x, place === null ? lane : foot - place * (foot - head)];
  });
}

function heightAt(path, gap, x) {
  const index = Math.min(path.length - 2, Math.max(0, Math.floor((x - path[0][0]) / gap)));
  const [[x0, y0], [x1, y1]] = [path[index], path[index + 1]];
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}

/** The index of the chosen run whose line passes nearest to (x, y), or -1 when none is near. */
export function nearestRun({ gap, axes }, paths, chosen, x, y) {
  if (axes.length < 2 || x < axes[0].x - NEAR_PX || x > axes[axes.length - 1].x + NEAR_PX) return -1;
  let best = -1;
  let distance = NEAR_PX;
  paths.forEach((path, run) => {
    if (!chosen[run]) return;
    const away = Math.abs(heightAt(path, gap, x) - y);
    if (away < distance) [best, distance] = [run, away];
  });
  return best;
}
