/** What the page shows of a job, and how each thing that happens changes it. Pure. */
import { hasEnded, type Hold, type Snapshot } from '../api/types'
import type { Happening, Link } from './stream'

export interface Watched {
  snapshot: Snapshot | null
  newest: Snapshot | null // what has come; shown unless the person holds the page still
  seen: readonly Hold[] // all that was held at one time or another
  link: Link
  still: boolean
  gone: boolean
  refused: boolean
}

export type Watching = Happening<Snapshot> | { kind: 'hold-still' } | { kind: 'go-on' }

export const NOTHING_YET: Watched = { snapshot: null, newest: null, seen: [], link: 'connecting', still: false, gone: false, refused: false }

export function apply(watched: Watched, happened: Watching): Watched {
  switch (happened.kind) {
    case 'value': {
      const newest = forward(watched.newest, happened.value)
      return { ...watched, newest, seen: remember(watched.seen, newest.job.holds), snapshot: watched.still ? watched.snapshot : newest }
    }
    case 'link':
      return { ...watched, link: happened.link }
    case 'event':
      return happened.event.name === 'end' && saysGone(happened.event.data) ? { ...watched, gone: true } : watched
    case 'gone':
      return { ...watched, gone: true }
    case 'refused':
      return { ...watched, refused: true }
    case 'hold-still':
      return { ...watched, still: true }
    case 'go-on':
      return { ...watched, still: false, snapshot: watched.newest }
  }
}

/**
 * The newer of two snapshots, with a percentage that does not fall.
 *
 * After a reconnect another server may answer, a moment behind the one before:
 * an older report, or a live state after the end, is not shown. A job that is
 * tried again begins anew, in its next run.
 */
export function forward(before: Snapshot | null, after: Snapshot): Snapshot {
  if (before === null || before.job.job_id !== after.job.job_id) return after
  if (before.job.run !== after.job.run) return before.job.run < after.job.run ? after : before
  if (hasEnded(before.job.state) && !hasEnded(after.job.state)) return before
  if (time(after.job.last_report_at) < time(before.job.last_report_at)) return before
  const [was, is] = [before.job.progress_percent, after.job.progress_percent]
  if (was === null || (is !== null && is >= was)) return after
  return { ...after, job: { ...after.job, progress_percent: was } }
}

function remember(seen: readonly Hold[], holds: readonly Hold[]): Hold[] {
  return [...seen.filter((hold) => !holds.some((each) => each.what === hold.what)), ...holds]
}

const time = (iso: string | null): number => (iso === null ? -Infinity : Date.parse(iso))

function saysGone(data: string): boolean {
  return (JSON.parse(data) as { state?: string }).state === 'gone'
}
