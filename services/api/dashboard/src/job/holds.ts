/** What is still held of a job, and what has gone. Pure. */
import { hasEnded, type Hold, type JobView } from '../api/types'

export interface Held {
  what: string
  why: string
  until: string | null
  gone: boolean
}

/** `seen`: what was held when this page looked before. Credentials were held by every job of mailboxes. */
export function held(job: JobView, seen: readonly Hold[]): Held[] {
  const now = job.holds.map((hold) => ({ ...hold, gone: false }))
  const before = seen.filter((hold) => !now.some((each) => each.what === hold.what)).map((hold) => ({ ...hold, gone: true }))
  const credentials = [...now, ...before].some((hold) => hold.what === 'credentials')
  const destroyed = !credentials && job.kind === 'mailbox' && hasEnded(job.state) ? [{ what: 'credentials', why: '', until: null, gone: true }] : []
  return [...destroyed, ...before, ...now]
}
