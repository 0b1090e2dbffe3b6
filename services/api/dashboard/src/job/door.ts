/** How this page reaches its job: what it reads, and what a press of a button asks for. */
import { ask, send, type Door, type Method, Problem } from '../api/client'
import { hasEnded, type BreakdownRow, type JobView, type Snapshot } from '../api/types'
import type { ServerEvent } from '../live/sse'
import type { Source } from '../live/stream'

export const doorOf = (key: string, token: string | null = null): Door => ({ path: `/api/jobs/${encodeURIComponent(key)}`, token })

export function source(door: Door): Source<Snapshot> {
  const get = <T>(what: string, signal: AbortSignal): Promise<T> => ask<T>('GET', door.path + what, { token: door.token, signal })
  return {
    open: (lastEventId, signal) =>
      send('GET', `${door.path}/events`, {
        token: door.token,
        signal,
        headers: { accept: 'text/event-stream', ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }) },
      }),
    async poll(signal) {
      const [job, breakdown] = await Promise.all([get<JobView>('', signal), get<BreakdownRow[]>('/breakdown', signal)])
      return { job, breakdown }
    },
    read: (event: ServerEvent) => (event.name === 'snapshot' ? (JSON.parse(event.data) as Snapshot) : undefined),
    settled: ({ job }) => hasEnded(job.state) && !job.holds.some(({ what }) => what === 'credentials' || what === 'addresses'),
  }
}

export const order = <T = void>(door: Door, method: Method, what: string, body?: unknown): Promise<T> => ask<T>(method, door.path + what, { body, token: door.token })

export const asProblem = (error: unknown): Problem => (error instanceof Problem ? error : new Problem(0))
