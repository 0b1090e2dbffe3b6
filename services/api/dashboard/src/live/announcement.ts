/** What a screen reader is told: every change of state, and each ten percent. Pure. */
import type { JobState, JobView } from '../api/types'

export type Announcement = { kind: 'state'; state: JobState } | { kind: 'percent'; percent: number }

export function announcement(before: JobView | null, after: JobView): Announcement | null {
  if (before === null) return null
  if (before.state !== after.state) return { kind: 'state', state: after.state }
  const [was, is] = [tens(before), tens(after)]
  return is > was && is < 100 ? { kind: 'percent', percent: is } : null
}

const tens = (job: JobView): number => Math.floor((job.progress_percent ?? 0) / 10) * 10
