/** What is told of a job beside its page: loaded when the page shows it. */
import { hasEnded, type JobView } from '../api/types'
import { announcement } from '../live/announcement'
import { favicon } from '../live/favicon'
import type { JobTexts, Speech } from '../texts'
import { moodOf } from './mood'
import { stateText } from './state'

export function showInTab(job: JobView, { t, f }: Speech<JobTexts>): void {
  const { title } = stateText(job, t)
  document.title = job.progress_percent === null || hasEnded(job.state) ? `${title} · Mailtide` : t.job.tabTitle(f.percent(job.progress_percent), title)
  const link = document.querySelector<HTMLLinkElement>('link[rel=icon]')
  if (link !== null) link.href = favicon(job.progress_percent, moodOf(job.state))
}

/** What a screen reader says of a change; null: nothing. */
export function spoken(before: JobView | null, job: JobView, { t, f }: Speech<JobTexts>): string | null {
  const what = announcement(before, job)
  if (what?.kind === 'state') return t.job.announce.state(stateText(job, t).title, stateText(job, t).text)
  return what?.kind === 'percent' ? t.job.announce.percent(f.percent(what.percent)) : null
}
