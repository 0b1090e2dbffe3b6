/** The jobs of the fleet: kept, chosen and ordered. Pure. */
import type { JobView } from '../api/types'

export type SortKey = 'name' | 'state' | 'worker' | 'progress' | 'speed' | 'last_report'

export interface View {
  filter: string
  state: string // empty: any
  sort: SortKey
  down: boolean
}

export type FleetEvent = { name: 'snapshot'; jobs: JobView[] } | { name: 'changes'; changed: JobView[]; gone: string[] }

/** All jobs anew, or what has changed of them. A job that did not change keeps its object, so that its row is left alone. */
export function after(jobs: ReadonlyMap<string, JobView>, event: FleetEvent): Map<string, JobView> {
  if (event.name === 'changes') {
    const next = new Map(jobs)
    for (const job of event.changed) next.set(job.job_id, job)
    for (const id of event.gone) next.delete(id)
    return next
  }
  return new Map(event.jobs.map((job) => [job.job_id, same(jobs.get(job.job_id), job)]))
}

/** The finished ones, once what is live has changed: those that end come to them, those that were started again go. */
export function finishedAfter(finished: ReadonlyMap<string, JobView>, event: FleetEvent): ReadonlyMap<string, JobView> {
  const all = event.name === 'changes' ? event.changed : event.jobs
  const changed = all.filter((job) => job.finished_at !== null)
  const gone = all.filter((job) => job.finished_at === null && finished.has(job.job_id)).map((job) => job.job_id)
  return changed.length + gone.length > 0 ? after(finished, { name: 'changes', changed, gone }) : finished
}

function same(before: JobView | undefined, job: JobView): JobView {
  return before !== undefined && before.last_report_at === job.last_report_at && before.state === job.state && before.items_remaining === job.items_remaining && before.speed_bytes_per_second === job.speed_bytes_per_second && before.rate.mbps === job.rate.mbps ? before : job
}

/** What a job is called: its name, else the way it goes. */
export const nameOf = (job: JobView): string => job.name ?? (job.source_host && job.destination_host ? `${job.source_host} → ${job.destination_host}` : job.job_id)

const VALUE: Record<SortKey, (job: JobView) => string | number> = {
  name: (job) => nameOf(job).toLowerCase(),
  state: (job) => job.state,
  worker: (job) => job.worker ?? '',
  progress: (job) => job.progress_percent ?? -1,
  speed: (job) => job.speed_bytes_per_second ?? -1,
  last_report: (job) => job.last_report_at ?? '',
}

export function shown(jobs: ReadonlyMap<string, JobView>, view: View): JobView[] {
  const words = view.filter.toLowerCase().split(/\s+/).filter(Boolean)
  const fits = (job: JobView): boolean => {
    const text = [job.name, job.source_host, job.destination_host, job.worker, job.project, job.job_id].join(' ').toLowerCase()
    return (view.state === '' || job.state === view.state) && words.every((word) => text.includes(word))
  }
  const value = VALUE[view.sort]
  const order = (a: JobView, b: JobView): number => {
    const [x, y] = [value(a), value(b)]
    return (x < y ? -1 : x > y ? 1 : 0) * (view.down ? -1 : 1) || (a.job_id < b.job_id ? -1 : 1)
  }
  return [...jobs.values()].filter(fits).sort(order)
}

/** The rows to draw: those in sight and some around them. Heights in pixels. */
export function inSight(count: number, top: number, height: number, row: number): { from: number; to: number } {
  const around = 8
  const from = Math.max(0, Math.min(count, Math.floor(top / row) - around))
  return { from, to: Math.min(count, Math.ceil((top + height) / row) + around) }
}
