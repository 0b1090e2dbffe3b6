/** What the tab of the browser shows of a job. */
import { hasEnded, type JobView } from '../api/types'
import { favicon, type Mood } from '../live/favicon'
import type { JobTexts, Speech } from '../texts'

export function showInTab(job: JobView, { t, f }: Speech<JobTexts>): void {
  const title = t.states[job.state].title
  document.title = job.progress_percent === null || hasEnded(job.state) ? `${title} · Mailtide` : t.job.tabTitle(f.percent(job.progress_percent), title)
  const link = document.querySelector<HTMLLinkElement>('link[rel=icon]')
  if (link !== null) link.href = favicon(job.progress_percent, moodOf(job.state))
}

export function moodOf(state: JobView['state']): Mood {
  if (state === 'completed') return 'good'
  if (state === 'completed_with_errors') return 'mixed'
  if (state === 'failed') return 'bad'
  return state === 'running' || state === 'scanning' || state === 'queued' ? 'going' : 'still'
}
