/** What is said of a job's state; a dry run copies nothing, and an agent does as it likes, so it is said otherwise. Pure. */
import type { JobView } from '../api/types'
import type { ExternalTexts, JobTexts } from '../texts'
import type { StateText } from '../texts/en/job'

/** Its schedule lets nothing be copied now. */
export const isResting = (job: Pick<JobView, 'rate' | 'state'>): boolean => job.rate.mbps === 0 && (job.state === 'running' || job.state === 'scanning')

export function stateText(job: Pick<JobView, 'kind' | 'mode' | 'rate' | 'state'>, t: JobTexts & Partial<ExternalTexts>): StateText {
  if (isResting(job)) return t.job.resting
  const otherwise = job.kind === 'external' ? t.external?.states : job.mode === 'dry_run' ? t.dryRun : undefined
  return otherwise?.[job.state] ?? t.states[job.state]
}
