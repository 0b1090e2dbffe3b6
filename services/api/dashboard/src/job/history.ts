/** The curve of the speed, from batches that say how many bytes were copied when. Pure. */
import type { BatchRow } from '../api/types'

const POINTS = 240

export interface Curve {
  times: number[] // UNIX seconds
  megabits: number[] // a second, over the step
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21_600, 86_400]

/** Seconds a point stands for, so that the curve has about 240 of them. */
export const resolution = (seconds: number): number => STEPS.find((step) => step * POINTS >= seconds) ?? 86_400

/** One point a step from the first batch to `until` (UNIX seconds); a step without a batch is zero. */
export function curve(batches: readonly BatchRow[], step: number, until: number): Curve {
  const bytes = new Map<number, number>()
  for (const batch of batches) {
    const at = Math.floor(Date.parse(batch.at) / 1000 / step) * step
    bytes.set(at, (bytes.get(at) ?? 0) + batch.bytes)
  }
  const first = Math.min(...bytes.keys())
  const last = Math.max(...bytes.keys(), Math.floor(until / step) * step - step)
  const times: number[] = []
  if (bytes.size > 0) for (let at = first; at <= last; at += step) times.push(at)
  return { times, megabits: times.map((at) => ((bytes.get(at) ?? 0) * 8) / 1e6 / step) }
}

/** Bytes a second. */
export function extent(drawn: Curve): { average: number; best: number } {
  const sum = drawn.megabits.reduce((total, value) => total + value, 0)
  const best = drawn.megabits.reduce((most, value) => Math.max(most, value), 0)
  return { average: (sum / Math.max(1, drawn.megabits.length)) * 125_000, best: best * 125_000 }
}
