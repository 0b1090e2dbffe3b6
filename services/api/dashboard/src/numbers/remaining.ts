/** The time left as a range that a person can use: rounded outwards to steps that fit its size. Pure. */

export interface Left {
  unit: 'minute' | 'hour' | 'day'
  low: number
  high: number
}

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** `null`: less than a minute. Arguments in seconds. */
export function left(low: number, high: number): Left | null {
  if (high < MINUTE) return null
  if (high <= 90 * MINUTE) return steps('minute', low / MINUTE, high / MINUTE, high < 10 * MINUTE ? 1 : 5)
  if (high <= 2 * DAY) return steps('hour', low / HOUR, high / HOUR, 1)
  return steps('day', low / DAY, high / DAY, 1)
}

function steps(unit: Left['unit'], low: number, high: number, step: number): Left {
  return { unit, low: Math.max(1, Math.floor(low / step) * step), high: Math.ceil(high / step) * step }
}
